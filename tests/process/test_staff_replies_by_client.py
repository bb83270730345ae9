"""Replies as telephones and mail programs really build them: what is decided, and what the customer reads of it."""

import re
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN

BEFORE = "Can you take silver instead?"


def iphone(own: list[str], quoted: str) -> str:
    lines = own[0] + "".join(f"<div>{line or '<br>'}</div>" for line in own[1:])
    return (
        f'<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">{lines}<br id="lineBreakAtBeginningOfSignature">'
        '<div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 3 Nov 2026, at 10:00, Licence Desk &lt;desk@vendor.example&gt; wrote:<br><br></blockquote></div>'
        f'<blockquote type="cite"><div dir="ltr">\ufeff{quoted}</div></blockquote></body></html>'
    )


def gmail(
    own: list[str],
    quoted: str,
    attribution: str = "On Tue, Nov 3, 2026, 10:00 Licence Desk &lt;<a href='mailto:x'>desk@vendor.example</a>&gt; wrote:",
) -> str:
    lines = "".join(f'<div dir="auto">{line or "<br>"}</div>' for line in own)
    return (
        f'<div dir="auto">{lines}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{attribution}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">{quoted}</blockquote></div>'
    )


def gmail_italian(own: list[str], quoted: str) -> str:
    return gmail(own, quoted, "Il mar 3 nov 2026, 10:00 Licence Desk &lt;desk@vendor.example&gt; ha scritto:")


def outlook_mobile(own: list[str], quoted: str) -> str:
    lines = "".join(f'<div dir="auto" style="font-family: Aptos;">{line or "<br>"}</div>' for line in own)
    return (
        f"<html><body>{lines}<div><br></div><div id='ms-outlook-mobile-signature'>Get <a href='https://aka.ms/o0ukef'>Outlook for iOS</a></div>"
        "<hr style='display:inline-block;width:98%' tabindex='-1'><div id='divRplyFwdMsg' dir='ltr'><font face='Calibri'><b>From:</b> Licence Desk &lt;desk@vendor.example&gt;<br>"
        f"<b>Sent:</b> Tuesday, November 3, 2026 10:00:00 AM<br><b>To:</b> Anna<br><b>Subject:</b> x</font></div><div>{quoted}</div></body></html>"
    )


def outlook_desktop(own: list[str], quoted: str) -> str:
    lines = "".join(f'<p class="MsoNormal">{line or "<o:p>&nbsp;</o:p>"}</p>' for line in own)
    return (
        f"<html xmlns:o='urn:x'><body lang=DE><div class=WordSection1>{lines}<p class=MsoNormal><o:p>&nbsp;</o:p></p><div style='border:none;border-top:solid #E1E1E1 1.0pt'>"
        "<p class=MsoNormal><b>Von:</b> Licence Desk &lt;desk@vendor.example&gt;<br><b>Gesendet:</b> Dienstag, 3. November 2026 10:00<br><b>An:</b> Anna<br><b>Betreff:</b> x</p></div>"
        f"<p class=MsoNormal>{quoted}</p></div></body></html>"
    )


def samsung(own: list[str], quoted: str) -> str:
    lines = "".join(f'<div dir="auto">{line or "<br>"}</div>' for line in own)
    return (
        f'<html><body>{lines}<div dir="auto"><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757">Sent from my Galaxy</div></div>'
        '<div dir="auto"><br></div><div><!-- originalMessage --></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- Original message --------</div>'
        f"<div>From: Licence Desk &lt;desk@vendor.example&gt; </div><div>Date: 03/11/2026 10:00 (GMT+01:00) </div><div>To: Anna </div><div>Subject: x </div><div><br></div></div>{quoted}</body></html>"
    )


def thunderbird(own: list[str], quoted: str) -> str:
    return f'<html><body><p>{"<br>".join(own)}</p><div class="moz-signature">-- <br>Anna</div><div class="moz-cite-prefix">Am 03.11.26 um 10:00 schrieb Licence Desk:<br></div><blockquote type="cite" cite="mid:x">{quoted}</blockquote></body></html>'


