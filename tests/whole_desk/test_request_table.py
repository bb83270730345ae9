"""Every row of the contract's table of requests, against every state of a licence and every kind of sender, in tables."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mailbot.core.desk.ticket import Item, ItemStatus, Ticket
from mailbot.core.form.fields import FORMS
from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_forms
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import CHOOSER
from mailbot.core.outbound.words.sentences import problem_sentence
from mailbot.operations.ledger_csv import read_csv
from mailbot.operations.ledger_import import put_licences
from mailbot.service.runner import keep_mail
from storage import outbox
from tests.support.desk import catalogue
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import LOG

#: What is asked for, below the lines that every request of that name has: {token} is the licence's, {other} a new one.
_WHO = "License token: {token}\nCustomer name: {name}\nI accept the License Agreement: yes\n"
_OLD = "Request: reactivate\nOld token: {token}\nCustomer name: {name}\n"
_SHUTTLE = "Product: Shuttle\nLicense token: {token}\nCustomer name: {name}\nDescription: as on the telephone\n"
_PLAN = "demo: no\nPlan: Digital\nAgents: 12\nBilling frequency: annual\nSupport package: Platinum\nPlugins: Botify\n"
FORM = {
    "activate/demo": f"Request: activate\n{_WHO}30 days free demo: yes\n",
    "activate/plan": f"Request: activate\n{_WHO}{_PLAN}",
    "modify/add": f"Request: modify\n{_WHO}Action: add\nReason: more agents\nAgents: 15\nAdd-ons: Real-time Translator\n",
    "modify/remove": f"Request: modify\n{_WHO}Action: remove\nReason: cost\nAgents: 8\nPlugins: Botify\n",
    "modify/deactivate": f"Request: modify\n{_WHO}Action: deactivate\nReason: cost\n",
    "contract": f"Request: contract\n{_WHO}Plan: Voice\nSupport package: Platinum\nBilling frequency: annual\n",
    "reactivate/expired": f"{_OLD}Grace period reason: expired\n",
    "reactivate/token_change": f"{_OLD}Reason: token change\nNew token: {{other}}\n",
    "reactivate/other": f"{_OLD}Reason: other\nComments: it does not start\n",
    "information": "Request: information\nQuestion: What is a mobile agent of {name}?\n",
    "shuttle/modify": f"{_SHUTTLE}Action: modify\n",
    "shuttle/transfer": f"{_SHUTTLE}Action: transfer\nMotion token: {{other}}\n",
}
HEAD = (
    "token,product,status,customer_name,plan,agents,users,telephones,mobile_agents,addons,plugins,support,billing,"
    "whitelabel,contacts,demo_ends,expires_on,renews_on"
)

#: What comes of the request of a verified contact who is known. ``split``: done in part, the rest is staff's;
#: ``neutral``: he hears only the neutral words, whether staff decide or not.
ROUTES = """
                         unknown        demo              active        expired           deactivated       replaced          shuttle
activate/demo            done           demo_used         token_active  staff             staff             token_not_active  token_active
activate/plan            split          split             token_active  split             split             token_not_active  token_active
modify/add               neutral        token_not_active  done          token_not_active  token_not_active  token_not_active  staff
modify/remove            neutral        token_not_active  done          token_not_active  token_not_active  token_not_active  staff
modify/deactivate        neutral        token_not_active  scheduled     token_not_active  token_not_active  token_not_active  staff
contract                 neutral        token_not_active  staff         token_not_active  token_not_active  token_not_active  staff
reactivate/expired       staff-neutral  staff             staff         staff             staff             staff             staff
reactivate/token_change  staff-neutral  staff             staff         staff             staff             staff             staff
reactivate/other         staff-neutral  staff             staff         staff             staff             staff             staff
information              staff          staff             staff         staff             staff             staff             staff
shuttle/modify           staff-neutral  staff             staff         staff             staff             staff             staff
shuttle/transfer         staff-neutral  staff             staff         staff             staff             staff             staff
"""

#: What comes of it by who else writes, "!" being a sender without proof. ``himself``: he confirms; ``contact``: the licence's
#: contact is asked, and he hears only the neutral words.
SENDERS = """
                              contact!       partner        partner!       known          stranger       stranger!
