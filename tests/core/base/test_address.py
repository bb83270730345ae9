"""Mail addresses: plain ones, equal ones, patterns, lists."""

import pytest

from mailbot.core.base.address import (
    domain_of,
    fold_case,
    matches_pattern,
    plain_address,
    plain_addresses,
    same_address,
)


@pytest.mark.parametrize(
    "text", ["a@b.c", "First.Last+tag@Sub.Example.org", "a@localhost", "o'neil@x-y.example", "1@2.3"]
)
def test_a_plain_address_is_itself(text):
    assert plain_address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@b.c",
        "a@",
        "a@b@c",
        ".a@b.c",
        "a.@b.c",
        "a..b@b.c",
        '"a b"@c.d',
        "a b@c.d",
        " a@b.c",
        "a@b.c\n",
        "a@b.c\r\nBcc: x@y.z",
        "a@[192.0.2.1]",
        "a@-b.c",
        "a@b-.c",
        "a@b..c",
        "a@b.c.",
        "a@b_c.d",
        "ä@b.c",
        "a@bücher.example",
        "a\u200b@b.c",
        "=?utf-8?q?boss?=@b.c",
        "<a@b.c>",
        "a@b.c\0",
        "a" * 251 + "@b.c",
        "a@" + "b" * 64 + ".c",
    ],
)
def test_an_address_that_is_not_plain_gives_none(text):
    assert plain_address(text) is None


def test_addresses_are_equal_in_ascii_case_only():
    assert same_address("Boss@Example.ORG", "boss@example.org")
    assert fold_case("K") != fold_case("\u212a")  # the Kelvin sign, which Unicode folds to k
    assert not same_address("boss@example.org", "boss@example.orɡ")
    assert domain_of("a@B.c") == "b.c"
    assert domain_of("nobody") == ""


def test_a_pattern_matches_one_address_or_exactly_one_domain():
    assert matches_pattern("A@b.C", "a@B.c")
    assert matches_pattern("a@B.c", "@b.C")
    assert not matches_pattern("a@sub.b.c", "@b.c")
    assert not matches_pattern("a@xb.c", "@b.c")
    assert not matches_pattern("a@b.c", "@")
    assert not matches_pattern("a", "@")


def test_an_address_field_gives_its_plain_addresses_in_order():
    value = '"Doe, <x@y.z>" <a@b.c>, d@e.f (f@g.h, no), Group: i@j.k, L <m@n.o>;, ü@p.q, <<r@s.t>, "unclosed <u@v.w>'
    assert plain_addresses(value) == ("a@b.c", "d@e.f", "i@j.k", "m@n.o", "r@s.t")
    assert plain_addresses("") == ()
