"""Style sheets applied to the elements that they match: css-inline does the selectors and the cascade.

A sheet is reduced to the properties of ``html.declarations`` and to the rules that apply where a mail is read. If that is
unknown (another width, a selector of limited support, a linked sheet), what the rule hides is doubtful.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import css_inline

from mailbot.core.mail.html.declarations import parse_declarations
from mailbot.core.mail.html.tokenizer import OverCap, SimplePage
from mailbot.core.mail.html.visibility import hides

_MAX_CHARACTERS = 200_000
_MAX_WORK = 10_000_000  # elements matched, summed over all selectors: about 0.3 s
_MAX_WRITTEN = 5_000_000  # characters of style on all elements together
_TOKEN = re.compile(r"""/\*.*?(?:\*/|\Z)|\\.|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[^{};"'\\/]+|.""", re.S)
_PIECE = re.compile(r"""\\.|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[\s>+~]+|[^\s>+~(),"'\\]+|.""", re.S)
_COUNTING = re.compile(r"nth-[a-z-]{1,20}\([^()]{0,40}\)")
_MOMENT = re.compile(r":(?:hover|active|focus|visited|target)")
_PSEUDO = re.compile(r"::?[a-zA-Z-]{1,40}(?:\([^()]{0,300}\))?")
_WIDTH = re.compile(r"\((min|max)-(?:device-)?width\s?:\s?(\d{1,5})(?:\.\d{1,5})?(px|em|rem)\)")
_WINDOW_WIDTH = 800  # pixels; rules for windows of this width apply


@dataclass(frozen=True)
class _Rule:
    """``selector`` gets ``style``; ``sure``: in every mail program."""

    selector: str
    style: str
    sure: bool

    @cached_property
    def matched(self) -> str:
        """The rule as CSS; one that is not sure hides everything that it may match."""
        if self.sure:
            return f"{self.selector}{{{self.style}}}"
        wider = _PSEUDO.sub("", self.selector).strip()
        return f"{'*' if not wider or '(' in wider else wider}{{display:none!important}}"

    def work(self, page: SimplePage) -> int:
        """An upper bound of the elements matched; a step to an ancestor or sibling counts as a quarter."""
        if self.selector == "*":
            return page.tags
        selector = _COUNTING.sub("nth", self.selector)
        pieces = _PIECE.findall(selector)
        steps = [piece for piece in pieces if piece[0] in " >+~"]
        nested = bool(steps) and ("(" in pieces or ":has" in selector)
        siblings = sum("~" in step for step in steps)
        each = page.tags + (len(steps) + selector.count(":has(")) * page.depths // 4 + siblings * page.tags**2 // 4
        return (1 + len(selector) // 32) * each * (100 if nested else 1)


@dataclass(frozen=True)
class StyledPage:
    """``html`` with the rules in the style attributes; ``doubtful``: some rules may apply or not."""

    html: str
    doubtful: bool = False


def apply_sheets(page: SimplePage, strict: bool) -> StyledPage:
    """The page with its sheets applied; ``strict``: what may be hidden is hidden. Raises OverCap."""
    if not page.sheets:
        return StyledPage(page.html)
    if sum(map(len, page.sheets)) > _MAX_CHARACTERS:
        raise OverCap(f"more than {_MAX_CHARACTERS} characters of style sheets")
    rules = list(dict.fromkeys(rule for sheet in page.sheets for rule in _rules(sheet)))
    applied = [rule for rule in rules if rule.sure or strict]
    if not applied:
        return StyledPage(page.html, bool(rules))
    longest: dict[str, int] = {}
    for rule in applied:
        for line in rule.style.split(";"):
            key = line.partition(":")[0]
            longest[key] = max(longest.get(key, 0), len(line))
    if sum(rule.work(page) for rule in applied) > _MAX_WORK or page.tags * sum(longest.values()) > _MAX_WRITTEN:
        raise OverCap("more style sheets than can be matched with its tags")
    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False, extra_css="\n".join(rule.matched for rule in applied)
    )
    return StyledPage(inliner.inline(page.html), any(not rule.sure for rule in rules))


