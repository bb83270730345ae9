"""CPU time of every reader of mails and logs on hostile input of one megabyte. Prints the slowest input of each reader.

The inputs make regular expressions backtrack, recursion overflow and quadratic loops crawl. A time over a second is a
fault (exit code 1). Slow readings are measured three times, the fastest counts. Readers of text get at most as many lines
as ``parse`` lets through. Progress is printed on standard error.
"""

import argparse
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mailbot.core.base.address import plain_addresses, without_comments
from mailbot.core.base.characters import multi_line, single_line
from mailbot.core.form import quotes, reader
from mailbot.core.inbound import decision_grammar, reply_keys
from mailbot.core.inbound.intake import Thread, understand
from mailbot.core.logs import findings, unpack
from mailbot.core.mail import auth_results, bounce, tnef
from mailbot.core.mail.body import Attachment
from mailbot.core.mail.html import visible_text
from mailbot.core.mail.html.tokenizer import OverCap
from mailbot.core.mail.message import Caps, Message, parse

SIZE = 1_000_000
#: Header bytes that are read at most: see ``Caps``.
HEADER = 256 * 1024
#: Longest time allowed for one reading, in seconds.
LIMIT = 1.0
MARKER = "--- Please write your reply above this line ---"
ITEMS = {"LIC-1": {"support": "support", "agents": "agents", "addon:quality_analysis": "addon:quality_analysis"}}

#: Each is repeated to a megabyte.
PIECES = (
    "a", " ", "\t", "\n", " \n", "\n ", ">", "> ", ">\n", "> > ", ": ", ":", "x: ", "x:\n", "Agents: 1\n", "Agents: ", "Agents:\n",
    "Request: modify\n", "Request:\n", "License token: x\n", "lisense tokn: x\n", "- [x] Botify\n", "[x]", "| a ", "* ", "**", "_ ",
    ",", ";", ", ;", "support, ", "APPROVE\n", "APPROVE ", "APPROVE LIC-1\n", "REJECT x:\n", "REJECT ", "NOTE x\n", "NOTE x.\nx\n", "until ",
    "until 2026-01-01 ", "LIC-1 ", "[LIC-1]", "[LIC-1.", "HOLD\n\nx\n", "Anna\n", "Thanks ", "Thanks\n", "| ", "- ", " - ", "· ",
    "On 1 x wrote:\n", "On 1\n", "on 1 wrote ", "am 1 schrieb ", "Il 1 ha scritto:\n", "From: a\n", "From: a\nSent: b\n", "Sent from my x\n",
    "-- \n", "--\n", "-", "_", "=", "-----Original Message-----\n", "please write your\n", MARKER + "\n", "wrote:", "@", "a@b.c ", "a@b.c,",
    "<", "<a", "<a@b.c>", "<>", "(", ")", "()", "(\\", "\\", '"', '"\\', "=?", "=?utf-8?q?=41?= ", "=?utf-8?b?", "?=", "=41", "=\n", "%2E", "%",
    "A2", "ABCDEFGHIJKLMNOPQRSTUVWXYZ ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "message-id: <a@b>\n", "message-id:", "Message-ID:\n <",
    "dmarc=pass ", "; dmarc=pass header.from=b.c", "dmarc=fail (p=none) ;", ";", "p=none ", "\u200b", "\u202e", "é", "e\u0301", "\U0001f600", "\x1b[31m", "\r",
    "[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=grace\n", "[2026-11-03 08:15:00] ", "[LICENSE:CHECK] ",
    "[", "]", "{", "}", '{"a":', '["', '"\\u0041', "token=", 'a="', "a=b ", "a='b", "key=value", "1.2.3.4 ", "VERBOSE ", "status=trial\n",
    "<p>", "<div>", "<b><i>", "</p>", "<td>", "<table><tr><td>", "<blockquote>", "<!--", "<!-- -->", "<![CDATA[", "<style>a{", "<style>", "a{b:c}", "<script>",
    '<p style="display:none">', '<p style="', "<a href='", "<img alt=x>", "&amp;", "&#", "&#x41;", "&", "<input type=checkbox checked>", "<select><option>",
    "<style>div p{color:red}</style><p>x", "<style>@media (x){p{display:none}}</style><p>x", "<style>p~p{left:1px}</style><p>x",
    "User: 2; " * 200 + "\n", "User: 2   " * 200 + "\n", "Accounts: " + "1 users," * 200 + "\n", "Agents\tUsers\n", "User\t" * 300 + "\n",
    "<svg>", "<template>", "<p\n", "< p>", "<p/", "</", "<p class=gmail_quote>", "/*", "*/", "display:none;", "<font size=1>", "<x:y>", "<br>", "<li>",
)  # fmt: skip
#: Each is repeated with a different number in every line.
NUMBERED = (
    "x{}\ty\n", "License token: {}\n", "Token: a; Agents: {}; x: y; \n", "Agents\tUsers\n{}\t2\n", "agents={}\n", "lisense tokn {}: x\n",
    "Token\n{}\n\n", "- [x] {}\n", "Comments: x{}\n", "Request: modify {}\n", "On {} x wrote:\n", "> x{}\n", "Customer name: x\ny{} y y y y y\n",
    "=" * 60 + "{}\n", "(x)" * 20 + "{}\n", "?" * 60 + "{}\n", "APPROVE LIC-{}\n", "NOTE {}\n", "REJECT agents: {}\n",
)  # fmt: skip
#: HTML repeated in each of many parts.
TAGS = (
    "<div>",
    "<p>a",
    "</p>",
    "<blockquote>",
    "<td>a",
    "<table><tr><td>",
    "<p style='color:red'>a",
    "<li>a",
    "<b>a",
    "<br>",
)
HEAD = "Authentication-Results: mx.a; dmarc=pass header.from=b.c\nFrom: a@b.c\nTo: d@e.f\nMessage-ID: <1@b.c>\n"