activate/demo on unknown      himself        done           himself        done           done           himself
activate/plan on unknown      himself        split          himself        split          staff          himself
modify/add on unknown         neutral        token_unknown  neutral        neutral        neutral        neutral
reactivate/other on unknown   staff-neutral  staff          staff-neutral  staff-neutral  staff-neutral  staff-neutral
information on unknown        himself        staff          himself        staff          staff          himself
activate/plan on expired      himself        split          contact        contact        contact        contact
modify/add on active          himself        done           contact        contact        contact        contact
contract on active            himself        staff          contact        contact        contact        contact
reactivate/expired on active  himself        staff          contact        contact        contact        contact
shuttle/transfer on shuttle   himself        staff          contact        contact        contact        contact
"""

#: The items of the requests that hold something: today -> requested, status, the day it holds from, rule, bill.
ITEMS = """
activate/demo on unknown
    admin None -> 1 applied 2026-11-03 demo
    plan None -> voice_digital applied 2026-11-03 demo
    agents None -> 3 applied 2026-11-03 demo
    telephones None -> 1 applied 2026-11-03 demo
    mobile_agents None -> 1 applied 2026-11-03 demo
    webrtc None -> True applied 2026-11-03 demo
    phonebar None -> True applied 2026-11-03 demo
    addon:realtime_translator None -> True applied 2026-11-03 demo
    addon:quality_analysis None -> True applied 2026-11-03 demo
    addon:ai_assistants None -> True applied 2026-11-03 demo
    addon:ai_agent_assistants None -> True applied 2026-11-03 demo
    plugin:live_call_translator None -> True applied 2026-11-03 implied
activate/plan on unknown
    admin None -> 1 applied 2026-11-03 automatic
    plan None -> digital applied 2026-11-03 automatic increase 365/365 2026-11-30
    agents None -> 12 applied 2026-11-03 automatic increase 365/365 2026-11-30
    webrtc None -> True applied 2026-11-03 automatic
    phonebar None -> True applied 2026-11-03 automatic
    plugin:botify None -> True applied 2026-11-03 automatic increase 365/365 2026-11-30
    support None -> platinum waiting_staff by_staff increase 365/365 2026-11-30
    billing None -> annual waiting_staff by_staff
activate/plan on demo
    admin 1 -> 1 applied 2026-11-03 automatic
    plan voice_digital -> digital applied 2026-11-03 automatic increase 365/365 2026-11-30
    agents 10 -> 12 applied 2026-11-03 automatic increase 365/365 2026-11-30
    users 2 -> 0 applied 2026-11-03 automatic
    telephones 4 -> 0 applied 2026-11-03 automatic
    mobile_agents 1 -> 0 applied 2026-11-03 automatic
    webrtc True -> True applied 2026-11-03 automatic
    phonebar True -> True applied 2026-11-03 automatic
    addon:quality_analysis True -> False applied 2026-11-03 automatic
    plugin:botify True -> True applied 2026-11-03 automatic increase 365/365 2026-11-30
    support None -> platinum waiting_staff by_staff increase 365/365 2026-11-30
    billing None -> annual waiting_staff by_staff
modify/add on active
    agents 10 -> 15 applied 2026-11-03 increase increase 28/30 2026-11-30
    addon:realtime_translator False -> True applied 2026-11-03 increase increase 28/30 2026-11-30
    plugin:live_call_translator False -> True applied 2026-11-03 implied
modify/remove on active
    agents 10 -> 8 applied 2026-11-03 decrease_by_20th decrease
    plugin:botify True -> False applied 2026-11-03 decrease_by_20th decrease
modify/deactivate on active
    status active -> deactivated scheduled 2026-12-01 deactivation
contract on active
    plan voice_digital -> voice waiting_staff decrease_by_20th decrease
    support silver -> platinum waiting_staff increase increase 28/30 2026-11-30
    billing monthly -> annual waiting_staff next_period
reactivate/expired on expired
    status expired -> active waiting_staff by_staff increase 28/30 2026-11-30
reactivate/expired on active
    status active -> active waiting_staff by_staff none
shuttle/modify on shuttle
    status active -> active waiting_staff by_staff none
"""

#: Every code, by the line that is written differently, with the sentence that the customer reads.
PROBLEMS = """
activate/plan on unknown | Customer name |
    customer_name missing: This line is missing. Please add it (the name of your company).
activate/plan on unknown | Plan |
    plan missing: This line is missing. Please add it (Voice / Digital / Voice Digital).
