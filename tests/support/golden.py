"""What is understood of a golden mail, in the shape of its .expected file."""

import json
from pathlib import Path

from mailbot.core.form.corrections import read_edited_quote
from mailbot.core.form.fields import FIELDS
from mailbot.core.form.forwarded import original_sender
from mailbot.core.form.problem import Problem
from mailbot.core.form.quotes import split_at_quote, split_interleaved
from mailbot.core.form.reader import read_fields
from mailbot.core.form.request import Reading, Request, RequestKind
from mailbot.core.form.validation import validate
from mailbot.core.inbound.intake import Automatic, Forms, Thread, understand
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.inbound.reply_keys import FoundKey
from mailbot.core.mail.message import Message, parse
from tests.support.clients import DESK
from tests.support.desk import catalogue
from tests.support.paths import TESTS

#: The mail of ours that the replies among the golden mails answer, as plain text.
SENT = """\
--- Please write your reply above this line ---

Thank you for your request. One thing is not right yet.

Reply to this mail with only the corrected lines.

Request: modify/add
License token: A1B2C3D4E5F6
Customer name: Acme Ltd
Agents:
Users: 3

-- \nLicence Desk
"""
MARKER = "--- Please write your reply above this line ---"
MAILS = sorted((TESTS / "mails").glob("*.eml"))
FIELD_KEYS = tuple(key for key in FIELDS if key not in ("request", "action", "product", "log", "comments"))


def expected_of(path: Path) -> dict[str, object]:
    """The expectation beside a mail."""
    found: dict[str, object] = json.loads(path.with_suffix(".expected").read_text())
    return found


def seen(raw: bytes, expected: dict[str, object]) -> dict[str, object]:
    """What the desk reads in a mail, the same keys as ``expected``; a reply is read as one with a customer's key."""
    message = parse(raw)
    answers = expected["intake"] == "CustomerReply"
    intake = understand(message, Thread(FoundKey(), Purpose.CUSTOMER if answers else None), DESK)
    readings = intake.readings if isinstance(intake, Forms | Automatic) else ()
    made = [_checked(message, reading) for reading in readings]
    hints = {problem.field: problem.hint for _, problems in made for problem in problems if problem.hint}
    own, quoted = split_interleaved(message.text, (MARKER,))
    corrected = {**read_edited_quote(quoted, SENT).values, **read_fields(own).values}
    all_of: dict[str, object] = {
        "intake": type(intake).__name__,
        "forms": [shown(*one) for one in made],
        "attachments": [one.name for one in message.attachments],
        "forwarded_from": next((m.sender for m in message.attached if m.sender), None) or original_sender(message.text, message.subject),
        "own": split_at_quote(message.text, (MARKER,)).own,
        "corrected": corrected,
        "hints": hints,
        "sender_name": message.sender_name,
    }  # fmt: skip
    return {key: value for key, value in all_of.items() if key in expected}


def _checked(message: Message, reading: Reading) -> tuple[Request, tuple[Problem, ...]]:
    files = bool(message.attachments) or any(inner.attachments for inner in message.attached)
    return validate(reading, catalogue(), attachments=files, default_name=message.sender_name)


def shown(request: Request, problems: tuple[Problem, ...]) -> dict[str, object]:
    """A form as an .expected file has it: every field that was read, nothing else."""
    values = {key: getattr(request, key) for key in FIELD_KEYS}
    return {
        "request": "" if request.request is RequestKind.UNKNOWN else request.request,
        "action": request.action,
        "fields": {k: list(v) if isinstance(v, tuple) else v for k, v in values.items() if v not in (None, ())},
        "problems": [f"{problem.field}: {problem.code.value}" for problem in problems],
        "comments": request.comments or None,
    }
