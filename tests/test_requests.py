"""Where a log may be found in a mail."""

from email.message import EmailMessage

from mailbot.core.message import parse
from mailbot.requests import attached

LOG = "[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=grace reason=expired daysLeft=%d\n"


def mail(text: str, inner: EmailMessage | None = None, file: bytes | None = None) -> EmailMessage:
    found = EmailMessage()
    found["From"], found["Subject"] = "joe@acme.example", "log"
    found.set_content(text)
    if file:
        found.add_attachment(file, maintype="text", subtype="plain", filename="licence.log")
    if inner:
        found.add_attachment(inner)
    return found


def test_a_log_is_found_at_any_depth_as_a_file_or_as_text() -> None:
    deepest = mail(LOG % 3, file=b"third")
    whole = mail("see below", mail(LOG % 2, deepest, file=b"second"), file=b"first")
    found = attached(parse(whole.as_bytes()))
    assert [data.strip() for name, data in found if name == "licence.log"] == [b"first", b"second", b"third"]
    texts = [(name, data.decode().strip()) for name, data in found if name != "licence.log"]
    assert texts == [("an attached mail", (LOG % days).strip()) for days in (2, 3)]


def test_the_text_of_the_mail_itself_counts_only_where_it_is_a_log() -> None:
    assert attached(parse(mail("hello").as_bytes())) == ()
    ((name, data),) = attached(parse(mail(LOG % 1).as_bytes()))
    assert (name, data.decode().strip()) == ("the mail itself", (LOG % 1).strip())