activate/plan on unknown | Support package | Support package: Gold
    support unknown_value: We do not recognise "Gold". Please write Silver or Platinum.
activate/plan on unknown | Agents | Agents: a dozen
    agents not_a_number: You wrote "a dozen", which is not a whole number. Please write the total in digits, such as 10.
activate/plan on unknown | Agents | Agents: 4
    agents out_of_range: You wrote "4". The number must be between 5 and 100000.
activate/plan on unknown | Plugins | Telephones: 99999999999999
    telephones out_of_range: You wrote "99999999999999". The number must be between 0 and 100000.
activate/plan on unknown | Agents | Agnets: 12
    agents near_label: We found a line "Agnets". Did you mean "Agents"?
activate/plan on unknown | Agents | Agents: 12; Agents: 13
    agents given_twice: We found different values: 12 / 13. Please write only one value.
activate/plan on unknown | I accept | I accept the License Agreement: no
    accept not_accepted: You wrote "no". We cannot do anything until you accept the License Agreement. If you accept it, please write yes.
activate/plan on unknown | License token | License token: A1B2
    token token_malformed: You wrote "A1B2", which is not a token. A token has 8 to 128 letters, digits and symbols, without spaces.
activate/plan on unknown | Plugins | Add-ons: Real-time Translator; Plugins: Live Call Translator
    plugins requires: Live Call Translator works only together with Voice or Voice Digital.
activate/plan on active | Plugins | Comments: again
    token token_active: The licence TOKEN is already active. To change it, use the form Modify your license.
activate/demo on demo | Comments | Comments: again
    token demo_used: The token TOKEN has already had its free demo. To continue, request a new plan.
modify/add on demo | Comments |
    token token_not_active: The licence TOKEN is a free demo, which cannot be changed. To continue, request a new plan.
modify/add on expired | Comments |
    token token_not_active: The licence TOKEN has expired. To use it again, request its re-activation.
modify/add on deactivated | Comments |
    token token_not_active: The licence TOKEN is deactivated. To use it again, request a new plan.
modify/add on replaced | Comments |
    token token_not_active: The licence TOKEN was replaced by another token.
modify/add on active | Agents | Agents: 10
    agents not_above_current: You wrote 10, but the licence already has 10. Please write the new total, more than 10.
modify/add on active | Add-ons | Add-ons: Quality Analysis, AI Agent Assistants
    addons already_has: The licence already has Quality Analysis. Please leave it out.
    addons requires: AI Agent Assistants works only together with AI Assistants.
modify/add on active | Agents; Add-ons | Comments: only this
    items missing: The form does not ask for anything yet. Please add at least one of these lines: Agents, Users, Telephones, Mobile agents, Add-ons or Plugins.
modify/remove on active | Agents | Agents: 11
    agents not_below_current: You wrote 11, but the licence has 10. Please write the new total, less than 10.
modify/remove on active | Agents | Agents: 4
    agents out_of_range: You wrote "4". The number must be between 5 and 100000.
modify/remove on active | Plugins | Plugins: Schedulease
    plugins does_not_have: The licence does not have Schedulease. Please leave it out.
modify/remove on whole | Plugins | Add-ons: AI Assistants; Plugins: Live Call Translator
    addons required_by: AI Agent Assistants needs AI Assistants. Please remove both, or keep both.
    plugins required_by: Real-time Translator needs Live Call Translator. Please remove both, or keep both.
contract on voice | Support package; Billing frequency | Billing frequency: monthly
    plan no_change: You wrote "Voice", which the licence already has. Please write another choice, or leave the line out.
    billing no_change: You wrote "Monthly", which the licence already has. Please write another choice, or leave the line out.
reactivate/token_change on active | New token | New token: TOKEN
    new_token no_change: You wrote "TOKEN", which is also the old token. Please write the new token.
reactivate/expired on expired | Log |
    log attachment_missing: Please attach the license log or the license status to your reply. A picture of it is not enough.
reactivate/expired on expired | Log | setup.zip
    log attachment_unreadable: We could not read the attachment (setup.zip: it is a program). Please attach the log itself as a text file (.log, .txt or .json), also in a .zip or .gz.