@dataclass
class _Block:
    """An open block: its selectors ("": none yet; None: the block does not apply) and its declarations."""

    selectors: str | None
    sure: bool
    lines: list[str]


def _rules(sheet: str) -> Iterator[_Rule]:
    """The rules of a sheet that bear on visibility, innermost first; open blocks end with the sheet."""
    open_blocks = [_Block("", True, [])]
    said: list[str] = []
    for piece in _TOKEN.findall(sheet):
        if piece == "{":
            open_blocks.append(_within(open_blocks[-1], "".join(said).strip()))
        elif piece in ("}", ";"):
            block = open_blocks[-1]
            block.lines.append("".join(said))
            if piece == "}" and len(open_blocks) > 1:
                yield from _rules_of(open_blocks.pop())
            elif len(open_blocks) == 1 and block.lines.pop().strip().lower().startswith("@import"):
                yield _Rule("*", "", False)
        else:
            said += [piece] if not piece.startswith("/*") else []
            continue
        said = []
    open_blocks[-1].lines.append("".join(said))
    for block in reversed(open_blocks[1:]):
        yield from _rules_of(block)


def _within(outer: _Block, prelude: str) -> _Block:
    """The block that ``prelude`` opens inside ``outer``."""
    if outer.selectors is None:
        return _Block(None, False, [])
    if not prelude.startswith("@"):
        selectors = prelude.replace("<!--", "").replace("-->", "").strip()
        if outer.selectors:
            return _Block(selectors.replace("&", "").lstrip(" \t\n>+~") or "*", False, [])
        return _Block(selectors, outer.sure, [])
    word, _, condition = " ".join(prelude.lower().replace("(", " (", 1).split()).partition(" ")
    if word == "@media":
        applies = _applies(condition)
        return _Block(None if applies is False else outer.selectors, outer.sure and applies is True, [])
    if word in ("@layer", "@supports"):
        return _Block(outer.selectors, outer.sure and not condition.startswith("not"), [])
    return _Block(outer.selectors if word in ("@container", "@scope", "@starting-style") else None, False, [])


def _rules_of(block: _Block) -> Iterator[_Rule]:
    style = ";".join(f"{key}:{value}" for key, value in parse_declarations(";".join(block.lines)).items())
    if not block.selectors or not style:
        return
    hiding = hides(style)
    for selector in _split(block.selectors):
        if block.sure:
            yield _Rule(selector, style, True)
        if hiding and (not block.sure or ":" in selector) and not _MOMENT.search(selector):
            yield _Rule(selector, "", False)


def _split(selectors: str) -> list[str]:
    """The selectors of a list, each on one line."""
    one: list[str] = []
    found, depth = [], 0
    for piece in _PIECE.findall(selectors):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth <= 0:
            found.append("".join(one).strip())
            one = []
        else:
            one.append(piece if piece.strip() else " ")
    return [selector for selector in [*found, "".join(one).strip()] if selector]


def _applies(condition: str) -> bool | None:
    """Whether a media query applies to a mail read on a screen; None if that depends on the mail program."""
    answers = [_applies_one(query.strip()) for query in condition.split(",")]
    return True if True in answers else None if None in answers else False


def _applies_one(query: str) -> bool | None:
    medium, *features = query.removeprefix("only ").split(" and ")
    if medium.startswith("("):
        medium, features = "all", [medium, *features]
    if medium not in ("all", "screen", ""):
        return None if medium.startswith("not") else False
    for feature in features:
        width = _WIDTH.fullmatch(feature.strip())
        pixels = int(width[2]) * (1 if width[3] == "px" else 16) if width else 0
        if not width or (pixels > _WINDOW_WIDTH if width[1] == "min" else pixels < _WINDOW_WIDTH):
            return None
    return True
