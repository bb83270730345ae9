"""Pointers are true: paths in README and docs/flow.md exist, and names in double backticks in the code resolve.

A name resolves when it is a package or module (``outbound``, ``desk.transitions``, in its package ``transitions``), a name of a module
or class (``outgoing.HUSH``), a name of the standard library, or a name, argument, attribute or word of a string in the
module that holds the pointer or of a class that it imports. File names (``mailbot.toml``) are plain literals.
"""

import ast
import builtins
import functools
import io
import pydoc
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import TESTS

ROOT = TESTS.parent
SOURCES = sorted(
    path for folder in ("mailbot", "storage") for path in (ROOT / folder).rglob("*.py") if "versions" not in path.parts
)
POINTER = re.compile(r"``([^`]+)``")
NAME = re.compile(r"[A-Za-z_]\w+(?:\.[A-Za-z_]\w*)*")
FILE = re.compile(r"[\w.]+\.(?:toml|txt|html|csv|json|md|py|dat)")
#: A path in a page: with a slash, or a file name with one of our suffixes.
PATH = re.compile(r"[\w.*/-]+/[\w.*/-]*|[\w*-]+\.(?:py|md|toml|csv|sh|service|yaml|yml)")


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(path): path for path in SOURCES}

#: Packages are named from here, and the modules that stand beside them.
PLACES = (ROOT, ROOT / "mailbot", ROOT / "mailbot" / "core")
TOP = frozenset(path.stem for path in (ROOT / "mailbot").glob("*.py"))


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def _docstrings(path: Path) -> tuple[ast.Constant, ...]:
    found = []
    for node in ast.walk(_tree(path)):
        for statement in getattr(node, "body", ()) if isinstance(getattr(node, "body", ()), list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                found.append(statement.value)
    return tuple(constant for constant in found if isinstance(constant.value, str))


@functools.cache
def _words(path: Path) -> frozenset[str]:
    """Every name, argument, attribute and keyword of a module, and every word of its strings but the docstrings."""
    words: set[str] = set()
    docstrings = {id(constant) for constant in _docstrings(path)}
    for node in ast.walk(_tree(path)):
        for field in ("name", "id", "attr", "arg", "asname"):
            if isinstance(value := getattr(node, field, None), str):
                words |= set(value.split("."))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            words |= set(re.findall(r"[A-Za-z_]\w*", node.value))
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | type(None)):
            words.add(str(node.value))
    return frozenset(words)


@functools.cache
def _defined(path: Path) -> frozenset[str]:
    """The names that a module binds at its top level, and ``Class.attribute`` for those of its classes."""
    names: set[str] = set()
    for node in _tree(path).body:
        names |= _bound(node)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for inner in node.body for name in _bound(inner)}
    return frozenset(names)


def _bound(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            return {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


@functools.cache
def _imported(path: Path) -> frozenset[str]:
    """The attributes and methods of the classes in the modules that a module imports from, which it may inherit or read."""
    sources = {node.module for node in ast.walk(_tree(path)) if isinstance(node, ast.ImportFrom) and node.module}
    defined = (name for source in sources & MODULES.keys() for name in _defined(MODULES[source]))
    return frozenset(name.partition(".")[2] for name in defined if "." in name)


def _modules(pointer: str) -> list[Path]:
    return [path for name, path in MODULES.items() if name == pointer or name.endswith(f".{pointer}")]


def resolves(pointer: str, path: Path) -> bool:
    """Whether a name in double backticks in the module at ``path`` leads somewhere."""
    if "." not in pointer:
        if (path.parent / f"{pointer}.py").exists():
            return True
        return pointer in _words(path) | _imported(path) | TOP or any((place / pointer).is_dir() for place in PLACES)
    if _modules(pointer) or pointer in _defined(path):
        return True
    parts = pointer.split(".")
    if parts[0] in sys.stdlib_module_names or hasattr(builtins, parts[0]):
        return pydoc.locate(pointer) is not None
    for cut in range(1, len(parts)):
        if any(".".join(parts[cut:]) in _defined(module) for module in _modules(".".join(parts[:cut]))):
            return True
    return set(parts) <= _words(path)


def pointers(path: Path) -> Iterator[str]:
    """The names in double backticks in the docstrings and comments of a module."""
    texts = [constant.value for constant in _docstrings(path)]
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
    texts += [token.string for token in tokens if token.type == tokenize.COMMENT]
    for text in texts:
        for found in POINTER.findall(text):
            if NAME.fullmatch(found) and not FILE.fullmatch(found) and not found.startswith("__"):
                yield found


@pytest.mark.parametrize("path", SOURCES, ids=[_module(path) for path in SOURCES])
def test_names_in_double_backticks_resolve(path: Path) -> None:
    assert [pointer for pointer in pointers(path) if not resolves(pointer, path)] == []


@pytest.mark.parametrize("page", ["README.md", "docs/flow.md"])
def test_paths_in_pages_exist(page: str) -> None:
    spans = re.findall(r"`([^`\n]+)`", (ROOT / page).read_text("utf-8"))
    paths = [span for span in spans if PATH.fullmatch(span)]
    assert paths
    assert [path for path in paths if not _exists(path)] == []


def _exists(path: str) -> bool:
    if path.startswith("/"):  # where an operator puts something
        return True
    places = (ROOT, ROOT / "mailbot", ROOT / "docs", ROOT / "templates" / "en")
    return any(list(place.glob(path.rstrip("/"))) for place in places)
