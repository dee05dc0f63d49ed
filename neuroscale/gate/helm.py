"""Charts, rendered by Helm as Argo CD renders them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neuroscale.errors import ProgramFailed, SupplyError
from neuroscale.host.programs import output
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import documents

_CHART_WITHIN = 60


def template(helm: Path, folder: Path, values: Sequence[Path] = ()) -> list[Object]:
    """The objects of a chart.

    Args:
        helm: The program.
        folder: With the chart's own values.
        values: Files with further ones, the last of which decides.

    Raises:
        SupplyError: It does not render.
    """
    options = [f"--values={file}" for file in values]
    try:
        return documents(output([str(helm), "template", folder.name, str(folder), *options], within=_CHART_WITHIN))
    except ProgramFailed as error:
        raise SupplyError(f"{folder.name} should render, but {error}. Next: helm template {folder}") from error
