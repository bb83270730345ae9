"""The views of mails and the templates that read them: every name exists, every field is read, every kind and code has its words."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from inspect import getmembers, isclass

import pytest

from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.outbound import view_records
from mailbot.core.outbound.view_records import MailView
from mailbot.template_names import template_names
from mailbot.wording import load_wording
from tests.support.paths import ROOT

ENGLISH = load_wording("en")
SOURCES = {
    path.name: path.read_text("utf-8") for path in (ROOT / "templates" / "en").iterdir() if path.suffix != ".toml"
}
TEMPLATES = {name: text for name, text in SOURCES.items() if name.endswith((".txt", ".html"))}
#: Codes of ``Facts.why`` on which a template or the desk decides and that have no sentence of their own.
WITHOUT_SENTENCE = {"billing", "by_customer", "cancel", "customer", "email", "settled", "staff"}


def faults(name: str, source: str) -> set[str]:
    found = template_names(TEMPLATES | {name: source}, MailView)
    return {what for template, what in found.faults if template == name}


def test_templates_read_only_names_that_the_view_has() -> None:
    assert template_names(TEMPLATES, MailView).faults == set()


def test_every_field_of_the_view_is_read_by_a_template() -> None:
    used = template_names(TEMPLATES, MailView).used
    records = [record for _, record in getmembers(view_records, isclass) if record.__module__ == view_records.__name__]
    assert len(records) > 10
    unread = [f"{record.__name__}.{field.name}" for record in records for field in fields(record)]
    assert [name for name in unread if name not in {f"{record.__name__}.{field}" for record, field in used}] == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{ tickets }}", "there is no variable tickets"),
        ("{{ ticket.titel }}", "TicketView has no titel"),
        ("{% if ticket and ticket.staff.log.sentense %}{% endif %}", "LogView has no sentense"),
        ("{% for row in facts.tickets %}{{ row.stat }}{% endfor %}", "TicketLine has no stat"),
        ("{% for label, value in ticket.dates %}{{ label.txt }}{% endfor %}", "str has no txt"),
        ("{% set one = facts.results[0] %}{{ one.done }}", "ResultView has no done"),
        ("{{ facts.results | rejectattr('done') | list }}", "ResultView has no done"),
        ("{% import '_parts.txt' as parts with context %}{{ parts.q(1) }}", "there is no macro q in _parts.txt"),
        ("{% macro m(group) %}{{ group.holds }}{% endmacro %}{{ m(ticket.items[0]) }}", "ItemGroup has no holds"),
        ("{{ say('x', title=ticket.titel) }}", "TicketView has no titel"),
    ],
)
def test_a_misspelt_name_is_found_without_rendering(source: str, fault: str) -> None:
    assert faults("cap.txt", source) == {fault}


def test_a_misspelt_name_in_a_shared_macro_is_found_by_what_is_passed_to_it() -> None:
    parts = TEMPLATES["_parts.txt"].replace("group.notes", "group.hints")
    assert faults("_parts.txt", parts) == {"ItemGroup has no hints"}


def test_what_jinja_gives_and_what_cannot_be_followed_is_no_fault() -> None:
    assert (
        faults("cap.txt", "{% for w in facts.words %}{{ loop.first }}{{ (w | trim | batch(2)).x }}{% endfor %}")
        == set()
    )


def test_every_kind_of_mail_has_its_pair_of_templates_and_no_template_is_without_a_kind() -> None:
    pages = {name for name in TEMPLATES if not name.startswith("_")}
    assert pages == {f"{kind}.{part}" for kind in MailKind for part in ("txt", "html")}


def strings(node: ast.AST) -> Iterator[str]:
    """The texts that an expression can be: those of both branches of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*strings(node.body), *strings(node.orelse))


def test_every_code_has_its_sentence_and_every_sentence_its_code() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "mailbot").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    given = (
        keyword.value
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Facts", "DecisionResult", "Unread")
        for keyword in node.keywords
        if keyword.arg == "why"
    )
    codes = {code for value in given for code in strings(value) if code}
    sentences = ENGLISH.sentences["why"].keys()
    assert codes - sentences == WITHOUT_SENTENCE
    assert sentences - {node.value for node in nodes if isinstance(node, ast.Constant)} == set()
