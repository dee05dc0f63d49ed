"""What is changed in the source, and that a change is seen by the tests that run on it, and by nobody else."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

from neuroscale.errors import PreconditionFailed, UsageError
from neuroscale.quantile import quantile
from neuroscale.settings import ROOT
from suite import benchmarks_page, source_mutants
from suite.benchmarks_page import DATA, Document, Figure, Group, Survivor, load
from suite.source_mutants import MODULES, SourceMutant, Trials, command, mutants_of, run

TOY = '''"""A module with 1 docstring."""

LIMIT = 5
NAMES = {"a", "b"}


@dataclass(frozen=True)
class Judge:
    strict: bool = False

    def judge(self, rows: list[int] | None) -> bool:
        """Whether 2 rows fit."""
        if rows:
            record(rows)
        for row in rows or []:
            if row > 3 and not self.strict:
                continue
            raise ValueError(f"{row + 1} is {True}")
        return all(row for row in rows if row in NAMES)
'''
CHANGES = [
    (4, "{'a', 'b'} → {'b'}"),
    (4, "{'a', 'b'} → {'a'}"),
    (9, "False → True"),
    (13, "if rows: → if not rows:"),
    (14, "record(rows) → pass"),
    (15, "rows or [] → rows and []"),
    (16, "row > 3 and (not self.strict) → row > 3 or not self.strict"),
    (16, "row > 3 → row >= 3"),
    (16, "3 → 4"),
    (16, "not self.strict → self.strict"),
    (17, "continue → break"),
    (18, "raise ValueError(f'{row + 1} is {True}') → pass"),
    (19, "all((row for row in rows if row in NAMES)) → any((row for row in rows if row in NAMES))"),
    (19, "row in NAMES → row not in NAMES"),
]


def test_decisions_are_changed_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is that types, docstrings, messages, decorators and limits say."""
    monkeypatch.setattr(source_mutants, "ROOT", tmp_path)
    (tmp_path / "toy.py").write_text(TOY, encoding="utf-8")
    mutants = mutants_of("toy.py")
    assert [(mutant.line, mutant.change) for mutant in mutants] == CHANGES
    changed = {compile(mutant.tree(), "toy.py", "exec").co_consts for mutant in mutants}
    assert len(changed) == len(mutants)


def test_what_is_mutated_and_what_covers_it_is_there() -> None:
    assert [file for file in MODULES if not mutants_of(file)] == []
    tests = {ROOT / "tests" / name.partition("::")[0] for names in MODULES.values() for name in names}
    assert [path for path in tests if not path.exists()] == []


def test_a_mutant_is_noticed_by_the_tests_that_cover_it_and_by_nobody_else(tmp_path: Path) -> None:
    boundary = next(mutant for mutant in mutants_of("neuroscale/quantile.py") if mutant.change == "1 → 2")
    trials = Trials(tmp_path)
    assert trials.survivors([boundary], ["tests/unit/test_quantile.py"], limit=60) == []
    assert trials.survivors([boundary], ["tests/unit/test_quantities.py"], limit=60) == [boundary]
    assert quantile([1, 2, 3], 1) == 3
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_end_is_noticed(tmp_path: Path) -> None:
    (endless := tmp_path / "test_endless.py").write_text(
        "def test_endless():\n    while True: pass\n", encoding="utf-8"
    )
    harmless = mutants_of("neuroscale/quantile.py")[0]
    assert Trials(tmp_path / "base").survivors([harmless], [str(endless)], limit=1) == []


def test_red_tests_say_nothing_about_a_mutant(tmp_path: Path) -> None:
    (red := tmp_path / "test_red.py").write_text("def test_red():\n    assert False\n", encoding="utf-8")
    with pytest.raises(PreconditionFailed, match=r"should be green without a mutant, but ended with 1.*Next: pytest "):
        Trials(tmp_path / "base").control([str(red)])


def test_a_module_that_is_not_mutated_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"are not: setup.py. There are: neuroscale/"):
        run(["setup.py"])


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page's data with one survivor, explained; the run finds it and another one."""
    known = Survivor(file="a.py", line=1, change="1 → 2", why="the same to everybody")
    gone = Survivor(file="a.py", line=2, change="2 → 3", why="nobody asks")
    other = Survivor(file="b.py", line=3, change="3 → 4", why="of another module")
    kinds = {"slug": "x", "what": "X", "least": 1, "most": 1, "unit": "s", "command": "x", "recorded": date(2026, 1, 1)}
    data = tmp_path / DATA.name
    document = Document(environment="Here.", groups=[Group(title="All", figures=[Figure.model_validate(kinds)])])
    document.survivors = [known, gone, other]
    data.write_text(document.model_dump_json(), encoding="utf-8")
    monkeypatch.setattr(benchmarks_page, "DATA", data)
    monkeypatch.setattr(source_mutants, "MODULES", {"a.py": (), "b.py": ()})
    found = [SourceMutant("a.py", 0, 7, "1 → 2"), SourceMutant("a.py", 1, 8, "1 → 2")]
    monkeypatch.setattr(source_mutants, "run", lambda files: (9, found[: len(sys.argv) - 1]))
    return data


def test_a_survivor_that_nobody_explained_fails(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, code, lines in ((["a.py"], 0, [1, 2, 3]), (["--record", "a.py"], 1, [3, 7, 8])):
        monkeypatch.setattr("sys.argv", ["source_mutants", *arguments])
        with pytest.raises(SystemExit) as ended:
            command()
        assert ended.value.code == code
        assert sorted(one.line for one in load(recorded).survivors) == lines
    assert [one.why for one in load(recorded).survivors] == ["of another module", "the same to everybody", ""]


def test_each_survivor_on_the_page_is_explained() -> None:
    assert [one for one in load().survivors if one.file not in MODULES or not one.why] == []