def yahoo(own: list[str], quoted: str) -> str:
    lines = "".join(f"<div>{line or '<br>'}</div>" for line in own)
    return f'<div class="yahoo-style-wrap">{lines}</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>Le mardi 3 novembre 2026 à 10:00:00 UTC+1, Licence Desk &lt;desk@vendor.example&gt; a écrit :</div><div>{quoted}</div></div>'


PROGRAMS: list[Callable[[list[str], str], str]] = [
    iphone, gmail, gmail_italian, outlook_mobile, outlook_desktop, samsung, thunderbird, yahoo,
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def reply_in_html(desk: Running, program: Callable[[list[str], str], str], own: list[str], *, marker: bool) -> list:
    """Anna replies to her approval mail in HTML only; the quoted mail is there with the desk's marker line, or without."""
    approval = desk.write(JOE, PLAN)[1]
    text = body(approval) if marker else body(approval).split("\n", 1)[1]
    quoted = "<br>".join(escape(line) for line in text.splitlines())
    head = "Authentication-Results: mx.vendor.example; dmarc=pass header.from=vendor.example\r\n"
    head += f"From: Anna <{ANNA}>\r\nTo: {approval['Reply-To']}\r\nIn-Reply-To: {approval['Message-ID']}\r\nMessage-ID: <p@x>\r\n"
    head += "Content-Type: text/html; charset=utf-8\r\n\r\n"
    return desk.take((head + program(own, quoted)).encode())


@pytest.mark.parametrize("marker", [True, False], ids=["with our marker", "without"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_approve_is_understood_in_the_reply_of_every_mail_program(
    desk: Running, program: Callable[[list[str], str], str], marker: bool
) -> None:
    reply_in_html(desk, program, ["Approve"], marker=marker)
    assert desk.ticket().state == "done", desk.kinds()


@pytest.mark.parametrize("marker", [True, False], ids=["with our marker", "without"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_customer_reads_the_own_words_and_nothing_else(
    desk: Running, program: Callable[[list[str], str], str], marker: bool
) -> None:
    mails = reply_in_html(desk, program, ["ASK Hello Joe,", "", BEFORE, "NOTE he will not"], marker=marker)
    (question,) = [mail for mail in mails if str(mail["To"]) == JOE]
    text = body(question)
    assert "Hello Joe," in text
    assert BEFORE in text
    for never in (
        "he will not",
        "APPROVE",
        "How to decide",
        "Who asks",
        "Sent from",
        "Outlook",
        "wrote:",
        "schrieb",
        "Original",
        "Von:",
        "From:",
    ):
        assert never not in text, (never, text)
    assert not re.search(r"lic-1\.[a-z2-7]{26}", text, re.I)
    assert "noted" in desk.history()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_words_before_or_only_quoted_ones_decide_nothing(
    desk: Running, program: Callable[[list[str], str], str]
) -> None:
    reply_in_html(desk, program, ["Is that right?", "APPROVE"], marker=True)
    assert desk.ticket().state == "waiting_staff"


def test_words_that_not_every_program_shows_are_asked_back(desk: Running) -> None:
    def program(own: list[str], quoted: str) -> str:
        return f"<style>@media (max-width: 500px) {{.a {{display: none}}}}</style><p class=a>{own[0]}</p><blockquote>{quoted}</blockquote>"

    (asked,) = reply_in_html(desk, program, ["APPROVE"], marker=True)
    assert desk.ticket().state == "waiting_staff"
    assert str(asked["To"]) == ANNA
    assert "APPROVE" in body(asked)
    desk.write(ANNA, "CONFIRM", reply_to=asked)
    assert desk.ticket().state == "done"


def test_what_the_quoted_mail_hides_casts_no_doubt_on_the_own_words(desk: Running) -> None:
    def program(own: list[str], quoted: str) -> str:
        sheet = "@media (max-width: 500px) {.quoted {display: none}}"
        return f"<style>{sheet}</style><p>{own[0]}</p><blockquote class=quoted>{quoted}</blockquote>"

    reply_in_html(desk, program, ["APPROVE"], marker=True)
    assert desk.ticket().state == "done"
