"""Which form a mail means: the seed's titles, headings and labels, and lines that contradict each other."""

import pytest

from mailbot.core.form.corrections import merge_correction
from mailbot.core.form.fields import FORMS, field_of
from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import action_of, request_of
from mailbot.core.inbound.intake import FormCommand, HelpCommand, read_command
from mailbot.core.mail.message import parse
from tests.core.form.test_values import PLAN, WHO, checked
from tests.support.desk import catalogue


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        # each heading and title of the seed that names a form
        ("Activate a new license or request a 30 days free demo", ("activate", None)),
        ("Modify your license to update items or add-ons", ("modify", None)),
        ("Request contract change to modify plan, billing frequency and other options", ("contract", None)),
        ("Re-activate your license in case of grace period", ("reactivate", None)),
        ("Request general information", ("information", None)),
        ("Activate a New License", ("activate", None)),
        ("Activate a new license", ("activate", None)),
        ("Free 30 days demo", ("activate", "demo")),
        ("New license plan", ("activate", "plan")),
        ("Modify Existing License", ("modify", None)),
        ("Modify your License", ("modify", None)),
        ("Modify License - Add New Items", ("modify", "add")),
        ("Modify License - Remove Items", ("modify", "remove")),
        ("Modify License - Deactivation", ("modify", "deactivate")),
        ("Request Contract Change", ("contract", None)),
        ("Grace Period / Re-activate License", ("reactivate", None)),
        ("Grace Period/Re-activate License", ("reactivate", None)),
        ("Expired License (trial mode)", ("reactivate", "expired")),
        ("Shuttle", ("shuttle", None)),
        ("modify the Shuttle license", ("shuttle", "modify")),
        ("transfer the Shuttle license to a new XCALLY Motion setup", ("shuttle", "transfer")),
        # and what people write
        ("demo", ("activate", "demo")),
        ("free demo", ("activate", "demo")),
        ("30-day free demo", ("activate", "demo")),
        ("new licence plan", ("activate", "plan")),
        ("new license", ("activate", None)),
        ("Re: Fwd: AW: Modify your licence – add", ("modify", "add")),
        ("Modify", ("modify", None)),
        ("modify/upgrade", ("modify", "add")),
        ("modify - downgrade", ("modify", "remove")),
        ("reactivate/token-change", ("reactivate", "token_change")),
        ("reactivate token change", ("reactivate", "token_change")),
        ("reactivate/token_change", ("reactivate", "token_change")),
        ("Grace period: expired", ("reactivate", "expired")),
        ("activate/plan", ("activate", "plan")),
        ("shuttle transfer", ("shuttle", "transfer")),
        ("modify/explode", None),
        ("modify add remove", None),
        ("democracy", None),
        ("shuttles to the airport", None),
        ("activated", None),
        ("other", None),
        ("", None),
    ],
)
def test_title_names_its_request(title: str, kind: tuple[str, str | None] | None) -> None:
    assert request_of(title) == kind


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_key_and_title_of_each_form_name_it(kind: tuple[str, str | None]) -> None:
    form = FORMS[kind]
    assert request_of(form.title) in (kind, (kind[0], None))
    assert request_of("/".join(part for part in kind if part)) == kind


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("License token", "token"), ("Customer Name/Reference", "customer_name"), ("Customer name/Reference", "customer_name"),
        ("Customer Email address", "customer_email"), ("Are you requesting a 30 days free demo?", "demo"),
        ("Are you requesting a 30-day free demo?", "demo"), ("30-days free demo", "demo"), ("Accept the conditions and the License Agreement", "accept"),
        ("Accept license agreement", "accept"), ("I Agree", "accept"), ("XCALLY Plan", "plan"), ("Select the XCALLY Plan", "plan"),
        ("Select the plan", "plan"), ("license plan", "plan"), ("Define the number of agents", "agents"), ("number of agents", "agents"),
        ("agent licenses", "agents"), ("concurrent agents", "agents"), ("number of additional users", "users"), ("number of telephones", "telephones"),
        ("pbx extensions", "telephones"), ("mobile agents", "mobile_agents"), ("Set the billing frequency", "billing"), ("billing frequency", "billing"),
        ("Whitelabel/Customization option", "whitelabel"), ("Whitelabel", "whitelabel"), ("Customization", "whitelabel"), ("white label", "whitelabel"),
        ("white label activation", "whitelabel"), ("Set the support package", "support"), ("Support plan", "support"), ("Select Add-ons", "addons"),
        ("Add‑ons", "addons"), ("Select Plugins", "plugins"), ("Action Request", "action"), ("Select the reason of the upgrade", "reason"),
        ("upgrade reason", "reason"), ("Select the reason of the remove request", "reason"), ("Select the reason of cancellation", "reason"),
        ("deactivation reason", "reason"), ("Grace period reason", "reason"), ("Select the grace period reason", "reason"),
        ("Insert the Customer name/Reference", "customer_name"), ("old token", "old_token"), ("upload the log file", "log"),
        ("additional comments", "comments"), ("provide additional comments", "comments"),
    ],
)  # fmt: skip
def test_label_of_the_seed_is_understood(label: str, key: str) -> None:
    assert field_of(label) == key
    for line in (f"{label}: x", f"  > * **{label.upper()}** :x", f"{label}\tx", f"3. {label}: x"):
        assert dict(read_fields(line).values) == {key: "x"} or key == "log", line