def texts() -> Iterator[tuple[str, str]]:
    """(name, a megabyte of text)."""
    for piece in PIECES:
        yield repr(piece)[:40], piece * (SIZE // len(piece))
    for line in NUMBERED:
        whole = "".join(line.replace("{}", str(number)) for number in range(SIZE // len(line)))
        yield f"numbered {line!r}"[:40], whole[:SIZE]
    for first, last in (
        ("APPROVE\n\n", "Anna "),
        ("REJECT x", ":"),
        ("<p>", "</p>"),
        ("On 1 ", "x"),
        ("{", '"a":[{'),
        ("Comments: x\n", "y\n"),
        ("Request: ", "re: "),
    ):
        yield f"{first!r} then {last!r}", first + last * (SIZE // len(last))


def mails() -> Iterator[tuple[str, bytes]]:
    """(name, a mail of a megabyte)."""
    for name, text in texts():
        body = text.encode("utf-8", "replace")
        yield f"plain {name}", HEAD.encode() + b"\n" + body
        yield f"HTML {name}", HEAD.encode() + b"Content-Type: text/html; charset=utf-8\n\n" + body
        yield f"flowed {name}", HEAD.encode() + b"Content-Type: text/plain; format=flowed; delsp=yes\n\n" + body
        yield f"quoted-printable {name}", HEAD.encode() + b"Content-Transfer-Encoding: quoted-printable\n\n" + body
        yield (
            f"multipart {name}",
            HEAD.encode() + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + body.replace(b"\n", b"\n--b\n"),
        )
        line = text.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")[: 250 * 1024]
        for field in (
            "Subject",
            "From",
            "To",
            "References",
            "Authentication-Results",
            "Content-Type",
            "In-Reply-To",
            "Return-Path",
            "X",
        ):
            yield f"{field} {name}", f"{field}: ".encode() + line + b"\n" + HEAD.encode() + b"\nhello\n"
        yield (
            f"Content-Type boundary {name}",
            HEAD.encode() + b"Content-Type: multipart/mixed; boundary=" + line[:60] + b"\n\n" + body,
        )
    for tag in TAGS:
        for kind, parts in (("text/html", 10), ("text/html", 150), ("message/rfc822\n\nContent-Type: text/html", 10)):
            one = f"--b\nContent-Type: {kind}\n\n".encode() + tag.encode() * (SIZE // parts // len(tag)) + b"\n"
            yield (
                f"{parts} parts {kind[:14]} {tag}",
                HEAD.encode() + b"Content-Type: multipart/mixed; boundary=b\n\n" + one * parts,
            )
    for sign in ("; ", '\\";', "a1=b; ", "a*0=b; ", "a; "):
        one = f"--b\nContent-Type: text/plain; {(sign * 200)[:4060]}\n\nx\n".encode()
        yield (
            f"190 parts with {sign!r} as parameters",
            HEAD.encode() + b"Content-Type: multipart/mixed; boundary=b\n\n" + one * 190,
        )
    yield "attached mails in each other", HEAD.encode() + b"Content-Type: message/rfc822\n\n" * 30_000
    yield "many boundaries", HEAD.encode() + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 250_000
    yield "many recipients", HEAD.encode() + b"To: " + b"a@b.c,\n " * 30_000 + b"\n\nx"
    yield "many fields", HEAD.encode() + b"X: y\n" * 200_000 + b"\nx"


def shown(text: str) -> object:
    """The text that ``parse`` takes from HTML; None if it is over a cap."""
    try:
        return visible_text.visible_text(text)
    except OverCap:
        return None


READERS: dict[str, Callable[[str], object]] = {
    "decision.read": lambda text: decision_grammar.read_decisions(text, "LIC", ITEMS),
    "decision.confirmation_word": decision_grammar.confirmation_word,
    "own_text": lambda text: quotes.split_at_quote(text, (MARKER,)),
    "own_lines_anywhere": lambda text: quotes.split_interleaved(text, (MARKER,)),
    "read_forms": lambda text: reader.read_forms(text, ""),
    "read_fields": reader.read_fields,
    "html to text": shown,
    "holds_key": reply_keys.keys_in,
    "keys.find": lambda text: reply_keys.find_key([text], text, text, [text], "desk@v.example", "LIC"),
    "verdict": lambda text: auth_results.sender_verdict(_message(headers=(("Authentication-Results", "mx.a; " + text[:HEADER]),)), "mx.a"),
    "verdict of Microsoft": lambda text: auth_results.sender_verdict(_message(headers=(("Authentication-Results", text[:HEADER]),)), "microsoft365"),
    "bounce.report": lambda text: bounce.delivery_report(_message(sender="mailer-daemon@b.c", text=text, headers=(("Return-Path", "<>"),))),
    "bounce.report by fields": lambda text: bounce.delivery_report(_status(text.encode("utf-8", "replace"))),
    "bounce.automatic": lambda text: bounce.automatic_reason(_message(text=text, subject=text[:500]), "d@e.f"),
    "looks_like_log": findings.looks_like_log,
    "open_logs": lambda text: findings.read_logs(unpack.open_logs([("x.log", text.encode("utf-8", "replace"))])[0]),
    "open_logs gz": lambda text: findings.read_logs(unpack.open_logs([("x.gz", _gzip(text.encode("utf-8", "replace")))])[0]),
    "tnef": lambda text: tnef.read_tnef(b"\x78\x9f\x3e\x22\0\0" + text.encode("utf-8", "replace")),
    "single_line": single_line,
    "multi_line": multi_line,
    "listed": plain_addresses,
    "without_comments": without_comments,
}  # fmt: skip


def _message(**known: object) -> Message:
    return Message("0" * 64, **{"sender": "a@b.c", "sender_fault": None, **known})  # type: ignore[arg-type]


def _status(data: bytes) -> Message:
    part = Attachment(0, "", "message/delivery-status", "0" * 64, data)
    return _message(attachments=(part,), headers=(("Content-Type", "multipart/report; report-type=delivery-status"),))


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def _thread(message: Message) -> Thread:
    return Thread(
        reply_keys.find_key(
            message.recipients, message.subject, message.in_reply_to, message.references, "d@e.f", "LIC"
        )
    )


#: These readers get the whole input; the others only the lines that ``parse`` lets through.
RAW = (
    "html to text",
    "verdict",
    "verdict of Microsoft",
    "bounce.report by fields",
    "looks_like_log",
    "open_logs",
    "open_logs gz",
    "tnef",
)


def passed(text: str) -> str:
    """The lines of a text that ``parse`` would let through."""
    return "".join(text.splitlines(keepends=True)[: Caps().text_lines])


def taken(what: Callable[[], object]) -> float:
    """CPU seconds; the best of three if it is slow."""
    times: list[float] = []
    while len(times) < 3 and (not times or min(times) > LIMIT / 2):
        begun = time.process_time()
        what()
        times.append(time.process_time() - begun)
    return min(times)


def measured(wanted: Callable[[str], bool], step: int) -> Iterator[tuple[str, str, float]]:
    """(reader, input, seconds) for every wanted reader and every ``step``-th input."""
    for name, text in islice(texts(), 0, None, step):
        short = passed(text)
        for name_of, read in READERS.items():
            if not wanted(name_of):
                continue
            given = text if name_of in RAW else short
            yield name_of, name, taken(lambda read=read, text=given: read(text))  # type: ignore[misc]
    for name, raw in islice(mails(), 0, None, step) if wanted("parse") or wanted("understand") else ():
        yield "parse", name, taken(lambda raw=raw: parse(raw))  # type: ignore[misc]
        if not wanted("understand"):
            continue
        message = parse(raw)
        yield "understand", name, taken(lambda one=message: understand(one, _thread(one), "d@e.f"))  # type: ignore[misc]


def main(only: set[str], but: set[str], step: int = 1) -> int:
    """Print the slowest input of each reader; returns 1 if any took over a second."""
    slowest: dict[str, tuple[float, str]] = {}
    count, over = 0, 0
    for name_of, name, seconds in measured(lambda reader: reader not in but and (not only or reader in only), step):
        count += 1
        if count % 20 == 0:
            print(f"\r{count} readings, now {name_of} {name}"[:110].ljust(110), end="", file=sys.stderr, flush=True)
        slowest[name_of] = max(slowest.get(name_of, (0.0, "")), (seconds, name))
        if seconds > LIMIT:
            over += 1
            print(f"OVER: {seconds:.2f} s  {name_of}  {name}", flush=True)
    print(file=sys.stderr)
    for name_of, (seconds, name) in sorted(slowest.items(), key=lambda item: -item[1][0]):
        print(f"{seconds:8.3f} s  {name_of:28} {name}")
    print(f"{count} readings of about 1 MB; {over} over {LIMIT:g} s")
    return 1 if over else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="NAME", help="a reader to measure; default: every one")
    parser.add_argument("--but", action="append", default=[], metavar="NAME", help="a reader to leave out")
    parser.add_argument("--short", action="store_true", help="every eighth input, which takes two minutes")
    given = parser.parse_args()
    raise SystemExit(main(set(given.only), set(given.but), 8 if given.short else 1))
