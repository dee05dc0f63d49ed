"""The source of this repository, read as text and as syntax trees."""

from __future__ import annotations

import ast
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import grimp

from neuroscale.settings import ROOT

#: Homes and workspaces of whoever wrote a line; none of them is on the reader's machine.
MACHINE_PATH = re.compile(r"(?<![\w.~}>-])/(?:root|work|Users|home/(?!runner\b)\w+)/[\w.-]")


@cache
def files() -> list[Path]:
    """Everything that is, or is about to be, in the repository: what ``.gitignore`` does not name.

    Git is asked as if nothing were known to it yet, since an archive of the sources has no repository.
    """
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(["git", "init", "--quiet", "--bare", empty], check=True)
        command = [
            "git",
            "--git-dir",
            empty,
            "--work-tree",
            str(ROOT),
            "ls-files",
            "--others",
            "--exclude-standard",
            "-z",
        ]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file()]


def python(*folders: str) -> list[Path]:
    """Python files below folders of the repository."""
    homes = tuple(f"{ROOT / folder}/" for folder in folders)
    return [path for path in files() if path.suffix == ".py" and str(path).startswith(homes)]


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All that is in it. To walk through a tree takes longer than to look at what was found."""
    return tuple(ast.walk(tree(path)))


def imports(module: ast.AST) -> set[str]:
    """Top-level names of everything a module imports, wherever in it."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def digs(module: ast.AST) -> list[int]:
    """Lines that take something out of a dictionary by a literal key."""
    return sorted(
        node.lineno
        for node in ast.walk(module)
        if (
            (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant))
            and isinstance(node.slice.value, str)
        )
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and bool(node.args)
            and isinstance(node.args[0], ast.Constant)
        )
    )


def functions(module: ast.AST) -> Iterator[ast.FunctionDef]:
    """Every function and method."""
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))


def body_lines(function: ast.FunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    docstring = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)


def long_functions(paths: Iterable[Path], limit: int) -> dict[str, int]:
    """Functions of more lines than that, and how many they have."""
    found = ((path, node) for path in paths for node in nodes(path) if isinstance(node, ast.FunctionDef))
    sized = {f"{path.stem}.{function.name}": body_lines(function) for path, function in found}
    return {name: lines for name, lines in sized.items() if lines > limit}


def longest_chain(package: str) -> list[str]:
    """The longest chain of modules of which each imports the next; imports for types alone do not count."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    chains: dict[str, list[str]] = {}

    def chain(module: str, above: tuple[str, ...]) -> list[str]:
        if module in above:
            raise ValueError(f"{module} imports itself by way of {' -> '.join(above)}")
        if module not in chains:
            below = (chain(one, (*above, module)) for one in graph.find_modules_directly_imported_by(module))
            chains[module] = [module, *max(below, key=len, default=[])]
        return chains[module]

    return max((chain(module, ()) for module in sorted(graph.modules)), key=len)


def dead_links(document: Path) -> list[str]:
    """Relative links of a Markdown file that lead to nothing."""
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    return [f"{document.name}: {target}" for target in targets if not (document.parent / target).exists()]
