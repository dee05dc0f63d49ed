"""The Allure 3 report with our overview in front of it, as one file that needs no network.

Allure's place for such additions, global attachments, strips style sheets and hides them two clicks deep; so the
overview is put into the page itself, in a frame, and Allure's own part stays as it is.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import tempfile
from itertools import chain
from pathlib import Path

from neuroscale.errors import SupplyError
from neuroscale.report.page import shell
from neuroscale.results import RunFolder
from neuroscale.supply import node
from neuroscale.supply.installed import run_program

_GENERATE_SECONDS = 120
_CATEGORIES = [
    {"name": "Failed: the platform did not keep a promise", "matchers": {"statuses": ["failed"]}},
    {"name": "Not run: nothing was learned about the platform", "matchers": {"statuses": ["broken"]}},
    {"name": "Skipped: never counts as a pass", "matchers": {"statuses": ["skipped"]}},
]
# Allure 3 loads an analytics script from the net and offers no switch; the policy holds off whatever else may come.
_REMOTE_SCRIPT = re.compile(r'<script\b[^>]*\bsrc="https?://[^>]*></script>')
_HEAD = (
    '<head><meta http-equiv="Content-Security-Policy" '
    "content=\"default-src data: blob: 'unsafe-inline' 'unsafe-eval'\">"
    # Allure's program may start before the parser reaches the data below it, and would then ask a server for them.
    "<script>window.allureReportDataReady = false; window.allureReportData = {};</script>"
)
# Allure's program alone has 3.6 MB, and the data of 99 scenarios as many again; a browser unpacks what was packed.
_SCRIPT = re.compile(r'<script\b[^<>]*?(?:src="data:text/javascript;base64,([^"]*)"[^<>]*>|>(.*?))</script>', re.DOTALL)
_LARGE = 100_000
_UNPACK = """<script>
(async () => {
  for (const packed of document.querySelectorAll('script[type="application/gzip"]')) {
    const bytes = Uint8Array.from(atob(packed.textContent), (character) => character.charCodeAt(0));
    const script = document.createElement("script");
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
  }
})();
</script></body>"""


def report(folder: RunFolder, overview_page: str) -> str:
    """The report as HTML.

    Raises:
        SupplyError: There is no Node or Allure, no result, or Allure failed.
    """
    results = folder.path / "allure-results"
    if not any(results.glob("*-result.json")):
        raise SupplyError("this run has no Allure results")
    run, command = folder.run, node.npm_program("allure", "allure", "cli.js", node.node())
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        facts = place / "facts"
        facts.mkdir()
        lines = [f"{part} = {version}" for part, version in run.versions.items()]
        (facts / "environment.properties").write_text("\n".join(lines), encoding="utf-8")
        (place / "allurerc.json").write_text(json.dumps({"categories": _CATEGORIES}), encoding="utf-8")
        options = {"--config": "allurerc.json", "--output": "out", "--report-name": f"NeuroScale {run.kind} {run.name}"}
        run_program(
            [*command, "awesome", str(results.resolve()), str(facts), "--single-file", *chain(*options.items())],
            within=_GENERATE_SECONDS,
            folder=place,
        )
        written = place / "out/index.html"
        if not written.is_file():
            raise SupplyError("Allure should have written index.html, but has not")
        return combined(written.read_text(encoding="utf-8"), overview_page)


def combined(allure_page: str, overview_page: str) -> str:
    """Allure's page with the overview in front and without anything that would use the network.

    Raises:
        SupplyError: The page has not the expected form.
    """
    if allure_page.count("<head>") != 1 or allure_page.count("<body>") != 1:
        raise SupplyError("Allure's page should have one head and one body, but has not")
    page = _SCRIPT.sub(_packed, _REMOTE_SCRIPT.sub("", allure_page)).replace("</body>", _UNPACK)
    return page.replace("<head>", _HEAD).replace("<body>", "<body>" + shell(overview_page))


def _packed(script: re.Match[str]) -> str:
    if len(script[0]) < _LARGE:
        return script[0]
    program = base64.b64decode(script[1]) if script[1] else script[2].encode()
    return f'<script type="application/gzip">{base64.b64encode(gzip.compress(program, mtime=0)).decode()}</script>'
