"""The catalogue: the shipped one is what the contract says, and every fault of another one is told at once."""

from dataclasses import FrozenInstanceError
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from mailbot.core.catalogue.contents import Catalogue, parse_catalogue
from tests.support.paths import ROOT, TESTS

CATALOGUES = TESTS / "catalogues"
BAD = sorted(CATALOGUES.glob("*.toml"))
SHIPPED = (ROOT / "mailbot" / "xcally.toml").read_text(encoding="utf-8")


def read(text: str = SHIPPED) -> Catalogue:
    found = parse_catalogue(text)
    assert isinstance(found, Catalogue), found
    return found


def changed(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new)


def faults(old: str, new: str) -> tuple[str, ...]:
    found = parse_catalogue(changed(old, new))
    assert isinstance(found, tuple)
    return found


# The shipped catalogue


def test_the_plans() -> None:
    plans = read().plans
    assert {key: plan.rank for key, plan in plans.items()} == {"voice": 1, "digital": 1, "voice_digital": 2}
    assert plans["voice_digital"].channels == {"voice", "digital"}
    assert plans["voice"].key == "voice"


def test_the_seats() -> None:
    seats = read().seats
    assert {key: (seat.minimum, seat.automatic_max) for key, seat in seats.items()} == {
        "agents": (5, 100),
        "users": (0, 50),
        "telephones": (0, 100),
        "mobile_agents": (0, 50),
    }
    assert [alias.lower() for alias in seats["telephones"].aliases] == ["pbx extensions"]


def test_the_addons_and_what_they_require() -> None:
    addons = read().addons
    assert {key: addon.requires for key, addon in addons.items()} == {
        "realtime_translator": (),
        "quality_analysis": (),
        "ai_assistants": (),
        "ai_agent_assistants": ("ai_assistants",),
    }
    assert [key for key, addon in addons.items() if addon.ai] == ["ai_assistants", "ai_agent_assistants"]


def test_the_plugins_and_the_one_that_is_not_asked_for() -> None:
    catalogue = read()
    asked = [plugin.key for plugin in catalogue.askable_plugins()]
    assert asked == ["data_retention", "botify", "queue_manager", "schedulease"]
    translator = frozenset({"realtime_translator"})
    assert catalogue.implied_plugins("voice", translator) == {"live_call_translator"}
    assert catalogue.implied_plugins("voice_digital", translator) == {"live_call_translator"}
    assert catalogue.implied_plugins("digital", translator) == frozenset()
    assert catalogue.implied_plugins("voice", frozenset({"quality_analysis"})) == frozenset()
    assert catalogue.implied_plugins(None, translator) == frozenset()


def test_support_and_billing() -> None:
    catalogue = read()
    assert catalogue.support["silver"].rank < catalogue.support["platinum"].rank
    assert list(catalogue.billing) == ["monthly", "annual"]


def test_the_demo() -> None:
    demo = read().demo
    assert (demo.days, demo.plan, demo.warn_days) == (30, "voice_digital", (7, 1))
    assert demo.seats == {"agents": 3, "telephones": 1, "mobile_agents": 1}
    assert demo.addons == tuple(read().addons)


def test_the_reasons() -> None:
    assert {kind: list(reasons) for kind, reasons in read().reasons.items()} == {
        "add": ["more_agents", "new_channel", "new_feature", "seasonal_peak"],
        "remove": ["fewer_agents", "feature_unused", "end_of_peak", "cost"],
        "deactivate": ["project_ended", "server_replaced", "other_product", "cost"],
        "reactivate": ["expired", "token_change", "other"],
    }


def test_the_split_of_a_new_plan() -> None:
    catalogue = read()
    assert catalogue.automatic == ("admin", "plan", "seats", "webrtc", "phonebar", "addons", "plugins")
    assert catalogue.by_staff == ("support", "billing", "whitelabel")


def test_no_prices_are_shipped() -> None:
    assert (read().prices, read().currency) == ({}, None)


def test_the_texts_that_customers_need() -> None:
    catalogue = read()
    assert "Settings -> License" in catalogue.token_help
    assert "billed by usage" in catalogue.ai_note
    assert catalogue.agreement_version
    assert catalogue.account_reference


# Its version


def test_the_version_names_the_exact_text() -> None:
    assert read().version == f"2026.1+{sha256(SHIPPED.encode()).hexdigest()[:8]}"
    assert read(SHIPPED + "\n").version != read().version


def test_a_catalogue_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        read().version = "2"  # type: ignore[misc]


# Prices