"""


@dataclass(frozen=True)
class Row:
    """A licence with a contact and a customer of its own, so that no case knows of another."""

    number: int
    state: str

    @property
    def token(self) -> str:
        return f"TOKEN{self.number:07}"

    @property
    def contact(self) -> str:
        return f"joe@c{self.number}.example"

    def fill(self, form: str) -> str:
        return form.format(token=self.token, name=f"Customer {self.number}", other=f"OTHER{self.number:07}")

    def csv(self) -> str:
        """Its line of the ledger, none where the token is unknown; always one that makes its contact known."""
        status = {"shuttle": "active", "whole": "active", "voice": "active"}.get(self.state, self.state)
        addons, plugins = "quality_analysis", "botify"
        if self.state == "whole":
            addons, plugins = "ai_agent_assistants;ai_assistants;realtime_translator", "botify;live_call_translator"
        plan = "voice" if self.state == "voice" else "voice_digital"
        terms = ",silver,monthly" if status != "demo" else ",,"
        ends = "2026-12-01" if status == "demo" else ""
        product = "shuttle" if self.state == "shuttle" else "motion"
        line = f"{self.token},{product},{status},Customer {self.number},{plan},10,2,4,1,{addons},{plugins}{terms},false,{self.contact},{ends},,\n"
        known = f"KNOWN{self.number:07},motion,active,Other {self.number},voice,5,0,0,0,,,silver,monthly,false,{self.contact},,,\n"
        return ("" if self.state == "unknown" else line) + known


@dataclass(frozen=True)
class Sent:
    """A request on its way: who asks for what on which row."""

    row: Row
    text: str
    sender: str
    verified: bool = True
    log: bytes = LOG


def played(folder: Path, sent: list[Sent]) -> tuple[Running, list[tuple[Ticket, list[str]]]]:
    """A desk whose ledger has the licences of those rows, and of each request its ticket and the mails that came of it."""
    desk = running(folder, replace={'[[staff]]\naddress = "bob@vendor.example"\nname = "Bob"\n': ""})  # one is enough
    kim = "KNOWN0000000,motion,active,Kim,voice,5,0,0,0,,,silver,monthly,false,@known.example,,,"
    text = "".join((f"{HEAD}\n", *(one.row.csv() for one in sent), kim))
    rows, faults = read_csv(text.encode(), desk.desk.catalogue)
    assert not faults, faults
    put_licences(desk.desk, rows, "import", "ledger.csv")
    for one in sent:
        name = "license.log" if one.log is LOG else "setup.zip"
        files = ((name, one.log),) if "reactivate" in one.text and one.log else ()
        raw = desk.raw(one.sender, one.row.fill(one.text), verified=one.verified, files=files)
        keep_mail(desk.desk, raw, desk.moment[0], "inject")
    desk.work()
    mails: dict[str, list[str]] = {}
    with desk.desk.store.read() as session:
        for mail in sorted(outbox.listing(session), key=lambda mail: mail.id):
            mails.setdefault(mail.ref or "", []).append(f"{mail.kind} {mail.recipient}")
    refs = [f"LIC-{number}" for number in range(1, len(sent) + 1)]
    return desk, [(desk.ticket(ref), mails[ref]) for ref in refs]


def came(ticket: Ticket, mails: list[str], contact: str) -> str:
    """What came of it, in the words of the tables."""
    sender = ticket.sender
    if ticket.problems:
        assert mails == [f"incomplete {sender}"]
        return str(ticket.problems[0].code)
    neutral = f"neutral {sender}" in mails
    staff = "approval anna@vendor.example" in mails
    match ticket.state:
        case "waiting_confirmation" if neutral:
            assert mails == [f"confirm-you {contact}", f"neutral {sender}"]
            return "contact"
        case "waiting_confirmation":
            assert mails == [f"confirm-you {sender}"]
            return "himself"
        case "waiting_customer":
            assert mails == [f"neutral {sender}"]
            return "neutral"
        case "waiting_staff":
            assert (staff, neutral or f"confirmation {sender}" in mails) == (True, True), mails
            applied = any(item.status is ItemStatus.APPLIED for item in ticket.items)
            return "split" if applied else "staff-neutral" if neutral else "staff"
        case _:
            assert (staff, f"outcome {sender}" in mails) == (False, True), mails
            return str(ticket.state)


def table(text: str) -> list[tuple[str, str, str]]:
    """(row, column, cell) of a table whose rows may be named in several words."""
    head, *lines = text.strip().splitlines()
    columns = head.split()
    rows = [line.rsplit(maxsplit=len(columns)) for line in lines]
    return [(row[0], column, cell) for row in rows for column, cell in zip(columns, row[1:], strict=True)]


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Each line that is not indented, with those below it that are."""
    found: list[tuple[str, list[str]]] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            found[-1][1].append(line.strip())
        else:
            found.append((line, []))
    return found


