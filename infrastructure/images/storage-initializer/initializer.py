"""Fetch models: ``initializer.py URI FOLDER [URI FOLDER ...]``, as KServe calls its storage initializer."""

from __future__ import annotations

import sys
from pathlib import Path

from kserve_storage import Storage, configure_logging, logger


def main(arguments: list[str]) -> int:
    """Fetch each URI into its folder; returns the exit code."""
    uris, folders = arguments[::2], arguments[1::2]
    if not uris or len(uris) != len(folders):
        print("The storage initializer should be given pairs of a URI and a folder.", file=sys.stderr)
        return 2
    configure_logging()
    for uri, folder in zip(uris, folders, strict=True):
        Path(folder).mkdir(parents=True, exist_ok=True)
        try:
            Storage.download(uri, folder)
        except ModuleNotFoundError as error:
            logger.error("This image fetches models over http and https only; %s needs %s.", uri, error.name)
            return 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the pod's events shall say which model and why
            reason = str(error).rstrip(".")
            logger.error("The model should have come from %s, but did not: %s. Correct storageUri.", uri, reason)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
