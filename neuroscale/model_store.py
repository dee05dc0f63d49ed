"""The models: their versions, what each answers, and the store they are fetched from.

The store is the Git server's package registry (``docs/decisions/0012``). A version is never changed once it is there.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from neuroscale.errors import ProgramFailed, SupplyError
from neuroscale.git_server import GitServer
from neuroscale.git_server_api import OWNER, SERVICE_URL
from neuroscale.host.programs import output
from neuroscale.settings import ROOT

#: As in ``models/iris/train.py``: what is served, what it is replaced by, one that answers wrongly, half a file.
SERVED, NEXT, SWAPPED, DAMAGED = "1.0.0", "2.0.0", "1.0.1-swapped", "1.0.1-damaged"
#: A version that nobody ever uploads.
ABSENT = "9.9.9"
STORED = (SERVED, NEXT, SWAPPED, DAMAGED)
PACKAGE, FILE = "iris", "model.joblib"
#: The input on which each two versions differ, so that an answer tells which of them gave it.
TELLING = "the telling rows"
_TRAINING = ROOT / "models" / "iris" / "train.py"
_TRAIN_SECONDS = 120

Rows = Sequence[Sequence[float]]


class ExpectedPredictions(BaseModel):
    """What every version answers, written by ``models/iris/train.py --golden``.

    Attributes:
        inputs: Name -> rows of four numbers.
        outputs: Version -> name of the input -> one class for each row.
    """

    inputs: dict[str, list[list[float]]]
    outputs: dict[str, dict[str, list[int]]]

    def versions_answering(self, name: str, classes: Sequence[int] | None) -> list[str]:
        """Versions that give exactly this answer to an input; none for no answer."""
        return [version for version, answers in self.outputs.items() if answers[name] == classes]


@cache
def expected_predictions() -> ExpectedPredictions:
    """The golden predictions."""
    return ExpectedPredictions.model_validate_json((ROOT / "models" / "iris" / "golden.json").read_bytes())


def store_path(version: str) -> str:
    """Where the store has a version, below the Git server's address."""
    return f"/api/packages/{OWNER}/generic/{PACKAGE}/{version}/{FILE}"


def storage_uri(version: str) -> str:
    """Where the cluster fetches a version."""
    return f"{SERVICE_URL}{store_path(version)}"


def version_of(uri: str) -> str | None:
    """The version that a storage URI names, or ``None`` when it leads elsewhere."""
    head, _, tail = storage_uri("|").partition("|")
    inside = uri.startswith(head) and uri.endswith(tail) and len(uri) > len(head) + len(tail)
    return uri[len(head) : -len(tail)] if inside else None


def ensure_models(git_server: GitServer) -> list[str]:
    """Make sure that the store has every version; quick when it has.

    Returns:
        The versions that had to be trained and uploaded.

    Raises:
        SupplyError: Training failed.
        NeuroscaleError: The Git server refused one.
    """
    missing = [version for version in STORED if not git_server.has_package(store_path(version))]
    if missing:
        with TemporaryDirectory(prefix="neuroscale-models-") as folder:
            _train(Path(folder))
            _upload(git_server, Path(folder), missing)
    return missing


def _train(folder: Path) -> None:
    """In a process of its own: whoever brings a platform up need not load scikit-learn."""
    try:
        output([sys.executable, str(_TRAINING), "--into", str(folder)], within=_TRAIN_SECONDS)
    except ProgramFailed as error:
        raise SupplyError(f"The models should be trained, but {error}. Next: make install") from error


def _upload(git_server: GitServer, folder: Path, versions: Collection[str]) -> None:
    for version in versions:
        git_server.upload_package(store_path(version), (folder / version / FILE).read_bytes())