def said(item: Item) -> str:
    """An item as the table has it."""
    bill = item.billing
    parts = (item.item, f"{item.from_} -> {item.to}", item.status, item.effective, item.rule)
    billed = (bill.kind, bill.fraction, bill.invoice_on) if bill else ()
    return " ".join(str(part) for part in (*parts, *billed) if part is not None)


def test_every_request_in_every_state_of_the_licence(tmp_path: Path) -> None:
    cells = table(ROUTES)
    rows = [Row(number, state) for number, (_, state, _) in enumerate(cells, 1)]
    sent = [Sent(row, FORM[form], row.contact) for row, (form, _, _) in zip(rows, cells, strict=True)]
    _, outcomes = played(tmp_path, sent)
    found = {
        (form, state): came(*outcome, row.contact)
        for row, (form, state, _), outcome in zip(rows, cells, outcomes, strict=True)
    }
    assert found == {(form, state): cell for form, state, cell in cells}
    assert {form for form, _, _ in cells} == {f"{r}/{a}" if a else r for r, a in FORMS}
    items = {f"{form} on {state}": ticket.items for (form, state, _), (ticket, _) in zip(cells, outcomes, strict=True)}
    for name, lines in blocks(ITEMS):
        assert [said(item) for item in items[name]] == lines, name


def test_every_kind_of_sender(tmp_path: Path) -> None:
    cells = table(SENDERS)
    sent = []
    for number, (name, who, _) in enumerate(cells, 1):
        row = Row(number, name.split()[2])
        address = {
            "contact": row.contact,
            "partner": f"pat{number}@partner.example",
            "known": f"kim{number}@known.example",
        }
        sender = address.get(who.rstrip("!"), f"eve@s{number}.example")
        sent.append(Sent(row, FORM[name.split()[0]], sender, verified="!" not in who))
    _, outcomes = played(tmp_path, sent)
    found = {
        (name, who): came(*outcome, one.row.contact)
        for (name, who, _), one, outcome in zip(cells, sent, outcomes, strict=True)
    }
    assert found == {(name, who): cell for name, who, cell in cells}


def changed(form: str, without: str, instead: str) -> str:
    """The form without the lines that begin so, and with others."""
    gone = tuple(begin.strip() for begin in without.split(";"))
    kept = [line for line in form.splitlines() if not line.startswith(gone)]
    return "\n".join([*kept, *(line.strip() for line in instead.split(";"))]) + "\n"


def test_every_problem_is_told(tmp_path: Path) -> None:
    cases = blocks(PROBLEMS)
    sent = []
    for number, (name, _) in enumerate(cases, 1):
        where, without, instead = (part.strip() for part in name.split("|"))
        form, _, state = where.split()
        row = Row(number, state)
        text = changed(FORM[form], without, "" if without == "Log" else instead.replace("TOKEN", row.token))
        log = LOG if without != "Log" else b"MZ" + bytes(500) if instead else b""
        sent.append(Sent(row, text, row.contact, log=log))
    desk, outcomes = played(tmp_path, sent)
    for (name, lines), one, (ticket, _) in zip(cases, sent, outcomes, strict=True):
        told = [f"{p.field} {p.code}: {problem_sentence(p, desk.desk.wording)}" for p in ticket.problems]
        assert [sentence.replace(one.row.token, "TOKEN") for sentence in told] == lines, name
    codes = {problem.code for ticket, _ in outcomes for problem in ticket.problems}
    assert codes == set(Code) - {Code.TOKEN_UNKNOWN}  # which partners alone are told, in the table of senders


@pytest.mark.parametrize("name", FORM)
def test_each_required_line_is_asked_for(name: str) -> None:
    request, _, action = name.partition("/")
    required = {*FORMS[request, action or None].required} - {"log", CHOOSER.get(request)}
    (whole,) = read_forms(Row(1, "unknown").fill(FORM[name]), "")
    for field in required:
        lacking = replace(whole, values={key: value for key, value in whole.values.items() if key != field})
        _, problems = validate(lacking, catalogue(), attachments=True)
        assert [(problem.field, problem.code) for problem in problems] == [(field, Code.MISSING)]
