"""Re-activations from the mail with the log to the approval mail, and repair by reply."""

import json
import textwrap
from pathlib import Path

import pytest

from mailbot.process import mapping
from tests.support.commands import mailbot
from tests.support.loggen import zipped
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, import_active, licence

OLD, NEW, THIRD = "A1B2C3D4E5F6", "B1B2C3D4E5F6", "C1C2C3D4E5F6"
FORM = f"Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: {OLD}\nNew token: {NEW}\n"


def line(day: int, what: str, token: str = NEW) -> str:
    return f"[2026-11-{day:02} 08:15:00] [WARN] license - [LICENSE:CHECK] token={token} {what}\n"


LOG = line(1, "status=active", OLD) + line(2, f"previousToken={OLD} status=grace reason=token_change daysLeft=10")
STATUS = {
    "schema": "license-status/1", "token": NEW, "previousToken": OLD, "product": "motion", "version": "3.58.0",
    "status": "grace", "reason": "token_change", "plan": "voice_digital",
    "grace": {"startedAt": "2026-11-02T08:15:00+01:00", "daysLeft": 10}, "staff": {"agents": {"limit": 10}},
    "addOns": ["quality_analysis"], "plugins": ["botify"], "admin": {"email": "it@kunde.example"},
}  # fmt: skip
SENTENCE = f"The log confirms a token change from {OLD} to {NEW} on 2 November 2026; 10 days of grace are left."


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    made = running(tmp_path)
    import_active(made)
    return made


def plain(mail: object) -> str:
    """The text of a mail without its line breaks."""
    return " ".join(body(mail).split())  # type: ignore[arg-type]


def test_staff_see_what_the_log_proves_and_where(desk: Running) -> None:
    packed = zipped(("var/log/license.log", LOG.encode()))
    approval = desk.write(JOE, FORM, files=(("logs.zip", packed),))[1]
    assert plain(approval).index(SENTENCE) < plain(approval).index("Approve"), "first of all, on a telephone"
    assert "logs.zip/var/log/license.log" in plain(approval)
    diagnosis = desk.ticket().diagnosis
    assert diagnosis
    assert (diagnosis.disagreements, diagnosis.since, diagnosis.since_or_before) == ((), "2026-11-02T08:15:00", False)


def test_every_disagreement_with_the_ledger_reaches_staff(desk: Running) -> None:
    import_active(desk, NEW)
    import_active(desk, THIRD)
    other = line(1, "status=active", THIRD) + line(2, "status=active", THIRD)
    mixed = "".join(sorted((LOG + other).splitlines(keepends=True)))
    approval = desk.write(JOE, FORM, files=(("all.log", mixed.encode()),))[1]
    for sentence in (
        f"The new token in the form, {NEW}, is already in the ledger (active).",
        f"The token {THIRD} in the log belongs to another licence of this customer.",
        f"The log is also about the licence {THIRD}: active, last on 2 November 2026.",
    ):
        assert plain(approval).index(sentence) < plain(approval).index("Approve")


@pytest.mark.parametrize(
    "pasted",
    [
        LOG,
        "\n".join(textwrap.fill(line, 72) for line in LOG.splitlines()),
        json.dumps(STATUS, indent=2),
        "Status: " + textwrap.fill(json.dumps(STATUS), 76),
        json.dumps(STATUS, indent=1).replace('"', "\u201d"),
        "".join(f"> {line}\n" for line in json.dumps(STATUS, indent=2).splitlines()),
    ],
)
def test_what_is_pasted_is_read_as_a_log_and_never_as_the_form(desk: Running, pasted: str) -> None:
    desk.write(JOE, f"{FORM}\nthis is what it shows\n\n{pasted}\n\nthank you\n")
    ticket = desk.ticket()
    assert (ticket.state, ticket.problems) == ("waiting_staff", ())
    assert ticket.diagnosis
    assert ticket.diagnosis.sentence in (SENTENCE, SENTENCE.replace("log", "licence status"))
    assert (ticket.comments or "").replace("\nStatus:", "").split() == [
        "this",
        "is",
        "what",
        "it",
        "shows",
        "thank",
        "you",
    ]


