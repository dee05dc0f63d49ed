"""What the processes of ``warm.py`` have imported before they are forked: the library, pytest and its plugins."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from importlib.metadata import entry_points

import _pytest.config

import neuroscale
from neuroscale.host import direct

#: It belongs to an environment of its own.
_ELSEWHERE = "neuroscale.kserve_client.program"

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
