"""What the processes of ``warm.py`` have before they are forked: pytest, its plugins, the suite and the library."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import io
import pkgutil
import sys
from functools import cache, cached_property
from importlib.metadata import Distribution, entry_points

import _pytest.config
import pytest

import neuroscale
from neuroscale.host import direct
from neuroscale.settings import ROOT

#: It belongs to an environment of its own.
_ELSEWHERE = "neuroscale.kserve_client.program"


@cache
def _installed(path: tuple[str, ...]) -> tuple[Distribution, ...]:
    return tuple(Distribution.discover(path=list(path)))


# For each of the suite's plugins pytest reads again what all the installed packages have.
importlib.metadata.distributions = lambda: iter(_installed(tuple(sys.path)))
Distribution.entry_points = cached_property(Distribution.entry_points.fget)
Distribution.entry_points.__set_name__(Distribution, "entry_points")

# With a session's assertions, which pytest writes anew as it imports: a session that only says which markers there are.
with contextlib.redirect_stdout(io.StringIO()):
    _options = (f"--rootdir={ROOT}", f"--config-file={ROOT / 'pytest.ini'}")
    _status = pytest.main(["--markers", *_options, str(ROOT / "conftest.py")])
assert _status == 0, f"the suite should say its markers, but ended with {_status}"
sys.modules.pop("conftest")
for _name in ("hypothesis", *(f"_pytest.{plugin}" for plugin in _pytest.config.default_plugins)):
    importlib.import_module(_name)
for _entry in entry_points(group="pytest11"):
    _entry.load()
for _module in pkgutil.walk_packages(neuroscale.__path__, "neuroscale."):
    if _module.name not in {_ELSEWHERE, "neuroscale.__main__"}:
        importlib.import_module(_module.name)
# Who speaks HTTP has read the certificate authorities, once for all.
direct.client(seconds=1).close()
# All of this stays. A collection in a forked process would look at it again, and so copy it.
gc.collect()
gc.freeze()