def test_what_could_not_be_read_is_told_once_and_a_late_log_completes_the_request(desk: Running) -> None:
    (answer,) = desk.write(JOE, FORM, files=(("log.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),))
    assert desk.ticket().state == "waiting_customer"
    assert [(p.field, p.code) for p in desk.ticket().problems] == [("log", "attachment_unreadable")]
    assert desk.ticket().problems[0].expected == "the log as a .zip or .gz, or uncompressed"
    assert "log.7z" in plain(answer)
    assert "Please attach the log as a .zip or .gz, or uncompressed." in plain(answer)
    mails = desk.write(JOE, "Here it is.\n", reply_to=answer, files=(("license.log", LOG.encode()),))
    assert desk.ticket().state == "waiting_staff"
    assert any(SENTENCE in plain(mail) for mail in mails)


def test_logs_of_several_mails_are_read_together(desk: Running) -> None:
    active, grace = LOG.splitlines(keepends=True)
    first = desk.write(JOE, FORM, files=(("license.log.1", active.encode()),))[0]
    mails = desk.write(JOE, "and the newer one\n", reply_to=first, files=(("license.log", grace.encode()),))
    assert SENTENCE in plain(mails[1])
    assert "CHANGED since our last mail about it: Comments and Log file." in plain(mails[1])
    mails = desk.write(JOE, "and this\n", reply_to=mails[0], files=(("log.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),))
    assert desk.ticket().state == "waiting_staff", "what could not be read takes nothing from what was read"
    assert "attach - the log as a .zip or .gz, or uncompressed" in plain(mails[0])
    mails = desk.write(JOE, f"Old token: {THIRD}\n", reply_to=mails[0])
    diagnosis = desk.ticket().diagnosis
    assert diagnosis
    assert diagnosis.files == ("license.log", "license.log.1")
    assert diagnosis.unreadable == ("log.7z: this kind of archive is not supported, only .zip and .gz",)
    assert "log as a .zip" not in plain(mails[0]), "told once"
    assert f"The old token in the form, {THIRD}, is not in the log." in diagnosis.disagreements, (
        "of the form as it is now"
    )


def test_a_picture_is_no_log_and_a_file_without_a_key_is_told_to_staff(desk: Running) -> None:
    (answer,) = desk.write(JOE, FORM)
    assert "A picture of it is not enough" in plain(answer)
    comment, _, again = desk.write(
        JOE, "here you see it\n", reply_to=answer, files=(("shot.png", b"\x89PNG\r\n\x1a\n"),)
    )
    assert (comment["To"], again["To"], desk.ticket().state) == (ANNA, JOE, "waiting_customer")
    assert "here you see it" in plain(comment)
    assert "A picture of it is not enough" in plain(again)
    comment = desk.write(JOE, "the log\n", subject="[LIC-1] log", files=(("l.log", LOG.encode()),))[0]
    assert "Attachments, kept with the mail - l.log" in plain(comment)
    assert desk.ticket().state == "waiting_customer"


def test_a_correction_beside_an_unreadable_log_leaves_it_missing(desk: Running) -> None:
    (answer,) = desk.write(JOE, FORM.replace(NEW, OLD), files=(("log.pdf", b"%PDF-1.7\n"),))
    assert sorted(problem.field for problem in desk.ticket().problems) == ["log", "new_token"]
    (answer,) = desk.write(JOE, f"New token: {NEW}\n", reply_to=answer)
    assert [problem.code for problem in desk.ticket().problems] == ["attachment_unreadable"]
    assert "log.pdf" in plain(answer)


def test_a_good_log_beside_a_bad_one_goes_to_staff_with_both(desk: Running) -> None:
    desk.write(JOE, FORM, files=(("log.pdf", b"%PDF-1.7\n"), ("license.log", LOG.encode())))
    diagnosis = desk.ticket().diagnosis
    assert diagnosis
    assert desk.ticket().state == "waiting_staff"
    assert diagnosis.sentence == SENTENCE
    assert diagnosis.unreadable == ("log.pdf: it is a document, not a log",)
    assert len(diagnosis.send_instead) == 1


def test_nothing_private_of_the_log_is_in_any_mail(desk: Running) -> None:
    private = "ip=10.1.2.3 name=Mario Rossi mail=mario@kunde.example password=geheim1 url=https://h/x?key=geheim2"
    mails = desk.write(JOE, FORM, files=(("license.log", LOG.replace("\n", f" {private}\n").encode()),))
    text = " ".join(map(plain, mails))
    assert SENTENCE in text
    assert not any(word in text for word in ("10.1.2.3", "Mario", "kunde", "geheim1", "geheim2"))


def test_the_command_says_what_the_approval_mail_says(
    desk: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(JOE, FORM.replace(OLD, THIRD), files=(("license.log", LOG.encode()),))
    stored = desk.ticket().diagnosis
    assert stored
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder in (tmp_path, elsewhere):
        (folder / "license.log").write_text(LOG)
    options = ["--reason", "token_change", "--old-token", THIRD, "--new-token", NEW, "--customer", "Acme"]
    options += ["--received-at", "2026-11-03T09:00:00+00:00", "--now", "2026-11-03T09:00:00+00:00", "--json"]
    said = []
    for folder in (tmp_path, elsewhere):
        monkeypatch.chdir(folder)  # the desk's configuration is the one that stands here, where there is one
        said.append(json.loads(mailbot(None, "diagnose", "license.log", *options).stdout))
    with_ledger, without = said
    assert with_ledger == stored.model_dump(mode="json")
    ledger = f"The token {OLD} in the log belongs to another licence of this customer."
    assert [*without["disagreements"], ledger] == with_ledger["disagreements"]


def test_an_approval_moves_the_licence_and_one_history_is_read_from_both_tokens(desk: Running) -> None:
    approval = desk.write(JOE, FORM, files=(("license.log", LOG.encode()),))[1]
    desk.write(ANNA, "APPROVE", reply_to=approval)
    assert (licence(desk).status, licence(desk).replaced_by) == ("replaced", NEW)
    assert licence(desk, NEW).status == "active"
    again = FORM.replace(f"Old token: {OLD}\nNew token: {NEW}", f"Old token: {NEW}\nNew token: {THIRD}")
    second = desk.write(JOE, again, files=(("license.log", LOG.encode()),))[1]
    assert "1 January 2026 imported" in plain(second)
    assert f"moved to another token [LIC-1] by {ANNA} Licence status replaced, Replaced by {NEW}" in plain(second)
    desk.write(ANNA, "APPROVE until 2027-01-31", reply_to=second)
    histories = [licence(desk, token).whole_history for token in (OLD, NEW, THIRD)]
    assert [(e.token, e.kind, e.ticket) for e in histories[0]] == [
        (OLD, "import", None),
        *((token, "moved", "LIC-1") for token in (OLD, NEW)),
        *((token, "moved", "LIC-2") for token in (NEW, THIRD)),
    ]
    assert histories[0] == histories[1] == histories[2]
    with desk.desk.store.read() as session:
        listed = {one.token: one.whole_history for one in mapping.licences(session, desk.moment[0].date())}
    assert [listed[token] for token in (OLD, NEW, THIRD)] == histories
    assert str(licence(desk, THIRD).expires_on) == "2027-01-31"


def test_a_demo_that_moved_is_warned_of_its_end_on_its_new_token(tmp_path: Path) -> None:
    desk = running(tmp_path)
    desk.write(JOE, f"Request: activate/demo\nToken: {OLD}\nCustomer name: Acme\nI accept the License Agreement: yes\n")
    approval = desk.write(JOE, FORM, files=(("license.log", LOG.encode()),))[1]
    desk.write(ANNA, "APPROVE", reply_to=approval)
    warnings = [mail for _ in range(31) for mail in desk.later(days=1)]
    assert [f"The free demo of licence {NEW} ends" in plain(mail) for mail in warnings] == [True, True]
    assert licence(desk, NEW).status == "expired"
