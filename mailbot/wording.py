"""Loads what the desk says: the templates and sentences of one language, single files of which an operator can overlay."""

import hashlib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError

LAYOUT = "layout.html"


class Wording:
    """The words of one language, compiled once."""

    def __init__(self, folders: list[Path]) -> None:
        loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
        self._text = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - text
        self._html = Environment(loader=loader, undefined=StrictUndefined, autoescape=True)
        self.sentences: Mapping[str, Any] = tomllib.loads(_first(folders, "sentences.toml").read_text(encoding="utf-8"))
        self.marker = str(self.sentences["marker"])
        self.kinds = tuple(
            sorted(n.removesuffix(".txt") for n in loader.list_templates() if n.endswith(".txt") and n[0] != "_")
        )
        sources = b"".join(_first(folders, name).read_bytes() for name in sorted(loader.list_templates()))
        self.version = hashlib.sha256(sources).hexdigest()[:8]

    def render(self, kind: str, context: dict[str, Any]) -> tuple[str, str, str]:
        """(subject, text, HTML). A template's first line is its subject; the HTML shows the same words on the layout."""
        rendered = self._text.get_template(f"{kind}.txt").render(context)
        subject, _, text = rendered.partition("\n")
        subject = subject.removeprefix("Subject:").strip()
        html = self._html.get_template(LAYOUT).render(subject=subject, blocks=_blocks(text), desk=context["desk"])
        return subject, text.strip() + "\n", html

    def faults(self) -> tuple[str, ...]:
        """Every template that does not compile, with the reason."""
        found = []
        for name in self._text.list_templates():
            if not name.endswith(".toml"):
                try:
                    self._text.get_template(name)
                except TemplateError as error:
                    found.append(f"{name}: {error}")
        return tuple(found)


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    """The paragraphs of a text: ("rows", lines) where lines are aligned or indented, else ("words", lines)."""
    blocks = [block.splitlines() for block in text.strip().split("\n\n") if block.strip()]
    return [("rows" if any("  " in line for line in lines) else "words", lines) for lines in blocks]


def _first(folders: list[Path], name: str) -> Path:
    return next(folder / name for folder in folders if (folder / name).is_file())


def load(language: str, overlay: Path | None = None) -> Wording:
    """The wording of a language, an operator's files first. FileNotFoundError when the language has no folder."""
    package = Path(str(files("mailbot")))
    shipped = next((p for p in (package / "templates", package.parent / "templates") if (p / language).is_dir()), None)
    if shipped is None:
        msg = f"there are no templates for language {language!r}"
        raise FileNotFoundError(msg)
    mine = [overlay / language] if overlay is not None else []
    return Wording([*mine, shipped / language])
