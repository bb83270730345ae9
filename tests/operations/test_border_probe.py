"""`mailbot check --probe` and `--probe-mail`: what the border makes of forged results."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailbot.core.mail.auth_results_probe import forged_fields, probe_findings
from mailbot.core.mail.message import parse
from mailbot.operations.border_probe import judge_mail
from tests.service.test_run import configured
from tests.support import servers
from tests.support.warm import Warm

ID = "mx.vendor.example"


class Border(Controller):
    """Takes mail by SMTP into a Dovecot's INBOX, as the receiving server in front of a desk does."""

    def __init__(self, imap: servers.Dovecot, *, strips: bytes, stamps: bool) -> None:
        self.imap, self.strips, self.stamps = imap, strips, stamps
        super().__init__(self, hostname=servers.HOST, port=servers.free_port())

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        head, _, body = envelope.original_content.partition(b"\r\n\r\n")
        lines = [
            line
            for line in re.split(rb"\r\n(?![ \t])", head)  # field by field, as a border should
            if not (self.strips and line.lower().startswith(b"authentication-results:") and self.strips in line.lower())
        ]
        if self.stamps:
            lines.insert(0, b"Authentication-Results: " + ID.encode() + b"; dmarc=pass header.from=vendor.example")
        self.imap.deliver(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        return "250 OK"


@contextmanager
def border(imap: servers.Dovecot, *, strips: bytes, stamps: bool) -> Iterator[Border]:
    made = Border(imap, strips=strips, stamps=stamps)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def probed(warm: Warm, folder: Path, imap: servers.Dovecot, smtp: Border) -> tuple[int, dict[str, tuple[bool, str]]]:
    done = warm.run("mailbot", "check", "--probe", "--json", "-c", configured(folder, imap, smtp))
    return done.returncode, {line["check"]: (line["good"], line["detail"]) for line in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("strips", "stamps", "good", "words"),
    [
        (ID.encode(), True, (True, True), "server removed it"),
        (b"", True, (False, True), "only the field that the server puts above it"),
        (b"", False, (False, False), "any mail can claim to be verified"),
        (ID.encode(), False, (True, False), "server removed it"),
        (f": {ID};".encode(), False, (False, False), f"it arrived (Authentication-Results: {ID} 1)"),
    ],
)
def test_the_probe_tells_whether_the_border_strips_and_stamps(
    tmp_path: Path, warm: Warm, strips: bytes, stamps: bool, good: tuple[bool, bool], words: str
) -> None:
    with servers.dovecot(tmp_path) as imap, border(imap, strips=strips, stamps=stamps) as smtp:
        code, lines = probed(warm, tmp_path, imap, smtp)
        assert (lines["forged field"][0], lines["server's field"][0]) == good
        assert words in lines["forged field"][1]
        assert code == (0 if all(good) else 1)
        assert (len(imap.mails("INBOX")), len(imap.mails("Done"))) == (0, 1)


def test_a_probe_that_does_not_arrive_is_told(tmp_path: Path, warm: Warm) -> None:
    with servers.dovecot(tmp_path) as imap, servers.smtp_server() as smtp:
        done = warm.run("mailbot", "check", "--probe", "--patience", "0", "-c", configured(tmp_path, imap, smtp))
        assert done.returncode == 1
        assert "did not arrive" in done.stdout


def test_a_mail_from_outside_is_judged() -> None:
    raw = b"Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\r\nFrom: joe@acme.example\r\n\r\nhi\r\n"
    sender, field = judge_mail(raw, ID)
    assert (sender.good, field.good) == (True, True)
    sender, field = judge_mail(raw, "mx.google.com")
    assert (sender.good, field.good) == (False, False)
    assert "mx.vendor.example" in field.detail
    sender, field = judge_mail(raw, None)
    assert not field.good
    assert "authserv_id" in field.detail
    twice = b"Authentication-Results: mx.vendor.example; spf=none\r\n" + raw
    sender, field = judge_mail(twice, ID)
    assert (sender.good, field.good) == (False, False)
    assert "the topmost counts" in field.detail


def test_the_form_without_an_id_is_probed_too() -> None:
    stamped = b"Authentication-Results: spf=pass smtp.mailfrom=vendor.example; dmarc=pass action=none header.from=vendor.example\r\n"
    forged = b"".join(f"{line}\r\n".encode() for line in forged_fields("microsoft365", "desk@vendor.example", "MARK"))
    rest = b"From: desk@vendor.example\r\n\r\nx\r\n"
    assert [f.good for f in probe_findings(parse(stamped + rest), "MARK", "microsoft365")] == [True, True]
    assert [f.good for f in probe_findings(parse(stamped + forged + rest), "MARK", "microsoft365")] == [False, True]
    assert [f.good for f in probe_findings(parse(forged + rest), "MARK", "microsoft365")] == [False, False]


def test_a_field_that_the_border_puts_below_the_forged_one_protects_nobody() -> None:
    forged = "".join(f"{line}\r\n" for line in forged_fields(ID, "desk@vendor.example", "MARK"))
    own = f"Authentication-Results: {ID}; dmarc=none header.from=vendor.example\r\n"
    stripped, stamped = probe_findings(
        parse(f"{forged}{own}From: desk@vendor.example\r\n\r\nx\r\n".encode()), "MARK", ID
    )
    assert (stripped.good, stamped.good) == (False, False)
    assert "any mail can claim to be verified" in stripped.detail
    for line in forged_fields(ID, "desk@vendor.example", "MARK"):  # each is one that the desk would believe
        assert judge_mail(f"{line}\r\nFrom: desk@vendor.example\r\n\r\nx\r\n".encode(), ID)[0].good, line
        without_comments = re.sub(r"\(.*?\)", "", line)
        assert not probe_findings(parse(f"{without_comments}\r\n\r\nx".encode()), "MARK", ID)[1].good


def test_a_field_that_is_not_the_topmost_is_not_called_believed_where_there_is_no_id() -> None:
    above = b"Authentication-Results: mx.other.example; spf=pass\r\n"
    below = b"Authentication-Results: dmarc=pass action=none header.from=acme.example\r\nFrom: joe@acme.example\r\n\r\nhi\r\n"
    assert [found.good for found in judge_mail(below, "microsoft365")] == [True, True]
    assert [found.good for found in judge_mail(above + below, "microsoft365")] == [False, False]


def test_a_mail_that_the_desk_sets_aside_is_not_called_verified() -> None:
    raw = f"Authentication-Results: {ID}; dmarc=pass header.from=acme.example\r\nFrom: joe@acme.example\r\n".encode()
    (sender,) = judge_mail(raw + b"X: y\r\n" * 2000 + b"\r\nhi\r\n", ID)
    assert not sender.good
    assert "header fields" in sender.detail
