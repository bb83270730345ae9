"""One mail, parsed: ``parse`` returns a ``Message`` for any bytes.

Everything is read eagerly, so that nothing can fail later. Oddities go into ``defects``; a ``fault`` makes a mail unfit
for handling. Whether the sender is proved is decided in ``mail.auth_results``, what is automatic in ``mail.bounce``.
"""

import hashlib
from dataclasses import dataclass, replace

from mailbot.core.base.address import plain_addresses
from mailbot.core.base.characters import single_line
from mailbot.core.mail.body import Attachment, read_body
from mailbot.core.mail.charsets import decode_header
from mailbot.core.mail.from_field import read_from_field
from mailbot.core.mail.html.tokenizer import OverCap
from mailbot.core.mail.message_ids import message_ids, own_message_id
from mailbot.core.mail.mime import Budget, Caps, Fields, Part, first_field, read_part

__all__ = ["Attachment", "Caps", "Message", "mail_digest", "parse"]

_RECIPIENTS = ("delivered-to", "x-original-to", "to", "cc")
_COUNTED = (*_RECIPIENTS, "from", "sender", "reply-to", "bcc")
_ONCE = ("from", "sender", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references", "content-type")
_SUBJECT = 500  # characters; leaves room for a key at the end
_MAX_FILE_NAMES = 10


@dataclass(frozen=True)
class Message:
    """A parsed mail.

    ``sha256``: of the raw mail with LF line ends.
    ``sender``: the one plain address of the one From field; if None, ``sender_fault`` says why.
    ``message_id``, ``in_reply_to``, ``references``: usable Message-IDs only (see ``mail.message_ids``), with brackets.
    ``recipients``: the addresses of Delivered-To, X-Original-To, To and Cc.
    ``headers``: all fields of the top level in order, unfolded, not decoded.
    ``text``: LF line ends, not safe to show (see ``base.characters``); ``html``: it was read from HTML; ``text_surely``:
    without what only some mail programs show (None: all show the same).
    ``attached``: the attached mails; their text is never part of ``text``.
    ``fault``: why the mail must be set aside unread (over a cap, for example).
    """

    sha256: str
    message_id: str | None = None
    sender: str | None = None
    sender_fault: str | None = "nothing was read"
    sender_name: str = ""
    subject: str = ""
    date: str | None = None
    recipients: tuple[str, ...] = ()
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: Fields = ()
    text: str = ""
    html: bool = False
    text_surely: str | None = None
    attachments: tuple[Attachment, ...] = ()
    attached: tuple["Message", ...] = ()
    defects: tuple[str, ...] = ()
    fault: str | None = None

    def field(self, name: str) -> str | None:
        """The first value of a header field, any case; None if there is none."""
        return next(iter(self.fields(name)), None)

    def fields(self, name: str) -> tuple[str, ...]:
        """All values of a header field, topmost first."""
        name = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == name)

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of the attachments, at most 10."""
        return tuple(one.name or one.content_type for one in self.attachments[:_MAX_FILE_NAMES])

    @property
    def body_sha256(self) -> str:
        """Of the text and all attachments: equal for two separately delivered copies of one mail."""
        files = [f"file {one.sha256}" for one in self.attachments]
        mails = [f"mail {one.sha256}" for one in self.attached]
        return hashlib.sha256("\n".join([*files, *mails, "", self.text]).encode()).hexdigest()


def parse(raw: bytes, caps: Caps = Caps()) -> Message:  # noqa: B008 - frozen
    """The mail in ``raw`` (any line ends). Never raises.

    A mail with a ``fault`` has its header fields if these could be read, but no text and no attachments.
    """
    data = _with_lf(raw)
    known = Message(hashlib.sha256(data).hexdigest())
    try:
        budget = Budget(caps)
        top = read_part(data, 0, len(data), budget)
        known = _header(top, known.sha256, caps)
        if len(raw) > caps.raw_mb * 1024 * 1024:
            raise OverCap(f"more than {caps.raw_mb} MB")
        return known if known.fault else _with_body(known, top, 0, budget)
    except OverCap as over:
        return replace(known, fault=f"it has {over}")
    except Exception as error:  # a bug of ours, but no mail may stop the desk
        return replace(known, fault=f"it cannot be read ({type(error).__name__})")


def mail_digest(raw: bytes) -> str:
    """The ``sha256`` of the mail, without parsing it."""
    return hashlib.sha256(_with_lf(raw)).hexdigest()


def _with_lf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n")


def _header(top: Part, digest: str, caps: Caps) -> Message:
    """The message without its body."""
    if b"\r" in top.raw[top.begin : top.start]:  # parsers end a header line there, servers do not
        return Message(digest, sender_fault="the header cannot be trusted", fault="a bare CR in the header")
    sender = read_from_field(top.fields)
    addresses = sum(len(plain_addresses(value)) for name, value in top.fields if name.lower() in _COUNTED)
    subject, reply_to = first_field(top.fields, "subject"), plain_addresses(first_field(top.fields, "reply-to"))
    ids = _Ids.of(top.fields)
    return Message(
        digest,
        message_id=ids.own,
        sender=sender.address,
        sender_fault=sender.fault,
        sender_name=sender.name,
        subject=single_line(decode_header(subject), _SUBJECT),
        date=single_line(first_field(top.fields, "date"), 100) or None,
        recipients=_recipients(top.fields)[: caps.addresses],
        reply_to=reply_to[0] if reply_to else None,
        in_reply_to=ids.answered,
        references=ids.references,
        headers=top.fields,
        defects=_header_defects(top.fields) + ids.defects,
        fault=f"it has more than {caps.addresses} addresses" if addresses > caps.addresses else None,
    )


def _with_body(header: Message, top: Part, depth: int, budget: Budget) -> Message:
    body = read_body(top, depth, budget)
    attached = tuple(_attached(inner, inner_depth, budget) for inner, inner_depth in body.mails)
    return replace(
        header,
        text=body.text,
        html=body.html,
        text_surely=None if body.surely == body.text else body.surely,
        attachments=body.attachments,
        attached=attached,
        defects=header.defects + body.defects,
    )


def _attached(top: Part, depth: int, budget: Budget) -> Message:
    digest = hashlib.sha256(top.raw[top.begin : top.end]).hexdigest()
    header = _header(top, digest, budget.caps)
    return header if header.fault else _with_body(header, top, depth, budget)


def _recipients(fields: Fields) -> tuple[str, ...]:
    values = [value for wanted in _RECIPIENTS for name, value in fields if name.lower() == wanted]
    return tuple(dict.fromkeys(address for value in values for address in plain_addresses(value)))


@dataclass(frozen=True)
class _Ids:
    """The Message-IDs of a header; ``defects`` names the fields with one that is not printable ASCII, or too long."""

    own: str | None
    answered: str | None
    references: tuple[str, ...]
    defects: tuple[str, ...]

    @classmethod
    def of(cls, fields: Fields) -> "_Ids":
        own, own_spoilt = own_message_id(first_field(fields, "message-id"))
        answered, answered_spoilt = message_ids(first_field(fields, "in-reply-to"))
        references, references_spoilt = message_ids(first_field(fields, "references"))
        spoilt = {"message-id": own_spoilt, "in-reply-to": answered_spoilt, "references": references_spoilt}
        return cls(
            own,
            answered[0] if len(answered) == 1 and not answered_spoilt else None,
            references,
            tuple(f"an unusable Message-ID in {name}" for name, is_spoilt in spoilt.items() if is_spoilt),
        )


def _header_defects(fields: Fields) -> tuple[str, ...]:
    names = [name.lower() for name, _ in fields]
    defects = [f"{names.count(name)} {name} fields" for name in _ONCE if names.count(name) > 1]
    if any("\ufffd" in value for _, value in fields):
        defects.append("control characters in the header")
    return tuple(defects)