@pytest.mark.parametrize(
    ("word", "action"),
    [("Add", "add"), ("Update", "add"), ("Update/Upgrade", "add"), ("upgrade", "add"), ("Downgrade", "remove"), ("Remove", "remove"),
     ("Deactivate", "deactivate"), ("Update your license", "add"), ("Deactivation", "deactivate"), ("add/remove", None), ("explode", None), ("add 3 agents", None)],
)  # fmt: skip
def test_action_is_read(word: str, action: str | None) -> None:
    assert action_of(word) == action


@pytest.mark.parametrize(
    ("text", "subject", "problem"),
    [
        (f"Request: modify/add\n{WHO}Action: remove\nReason: cost\nUsers: 2\n", "", ("action", "modify/add / remove")),
        (f"Request: contract\n{WHO}Plan: Voice\n", "Modify your license", ("request", "contract / Modify your license")),
        (f"Request: modify/remove\n{WHO}Reason: cost\nUsers: 2\n", "Modify License - Add New Items", ("request", "modify/remove / Modify License - Add New Items")),
        (f"Request: contract\n{WHO}Action: remove\nPlan: Voice\n", "", ("request", "contract / Action: remove")),
        (f"{WHO}demo: no\n", "Free 30 days demo", ("demo", "activate/demo / no")),
        (f"Request: activate/plan\n{WHO}demo: yes\n", "", ("demo", "activate/plan / yes")),
        ("Request: reactivate/expired\nCustomer name: Acme\nOld token: A1B2C3D4E5F6\nReason: token change\n", "", ("reason", "reactivate/expired / token change")),
        (f"Product: Shuttle\n{PLAN}", "", ("request", "activate / Product: Shuttle")),
        ("Product: Motion\nRequest: shuttle/modify\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nDescription: x\n", "", ("request", "shuttle/modify / Product: Motion")),
        (f"Request: contract\nRequest type: contract\n{WHO}Plan: Voice\nPlan: Digital\n", "", ("plan", "Voice / Digital")),
    ],
)  # fmt: skip
def test_contradicting_lines_are_both_reported(text: str, subject: str, problem: tuple[str, str]) -> None:
    problems = validate(read_forms(text, subject)[-1], catalogue(), attachments=True)[1]
    assert [(p.field, p.read) for p in problems if p.code is Code.GIVEN_TWICE] == [problem]


def test_unknown_action_is_reported_beside_a_request_that_names_one() -> None:
    _, problems = checked(f"Request: modify/add\n{WHO}Action: explode\nReason: we grow\nUsers: 3\n")
    assert problems == [("action", Code.UNKNOWN_VALUE)]


def test_request_after_70000_reply_prefixes_is_found_fast() -> None:
    """A quadratic scan of the prefixes takes minutes and hangs the run."""
    assert request_of("Re: AW: Fwd : " * 70_000 + "Modify your license") == ("modify", None)


def test_agreeing_or_old_subject_is_no_contradiction() -> None:
    add = f"Request: modify\n{WHO}Reason: we grow\nUsers: 3\n"
    assert checked(add, "Modify License - Add New Items")[1] == []
    assert checked(PLAN, "Re: Modify your license")[1] == []
    assert checked(PLAN, "Activate a new license or request a 30 days free demo")[1] == []
    assert (
        checked("Request: shuttle/modify\nLicense token: A1B2C3D4E5F6\nCustomer name: A\nDescription: x\n", "Shuttle")[
            1
        ]
        == []
    )


def test_action_is_taken_from_the_request_line() -> None:
    request, problems = checked(f"Request: modify/add\n{WHO}Reason: we grow\nUsers: 3\n")
    assert (request.action, problems) == ("add", [])
    request, problems = checked(f"Request: demo\n{WHO}")
    assert (request.action, request.demo, problems) == ("demo", True, [])


@pytest.mark.parametrize(
    ("stored", "own", "kind"),
    [
        (f"Request: modify/add\n{WHO}Action: remove\nReason: cost\nUsers: 2\n", "Action: remove", ("modify", "remove")),
        (
            f"Request: modify/add\n{WHO}Action: remove\nReason: cost\nUsers: 2\n",
            "Request: modify/add",
            ("modify", "add"),
        ),
        (f"Request: contract\n{WHO}Action: remove\nPlan: Voice\n", "Request: contract", ("contract", None)),
        (f"Request: contract\n{WHO}Action: remove\nReason: cost\nUsers: 2\n", "Action: remove", ("modify", "remove")),
        (f"Request: activate/plan\n{WHO}demo: yes\n", "demo: yes", ("activate", "demo")),
        (f"Request: activate/demo\n{WHO}", "Request: activate/plan", ("activate", "plan")),
    ],
)
def test_newer_line_settles_a_contradiction(stored: str, own: str, kind: tuple[str, str | None]) -> None:
    (reading,) = read_forms(stored, "")
    request, problems = validate(
        merge_correction(reading.stored, None, read_fields(own)), catalogue(), attachments=True
    )
    assert (request.request, request.action) == kind
    assert Code.GIVEN_TWICE not in {p.code for p in problems}


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("form modify", FormCommand("modify")), ("form modify/add", FormCommand("modify", "add")), ("form modify add", FormCommand("modify", "add")),
        ("FORM activate demo", FormCommand("activate", "demo")), ("form activate plan", FormCommand("activate", "plan")),
        ("form reactivate token_change", FormCommand("reactivate", "token_change")), ("form contract.", FormCommand("contract")), ("form x", HelpCommand()),
    ],
)  # fmt: skip
def test_form_command_takes_a_key_with_or_without_action(line: str, asked: object) -> None:
    assert read_command(parse(f"From: a@b.example\nSubject: {line}\n\nhello\n".encode())) == asked
