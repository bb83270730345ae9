"""Loads and renders the templates and sentences of one language. An operator's folder can replace single files.

Every kind of mail has a pair of templates, ``KIND.txt`` and ``KIND.html``; files that begin with an underscore are shared
parts. The style sheet is inlined once per HTML template, when it is first used; a mail only renders compiled templates.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import DictLoader, Environment, FunctionLoader, StrictUndefined, TemplateError, pass_context
from jinja2.runtime import Context

from mailbot.core.outbound import text_layout
from mailbot.core.outbound.compose import Rendered
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.mail_view import mail_view
from mailbot.core.outbound.view_records import MailView
from mailbot.template_names import template_names

SENTENCES, STYLE = "sentences.toml", "_style.css"
_TAG = re.compile(r"\{[{%#].*?[#%}]\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"J(\d+)J")
_SAY = re.compile(r"""\bsay\(\s*"([a-z_.-]+)"\s*[,)]""")


class Wording:
    """The templates and sentences of one language, read once. Earlier folders replace files of later ones."""

    def __init__(self, folders: list[Path]) -> None:
        found = {
            path.name: path for folder in reversed(folders) if folder.is_dir() for path in sorted(folder.iterdir())
        }
        sources = {name: _read(path) for name, path in found.items() if path.is_file()}
        self._shipped = {path.name: _read(path) for path in folders[-1].iterdir() if path.suffix in (".txt", ".html")}
        self._sources = {name: text for name, text in sources.items() if name.endswith((".txt", ".html"))}
        style = sources.get(STYLE, "")

        def source(name: str) -> str | None:
            return inlined(self._sources[name], style) if name in self._sources else None

        options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True, "auto_reload": False}  # fmt: skip
        self._text = Environment(loader=DictLoader(self._sources), **options)  # noqa: S701 - plain text
        self._text.filters |= _FILTERS
        self._html = Environment(loader=FunctionLoader(source), autoescape=True, **options)
        self.sentences: Mapping[str, Any] = _sentences(folders)
        self.marker = str(self.sentences["marker"])
        self.kinds = tuple(sorted({name.rpartition(".")[0] for name in self._sources if name[0] != "_"}))
        everything = "\0".join(f"{name}\0{text}" for name, text in sorted(sources.items()))
        self.version = hashlib.sha256(everything.encode()).hexdigest()[:8]

    def render(self, draft: Draft) -> Rendered:
        """The mail in words. The first line of the text template is the subject."""
        kind, view = draft.send.kind, vars(mail_view(draft, self))
        rendered = self._text.get_template(f"{kind}.txt").render(view)
        subject, _, text = rendered.partition("\n")
        subject = subject.removeprefix("Subject:").strip()
        html = self._html.get_template(f"{kind}.html").render(view | {"subject": text_layout.one_line(subject)})
        return Rendered(subject, text_layout.wrapped(text, fields=view["to_staff"]), html.strip() + "\n")

    def faults(self, *, overlaid: bool = False) -> tuple[str, ...]:
        """What is wrong with each template: it does not compile, lacks its pair, replaces none, or reads an unknown name.

        With ``overlaid`` only the operator's own files are checked.
        """
        found = []
        names = template_names(self._sources, MailView, _FILTERS)
        for name, text in sorted(self._sources.items()):
            if overlaid and self._shipped.get(name) == text:
                continue
            kind, _, part = name.rpartition(".")
            pair = f"{kind}.{'html' if part == 'txt' else 'txt'}"
            if pair not in self._sources:
                found.append(f"{name}: there is no {pair} beside it")
            elif name not in self._shipped and name[0] != "_":
                found.append(f"{name}: there is no shipped template of that name to replace")
            try:
                (self._html if part == "html" else self._text).get_template(name)
                found += [f"{name}: {fault}" for template, fault in sorted(names.faults) if template == name]
            except TemplateError as error:
                found.append(f"{name}: {error}")
            found += [f"{name}: {SENTENCES} has no {key}" for key in _SAY.findall(text) if not self._has(key)]
        return tuple(found)

    def _has(self, key: str) -> bool:
        at: Any = self.sentences
        for part in key.split("."):
            at = at.get(part) if isinstance(at, Mapping) else None
        return isinstance(at, str)


@pass_context
def _apart(context: Context, words: Sequence[str]) -> str:
    """A person's words as a quoted block; for staff they are unchanged."""
    return text_layout.apart(words, fields=context["to_staff"])


_FILTERS = {"rows": text_layout.rows, "apart": _apart, "asis": text_layout.asis}


def inlined(html: str, style: str) -> str:
    """The source of an HTML template with the style sheet inlined into its ``style`` attributes.

    A whole page also keeps the rules for dark mode and narrow screens. Placeholders stand for Jinja's tags meanwhile.
    """
    tags: list[str] = []

    def placeholder(tag: re.Match[str]) -> str:
        tags.append(tag[0])
        return f"J{len(tags) - 1}J"

    bare = _TAG.sub(placeholder, html)
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
    if "</head>" in bare:
        done = inliner.inline(bare.replace("</head>", f"<style>{style}</style></head>"))
    else:
        done = inliner.inline_fragment(bare, style)
    return _PLACEHOLDER.sub(lambda found: tags[int(found[1])], done)


def _sentences(folders: list[Path]) -> dict[str, Any]:
    """The sentences of the last folder, replaced one by one by those of earlier folders."""
    merged: dict[str, Any] = {}
    for folder in reversed(folders):
        if (folder / SENTENCES).is_file():
            merged = _replaced(merged, _parsed(folder / SENTENCES))
    return merged


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: not valid TOML: {error}"
        raise ValueError(msg) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as UTF-8 text: {error}"
        raise ValueError(msg) from error


def _replaced(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``more`` in place of its own, table by table."""
    both = {
        key: _replaced(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in more.items()
    }
    return {**base, **both}


def load_wording(language: str, overlay: Path | None = None) -> Wording:
    """The wording of a language, with an operator's replacements. ValueError, naming the key, if there is no such folder."""
    if overlay is None:
        return _shipped(language)
    if not (overlay / language).is_dir():
        msg = f"mailbot.templates: {str(overlay)!r} has no folder {language!r} with replacement files"
        raise ValueError(msg)
    return Wording([overlay / language, _folder(language)])


@cache
def _shipped(language: str) -> Wording:
    return Wording([_folder(language)])


def _folder(language: str) -> Path:
    package = Path(str(files("mailbot")))
    folders = (package / "templates" / language, package.parent / "templates" / language)
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None:
        msg = f"mailbot.language: there are no templates for language {language!r}"
        raise ValueError(msg)
    return found