def test_the_commented_prices_are_an_example_that_works() -> None:
    start = SHIPPED.index("# [prices]")
    priced = SHIPPED[:start].replace("# currency", "currency") + SHIPPED[start:].replace("# ", "")
    assert read(priced).prices["agents"] == Decimal("40.00")
    assert read(priced).currency == "EUR"


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ('[prices]\nagents = "1"', "currency: missing, required with prices, such as 'EUR'"),
        ("[prices]\nagents = nan", "prices.agents: read nan, must be a number"),
        (
            '[prices]\n"addon:botify" = 1',
            "prices: read 'addon:botify', must be one that exists, did you mean 'plugin:botify'?",
        ),
    ],
)
def test_prices_are_checked(prices: str, expected: str) -> None:
    found = parse_catalogue(f"{SHIPPED}\n{prices}\n")
    assert isinstance(found, tuple)
    assert expected in found


# Files that are wrong


@pytest.mark.parametrize("bad", BAD, ids=lambda path: path.stem)
def test_every_fault_of_a_bad_file_is_listed(bad: Path, request: pytest.FixtureRequest) -> None:
    found = parse_catalogue(bad.read_text(encoding="utf-8"))
    assert isinstance(found, tuple)
    told = "".join(f"{fault}\n" for fault in found)
    expected = bad.with_suffix(".expected-error")
    if request.config.getoption("--update", False):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def test_an_empty_file_misses_everything() -> None:
    found = parse_catalogue("")
    assert isinstance(found, tuple)
    for key in ("version", "plans", "seats", "demo", "links", "reasons", "products"):
        assert f"{key}: missing" in found


def test_a_syntax_error_is_told_with_its_line() -> None:
    found = parse_catalogue("version = 1\nplans = 1 2\n")
    assert isinstance(found, tuple)
    assert [fault.startswith("not valid TOML: ") and "at line 2" in fault for fault in found] == [True]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'by_staff = ["support", ',
            "by_staff = [",
            ["automatic, by_staff: support is missing, must be in exactly one of them"],
        ),
        (
            '"plugins"]',
            '"plugins", "billing"]',
            ["automatic, by_staff: billing is twice, must be in exactly one of them"],
        ),
        (
            "minimum = 5\n",
            "minimum = 101\n",
            ["seats.agents.automatic_max: read 100, must be at least the minimum, 101"],
        ),
        ("minimum = 5\n", "minimum = -5\n", ["seats.agents.minimum: read -5, must be at least 0"]),
        ("minimum = 5\n", "minimum = true\n", ["seats.agents.minimum: read true, must be a whole number"]),
        (
            '"ai_assistants"]\nai',
            '"ai_agent_assistants"]\nai',
            ["addons.ai_agent_assistants.requires: leads back to ai_agent_assistants, must not be circular"],
        ),
        (
            '"ai_assistants", "ai_agent_assistants"]',
            '"ai_agent_assistants"]',
            ["demo.addons: has ai_agent_assistants, so it must also have ai_assistants"],
        ),
        (
            'implied_on = "voice"',
            'implied_on = "fax"',
            ["plugins.live_call_translator.implied_on: read 'fax', must be one that exists"],
        ),
        (
            'implied_on = "voice"\n',
            "",
            ["plugins.live_call_translator: has only one of implied_by and implied_on, must have both or neither"],
        ),
        ("[seats.users]", "[seats.user]", ["seats.users: missing", "seats.user: unknown key, did you mean 'users'?"]),
        ("[billing.annual]", "[billing.yearly]", ["billing.annual: missing", "billing.yearly: unknown key"]),
        (
            '"https://docs.xcally.com/plans"',
            '"javascript:alert(1)"',
            ["links.plans: read 'javascript:alert(1)', must be an address that begins with https:// or http://"],
        ),
        ("[plans.digital]", '[plans."digital;x"]', ["plans.digital;x: a key must be of the letters a-z, digits and _"]),
        ('label = "Digital"', 'label = "VOICE"', ["plans: voice and digital have the same label 'Voice', must differ"]),
        (
            "warn_days = [7, 1]",
            "warn_days = [30]",
            ["demo.warn_days: read 30, must be from 1 to 29, days before the end of the demo"],
        ),
    ],
)
def test_each_fault_has_its_sentence(old: str, new: str, expected: list[str]) -> None:
    assert faults(old, new) == tuple(expected)


@pytest.mark.parametrize(
    "name", ["plans", "seats", "addons", "plugins", "demo", "links", "reasons", "prices", "products"]
)
@pytest.mark.parametrize("value", ["7", "'text'", "[]", "[1]", "{ x = 1 }", "{ x = [] }", "2026-01-01"])
def test_anything_in_the_place_of_a_table_is_a_fault_and_no_accident(name: str, value: str) -> None:
    assert isinstance(parse_catalogue(f"{name} = {value}"), tuple)
