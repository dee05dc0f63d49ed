"""The guide to a cloud: its blocks, what is tried of each, and the table that says so.

``python -m suite.guide_page`` writes the table into ``docs/CLOUD_PROMOTION_GUIDE.md``; a test fails when it is out of
date, and does with each block what its mark says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import UsageError
from neuroscale.settings import ROOT

PAGE = ROOT / "docs" / "CLOUD_PROMOTION_GUIDE.md"
#: What a mark says -> what the page tells of it.
TRIED = {
    "run": "run by a test, in a copy of this repository, and compared with the profile that is rendered and judged",
    "schema": "each object is held against the schema of its kind",
    "parse": "it can be read; nobody here has the schema",
    "hcl": "it can be read as Terraform's language; there is no `terraform` here to validate it",
    "syntax": "it can be read by the shell; it needs a cloud, and nobody has run it",
}
_BLOCK = re.compile(
    r"^(?P<heading>#{2,3} [^\n]+)$|"
    r"^(?:<!-- validated-by: (?P<mark>\S+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TABLE = re.compile(r"(?<=<!-- tried: begin -->\n).*?(?=<!-- tried: end -->)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of the guide that somebody may copy.

    Attributes:
        heading: The section that it is in.
        language: Of its text.
        mark: How it is tried.
        text: What is in it.
    """

    heading: str
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.heading}: {self.language}, {self.mark}"


def blocks(text: str) -> list[Block]:
    """The blocks of a page, in its order.

    Raises:
        UsageError: One has no mark, or one that says nothing.
    """
    return list(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    heading = ""
    for found in _BLOCK.finditer(text):
        if found["heading"]:
            heading = found["heading"].lstrip("# ")
            continue
        mark = found["mark"] or ""
        if mark not in TRIED:
            raise UsageError(
                f"Each block should say how it is tried, but {heading!r} has one with {mark or 'no mark'}. "
                f"Next: one of {', '.join(TRIED)}"
            )
        yield Block(heading, found["language"], mark, found["text"])


def table(text: str) -> str:
    """How each block of a page is tried, in Markdown."""
    every = blocks(text)
    rows = (f"| {one.heading} | {one.language} | {one.mark} |" for one in every)
    told = (f"- **{mark}** ({sum(one.mark == mark for one in every)}): {what}" for mark, what in TRIED.items())
    return "\n".join(["", *told, "", "| section | block | tried by |", "|---|---|---|", *rows, "", ""])


def renewed(text: str) -> str:
    """A page with its table as it should be."""
    return _TABLE.sub(lambda _: table(text), text, count=1)


def main(page: Path = PAGE) -> None:
    """Write the table where it was."""
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
