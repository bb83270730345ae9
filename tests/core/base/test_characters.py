"""The policy of characters: each code point has one class, and no text that is shown or sent has a hidden one."""

import ast
import os
import re
import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.base.characters import (
    INVISIBLE,
    SELECTING,
    SEPARATING,
    STEERING,
    escaped,
    multi_line,
    single_line,
    without_invisible,
)
from tests.support.paths import TESTS

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
HIDDEN = STEERING | INVISIBLE
LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
texts = st.text(st.characters() | st.sampled_from(sorted(HIDDEN | SEPARATING | SELECTING)) | st.sampled_from("=?a1#é"))
quick = settings(max_examples=300, deadline=None, database=None)


def test_every_code_point_has_one_class():
    sets = (STEERING, INVISIBLE, SEPARATING, SELECTING)
    classes = Counter(char for one in sets for char in one)
    assert set(classes.values()) == {1}
    assert set().union(*sets) <= set(EVERY)


def test_the_classes_cover_what_unicode_calls_controls_formats_and_separators():
    shaped = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
    hidden = {char for char in EVERY if unicodedata.category(char) in ("Cc", "Cf", "Cs")} - shaped
    assert hidden - SEPARATING <= HIDDEN
    assert {char for char in EVERY if char.isspace()} == SEPARATING - {"\u2800"}
    assert not {char for char in HIDDEN if unicodedata.category(char)[0] in "PSNZ"}


def test_every_character_as_each_function_shows_it():
    special = sorted(HIDDEN | SELECTING | SEPARATING)
    for char in EVERY if os.environ.get("THOROUGH") else [*special, *EVERY[::23]]:
        inside = f"é{char}b"
        if char in HIDDEN:
            alone, one, several = "", "éb", "éb"
        elif char in SELECTING:
            alone, one, several = "", inside, inside
        elif char in SEPARATING:
            alone, one = "", "é b"
            several = "é\nb" if char in LINE_ENDS else inside if char == "\t" else "é b"
        else:
            alone, one, several = char, inside, inside
        read = "éb" if char in INVISIBLE else inside
        assert single_line(char) == alone, ascii(char)
        assert (single_line(inside), multi_line(inside), without_invisible(inside)) == (one, several, read), ascii(char)
        kept = escaped(inside, lambda found: f"<{ord(found):x}>")
        unsafe = char in HIDDEN or char in "\x85\u2028\u2029"
        assert kept == (f"é<{ord(char):x}>b" if unsafe else inside), ascii(char)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\r\nBcc: evil@x.y", "a Bcc: evil@x.y"),
        ("a\u2028b\u2029c\x85d\x0be\tf", "a b c d e f"),
        ("\x1b[31mred\x07\x9b", "[31mred"),
        ("\u202egpj.exe\u2066\u200b\ufeff", "gpj.exe"),
        ("=?utf-8?q?a=0ABcc:_x?=", "= ?utf-8?q?a=0ABcc:_x?="),
        ("=\u200b?x", "= ?x"),
        ("=\ufe0f?x", "= ?x"),
        ("  a   b  ", "a b"),
        ("half \ud800 pair", "half pair"),
        ("Grüße 🛒", "Grüße 🛒"),
        ("\u2800\u3164", ""),
        ("1\ufe0f\u20e3 \u2764\ufe0f 葛\U000e0100城", "1\ufe0f\u20e3 \u2764\ufe0f 葛\U000e0100城"),
        ("a\ufe0fb \ufe0f é\ufe0f\ufe0e\ufe0f \U000e0100", "ab é\ufe0f"),
    ],
)
def test_single_line_is_safe_in_a_header(text: str, shown: str):
    assert single_line(text) == shown


def test_multi_line_keeps_line_ends_and_tabs():
    assert multi_line("a\r\nb\rc\u2028d\n\n\te\x1b[2J\u202e\u200b\xa0f\0") == "a\nb\nc\nd\n\n\te[2J f"
    assert multi_line("a\r\nb\tc\x1f\x7f") == "a\nb\tc "


def test_the_limit_counts_characters():
    assert single_line("x" * 1000) == "x" * 150
    assert single_line("ab " * 10, limit=6) == "ab ab"
    assert multi_line("x\n" * 1000, 5) == "x\nx\nx"


def assert_nothing_hidden(text: str) -> None:
    """Nothing in ``text`` is hidden, and each variation selector has something to select."""
    assert not HIDDEN & set(text)
    for before, char in zip(" " + text, text, strict=False):
        assert char not in SELECTING or before in "#*0123456789" or not before.isascii()
        assert char not in SELECTING or before not in SELECTING
    text.encode()


@quick
@given(texts, st.integers(1, 50))
def test_single_line_of_any_text_hides_nothing(text: str, limit: int):
    shown = single_line(text, limit)
    assert_nothing_hidden(shown)
    assert len(shown) <= limit
    assert "=?" not in shown
    assert not (SEPARATING - {" "}) & set(shown)
    assert single_line(shown, limit) == shown


@quick
@given(texts)
def test_multi_line_of_any_text_hides_nothing(text: str):
    shown = multi_line(text)
    assert_nothing_hidden(shown)
    assert not (SEPARATING - {" ", "\t", "\n"}) & set(shown)
    assert multi_line(shown) == shown


def test_no_other_module_has_a_table_of_hidden_characters():
    """``log_line`` names the byte order mark, which programs write between two parts of a log."""
    mailbot = TESTS.parent / "mailbot"
    bidirectional = {char for char in STEERING if unicodedata.category(char) != "Cc"}
    for path in sorted(mailbot.rglob("*.py")):
        name = path.relative_to(mailbot).as_posix()
        if name in ("core/base/characters.py", "core/logs/log_line.py"):
            continue
        constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        for text in (value for value in constants if isinstance(value, str)):
            meant = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
            hidden = (INVISIBLE | bidirectional) & set(meant)
            assert not hidden, (name, text)
