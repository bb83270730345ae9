"""Reply keys are found wherever mail systems bring them back, and nowhere else."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.inbound.reply_keys import (
    KEY_PATTERN,
    find_key,
    key_digest,
    keys_in,
    make_key,
    message_id,
    reply_address,
    subject_tag,
)

DESK = "desk@vendor.example"
KEY_1 = make_key(bytes(range(17)))
KEY_2 = make_key(bytes(range(100, 117)))
ADDRESS = reply_address(DESK, "LIC-12", KEY_1, True)
TAG = subject_tag("LIC-12", KEY_1, False)
ID = message_id("LIC-12", KEY_1, bytes(20), "vendor.example")


def found(to=(DESK,), subject="", in_reply_to=None, references=()):
    return find_key(to, subject, in_reply_to, references, DESK, "LIC")


def test_key_is_26_characters_of_base32() -> None:
    assert re.fullmatch("[A-Z2-7]{26}", KEY_1)
    assert KEY_1 != KEY_2


def test_key_needs_17_random_bytes() -> None:
    with pytest.raises(ValueError, match="17"):
        make_key(bytes(16))


def test_digest_is_the_same_for_any_case() -> None:
    assert key_digest(KEY_1) == key_digest(KEY_1.lower()) == hashlib.sha256(KEY_1.encode()).hexdigest()


def test_key_travels_in_address_tag_and_message_id() -> None:
    assert f"desk+lic-12.{KEY_1}@vendor.example" == ADDRESS
    assert reply_address(DESK, "LIC-12", KEY_1, False) == DESK
    assert subject_tag("LIC-12", KEY_1, True) == subject_tag("LIC-12", None, False) == "[LIC-12]"
    assert f"[LIC-12.{KEY_1}]" == TAG
    assert f"<LIC-12.{KEY_1}@vendor.example>" == ID


def test_mail_without_a_key_has_a_random_message_id() -> None:
    first, second = (message_id("LIC-12", None, bytes([n] * 20), "v.example") for n in (1, 2))
    assert first != second
    assert "LIC" not in first


@pytest.mark.parametrize("case", [str, str.lower, str.upper])
@pytest.mark.parametrize(
    "where", [{"to": (ADDRESS,)}, {"subject": f"Re: {TAG} x"}, {"in_reply_to": ID}], ids=["address", "tag", "id"]
)
def test_key_is_found_by_address_tag_or_message_id_in_any_case(where, case) -> None:
    where = {name: tuple(map(case, value)) if name == "to" else case(value) for name, value in where.items()}
    result = found(**where)
    assert (result.key, result.ref, result.disagree) == (KEY_1, "LIC-12", False)


def test_key_without_a_ticket_is_found() -> None:
    assert found(to=(reply_address(DESK, "", KEY_1, True),)).key == KEY_1
    assert found(in_reply_to=message_id(None, KEY_1, bytes(20), "vendor.example")).key == KEY_1


def test_equal_keys_in_several_places_count_once() -> None:
    assert found(to=(ADDRESS, "boss@vendor.example", ADDRESS), subject=TAG, in_reply_to=ID).key == KEY_1


@pytest.mark.parametrize(
    "where",
    [
        {"to": (ADDRESS,), "in_reply_to": message_id("LIC-12", KEY_2, b"", "vendor.example")},
        {"to": (ADDRESS,), "in_reply_to": message_id("LIC-13", KEY_1, b"", "vendor.example")},
        {"to": (ADDRESS, reply_address(DESK, "LIC-12", KEY_2, True))},
        {"to": (ADDRESS, reply_address(DESK, "LIC-13", KEY_1, True))},
        {"to": (ADDRESS,), "subject": subject_tag("LIC-12", KEY_2, False)},
        {"subject": TAG, "in_reply_to": message_id("LIC-12", KEY_2, b"", "vendor.example")},
    ],
)
def test_different_keys_in_two_places_count_as_none(where) -> None:
    result = found(**where)
    assert (result.key, result.ref, result.disagree) == (None, None, True)


@pytest.mark.parametrize(
    "where",
    [
        {"references": (ID,)},
        {"to": (f"other+lic-12.{KEY_1}@vendor.example",)},
        {"to": (f"desk+lic-12.{KEY_1}@evil.example",)},
        {"to": (f"desk+lic-12.{KEY_1}x@vendor.example",)},
        {"to": (f"desk+lic-12.{KEY_1[:-1]}@vendor.example",)},
        {"to": (f"desk+lic-12.{KEY_1[:-1]}1@vendor.example",)},
        {"to": (f"desk+lic-12.{KEY_1[:-1]}\u212a@vendor.example",)},  # the Kelvin sign, whose small letter is a k
        {"to": (f"des\u212a+lic-12.{KEY_1}@vendor.example",)},
        {"to": (f"desk+{KEY_1}@vendor.example",)},
        {"subject": f"LIC-12.{KEY_1}"},
        {"subject": f"[OTHER-12.{KEY_1}]"},
        {"in_reply_to": f"<LIC-12.{KEY_1}@evil.example>"},
        {"in_reply_to": f"<{KEY_1}@vendor.example>"},
    ],
)
def test_similar_text_is_no_key(where) -> None:
    result = found(**where)
    assert (result.key, result.ref, result.disagree) == (None, None, False)


def test_reference_without_a_key_is_only_mentioned() -> None:
    older = message_id("LIC-9", KEY_2, b"", "vendor.example")
    result = found(("desk+lic-7@vendor.example",), "Re: [lic-8] x", None, (older,))
    assert result.key is None
    assert result.refs_mentioned == ("LIC-7", "LIC-8", "LIC-9")


def test_prefix_is_no_regular_expression() -> None:
    assert find_key((), "[LIC-1] [L.C-2]", None, (), DESK, "L.C").refs_mentioned == ("L.C-2",)


def test_keys_in_a_text_are_found_as_written() -> None:
    small = KEY_1.lower()
    assert keys_in(f"see desk+lic-12.{small}@vendor.example, ({KEY_2})\nand {KEY_2}") == [small, KEY_2]
    assert keys_in(f"mailto:desk%2Blic-12%2E{KEY_1}%40vendor.example") == [KEY_1]
    assert keys_in(f"x{KEY_1} {KEY_1}9 {KEY_1[:-1]}") == []


@given(st.binary(min_size=17, max_size=40), st.text(max_size=30))
def test_any_key_is_found_in_any_text_around_it(random: bytes, around: str) -> None:
    key = make_key(random)
    assert KEY_PATTERN.fullmatch(key)
    assert key in keys_in(f"{around} {key} {around}")


@given(st.lists(st.text()), st.text(), st.none() | st.text(), st.lists(st.text()))
def test_searching_any_headers_never_raises(
    to: list[str], subject: str, answered: str | None, older: list[str]
) -> None:
    assert found(to, subject, answered, older).key is None
