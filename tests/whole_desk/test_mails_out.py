"""The words of the mails, each held once: ``tests/mails_out/KIND.txt`` and ``KIND.html`` show every kind as customers and staff read it.

- The first mail of a kind stands there whole; of the others only what none before says, ``[...]`` stands for the rest.
- What all mails have around their own words (marker line, foot, head of the page, styles) is in ``frame.txt`` and ``frame.html``.
- The mails come from ``letters`` (conversations with a whole desk) and ``variants`` (a sentence that depends on one fact).

``pytest tests/whole_desk/test_mails_out.py --update`` writes them anew; read the diff before you commit it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from jinja2.ext import Extension

from mailbot.wording import Wording, load_wording
from tests.support.composed import Made, visible
from tests.support.letters import letters
from tests.support.paths import ROOT, TESTS
from tests.support.variants import variants
from tests.whole_desk.test_whole_desk import BOB

#: One worker makes what these tests share.
pytestmark = pytest.mark.xdist_group("letters")

GOLDEN = TESTS / "mails_out"
TEMPLATES = ROOT / "templates" / "en"
ENGLISH = load_wording("en")
MARKER = f"{ENGLISH.marker}\n\n"
FOOT = "\n-- \n"
_STYLE = re.compile(r'class="([^"]*)" style="([^"]*)"')
_VARIES = re.compile(r"\b\d{1,2} [A-Z][a-z]+ 20\d\d|\b[A-Z0-9]{10,}\b|[\w.+-]+@[\w.-]+|\d[\d,.]*")


@pytest.fixture(scope="module")
def mails() -> list[tuple[str, Made]]:
    """(heading, mail) of everything that is shown, by kind in the order in which it is shown."""
    sent = [(f"{one.about} -> {one.to}", one.made) for one in letters() if one.to != BOB and one.made]
    return [*sent, *((f"{one.about} -> {one.send.to}", one.made) for one in variants())]


def inner(made: Made) -> str:
    """The text without the marker line and the foot."""
    head, foot, _ = made.text.rpartition(FOOT)
    assert foot
    return re.sub(r"\b[A-Z2-7]{26}\b", "KEY", head.strip("\n").removeprefix(MARKER)).strip("\n")


def page(made: Made) -> tuple[str, str, str]:
    """(head, own lines, foot) of the page, without styles, keys and its subject."""
    html = re.sub(r"\b[A-Z2-7]{26}\b", "KEY", _STYLE.sub(r'class="\1"', made.html))
    head, title, rest = html.partition('<h1 class="title">')
    own, foot, tail = rest.partition('<p class="foot">')
    assert title
    assert foot
    subject = re.search(r"<title>(.*)</title>", head)
    assert subject
    lines = "\n".join(line for line in own.partition("</h1>")[2].splitlines() if line.strip())
    head = head.replace(subject[1], "SUBJECT").replace(ENGLISH.marker, "MARKER")
    return re.sub(r'<div class="marker">MARKER</div>\s*', "", head), lines, foot + tail


def fresh(parts: Iterable[str], seen: set[str]) -> list[str]:
    """The parts that say something new, with ``[...]`` for those between them that do not."""
    shown: list[str] = []
    for part in parts:
        lines = {" ".join(_VARIES.sub("#", line).split()) for line in part.splitlines() if line.strip()}
        if not lines <= seen:
            shown.append(part)
            seen |= lines
        elif shown[-1:] != ["[...]"]:
            shown.append("[...]")
    return [] if shown == ["[...]"] else shown


def shown(found: list[tuple[str, Made]], part: str) -> str:
    """A file of ``mails_out``."""
    seen: set[str] = set()
    subjects: set[str] = set()
    blocks = []
    for about, made in found:
        parts = inner(made).split("\n\n") if part == "txt" else _of_page(made, first=not seen)
        new = fresh(parts, seen)
        subject = _VARIES.sub("#", made.subject)
        if new or (part == "txt" and subject not in subjects):
            subjects.add(subject)
            blocks.append(
                "\n\n".join([f"######## {about}: {made.subject}", *new])
                if part == "txt"
                else "\n".join([f"<!-- {about} -->", *new])
            )
    return "\n\n".join(blocks) + "\n"


def _of_page(made: Made, *, first: bool) -> list[str]:
    """The lines of a page; of any but the first only those that the text does not have."""
    lines = page(made)[1].splitlines()
    text = " ".join(made.text.split())
    return lines if first else [line for line in lines if (said := visible(line)) and said not in text]


def frames(found: list[tuple[str, Made]]) -> dict[str, str]:
    """What all mails have in common, once."""
    feet = sorted({made.text.rpartition(FOOT)[2] for _, made in found})
    heads = sorted({page(made)[0] for _, made in found})
    page_feet = sorted({page(made)[2] for _, made in found})
    styles: dict[str, str] = {}
    for _, made in found:
        for name, style in _STYLE.findall(made.html):
            assert styles.setdefault(name, style) == style
    assert (len(feet), len(heads), len(page_feet)) == (2, 1, 2)
    listed = [f".{name} {{ {style} }}" for name, style in sorted(styles.items())]
    return {
        "frame.txt": f"{MARKER}[where a reply is expected]\n" + "".join(f"{FOOT}{foot}" for foot in feet),
        "frame.html": "\n".join([*heads, "<!-- the mail -->", *page_feet, *listed]) + "\n",
    }


def files(found: list[tuple[str, Made]]) -> dict[str, str]:
    """Name -> text of all files of ``mails_out``."""
    by_kind = {kind: [one for one in found if one[1].kind == kind] for kind in ENGLISH.kinds}
    return {
        f"{kind}.{part}": shown(by_kind[kind], part) for kind in ENGLISH.kinds for part in ("txt", "html")
    } | frames(found)


def test_mails_read_as_they_are_kept(mails: list[tuple[str, Made]], request: pytest.FixtureRequest) -> None:
    made = files(mails)
    kept = {path.name: path.read_text("utf-8") for path in GOLDEN.iterdir()}
    if request.config.getoption("--update"):
        for name in kept.keys() - made.keys():
            (GOLDEN / name).unlink()
        for name, text in made.items():
            (GOLDEN / name).write_text(text, "utf-8")
        return
    assert kept.keys() == made.keys()
    for name, text in made.items():
        assert text == kept[name], name


def test_the_marker_stands_where_a_reply_is_expected(mails: list[tuple[str, Made]]) -> None:
    for _, made in mails:
        marked = made.text.strip().startswith(ENGLISH.marker)
        assert marked == (made.html.count(ENGLISH.marker) == 1) == bool(made.view.marker)


def leaves(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(dotted key, sentence)."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, str(value)


def says(pages: str, sentence: str) -> bool:
    """Whether the sentence stands in the pages, whatever it was filled with."""
    first, *others = (" ".join(piece.split()) for piece in re.split(r"\{\w+\}", sentence))
    whole = (
        re.compile(rf"\b{re.escape(first)}\b")
        if not others and re.fullmatch(r"\w.*\w", first)
        else re.compile(re.escape(first))
    )
    return first in pages and any(_follow(pages, found.end(), others) for found in whole.finditer(pages))


def _follow(pages: str, at: int, pieces: list[str]) -> bool:
    """Whether the pieces come one after the other, each within 400 characters."""
    for piece in pieces:
        found = pages.find(piece, at, at + 400 + len(piece))
        if found < 0:
            return False
        at = found + len(piece)
    return True


def test_every_sentence_is_shown() -> None:
    kept = [path.read_text("utf-8") for path in sorted(GOLDEN.iterdir())]
    pages = "\n".join(" ".join(text.split()) for text in kept) + "\n".join(visible(text) for text in kept)
    unseen = [key for key, said in leaves(ENGLISH.sentences) if not key.startswith("format.") and not says(pages, said)]
    assert unseen == []


class Marked(Extension):
    """Calls ``reached`` with the place of each branch of a template that is taken."""

    places: set[str]

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        del filename

        def marked(tag: re.Match[str]) -> str:
            place = f"{name}:{source.count(chr(10), 0, tag.start()) + 1}: {tag[0]}"
            self.environment.globals["places"].add(place)
            return f"{tag[0]}{{{{ reached({place!r}) }}}}"

        return re.sub(r"\{% (?:if|elif|else|for)\b[^%]*%\}", marked, source)


def test_every_branch_of_a_template_is_taken(mails: list[tuple[str, Made]]) -> None:
    places: set[str] = set()
    taken: set[str] = set()
    wording = Wording([TEMPLATES])
    for environment in (wording._text, wording._html):
        environment.add_extension(Marked)
        environment.globals |= {"places": places, "reached": lambda place: taken.add(place) or ""}
    for _, made in mails:
        wording.render(made.draft)
    assert len(places) > 100
    assert "\n".join(sorted(places - taken)) == ""
