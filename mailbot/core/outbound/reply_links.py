"""``mailto:`` links that open a reply to a mail of ours, or a new mail to the desk, with the words already in it."""

from urllib.parse import quote

from mailbot.core.form import blank_form
from mailbot.core.outbound.draft import Draft


def reply_link(draft: Draft, body: str) -> str:
    """A link that opens a reply to that mail, with ``body`` in it."""
    tag = draft.envelope.tag or (f"[{draft.ticket.ref}]" if draft.ticket else "")
    return _link(draft.envelope.reply_to or draft.letterhead.address, f"Re: {tag}".strip(), body)


def new_mail_link(address: str, body: str, subject: str) -> str:
    """A link that opens a new mail to ``address``."""
    return _link(address, subject, body)


def _link(to: str, subject: str, body: str) -> str:
    """The link. A body that does not fit into ``blank_form.LINK_MAX`` characters is shortened, or left out.

    Line ends are CR LF: RFC 6068 section 5 requires them, and Outlook does too.
    """
    link = f"mailto:{quote(to, safe='@+.')}?subject={quote(subject)}"
    for text in blank_form.shortened_forms(body) if body else ():
        whole = f"{link}&body={quote(text.replace(chr(10), chr(13) + chr(10)))}"
        if len(whole) <= blank_form.LINK_MAX:
            return whole
    return link
