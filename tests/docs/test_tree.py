"""The tree is one that a stranger can walk through: small folders, one name for one thing, one place for each module."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

MOST_FILES = 20
MOST_LINES = 300
#: Modules of ``storage`` are used under their names (``inbox.claim``, ``outbox.claim``): their functions share verbs.
SHARED_VERBS = ROOT / "storage"
#: Functions of these modules are commands: their names are what an operator types.
COMMANDS = ROOT / "mailbot" / "cli"


def modules() -> list[Path]:
    found = [*(ROOT / "mailbot").rglob("*.py"), *(ROOT / "storage").rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def public_names(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node.name


def test_no_folder_has_more_than_twenty_modules() -> None:
    folders = defaultdict(list)
    for path in [*modules(), *(ROOT / "tests").rglob("*.py")]:
        if path.name != "__init__.py":
            folders[path.parent].append(path.name)
    assert {str(folder): len(names) for folder, names in folders.items() if len(names) > MOST_FILES} == {}


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in modules()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_two_modules_share_a_name() -> None:
    places = defaultdict(list)
    for path in modules():
        if path.stem not in ("__init__", "__main__"):
            places[path.stem].append(str(path.relative_to(ROOT)))
    assert [found for found in places.values() if len(found) > 1] == []


def test_a_public_name_means_one_thing_in_the_whole_tree() -> None:
    places = defaultdict(list)
    for path in modules():
        for name in public_names(path):
            if name[0].isupper() or not (path.is_relative_to(SHARED_VERBS) or path.is_relative_to(COMMANDS)):
                places[name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_package_says_its_job() -> None:
    packages = [path for path in modules() if path.name == "__init__.py"]
    assert [str(path) for path in packages if not ast.get_docstring(ast.parse(path.read_text()))] == []
