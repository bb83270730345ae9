"""The web page of ``mailbot demo --stay``: read, write and reply as one of the people. Plain HTML, on 127.0.0.1 only.

Everything goes through that person's ``MailClient``, over IMAP and SMTP.
"""

import asyncio
import re
import smtplib
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from mailbot.core.mail.message import Message
from mailbot.demo.mail_client import DESK, MailClient, quoted, recipient_of_reply, reply_subject
from mailbot.demo.mail_server import HOST

_MAILTO = re.compile(r"mailto:[^\s<>\"]+")
_LARGEST = 30_000_000  # bytes of a mail with its files
_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MailPage:
    """The web server; ``start`` returns its port."""

    def __init__(self, people: dict[str, MailClient]) -> None:
        self.people = people
        self._pages = Environment(
            loader=PackageLoader("mailbot.demo", "pages"), autoescape=True, undefined=StrictUndefined
        )
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Start the server and return its port."""
        app = web.Application(client_max_size=_LARGEST, middlewares=[_only_from_here])
        app.add_routes(
            [
                web.get("/", self._people),
                web.get("/{who}/", self._mails),
                web.get("/{who}/write", self._blank),
                web.post("/{who}/write", self._write),
                web.get("/{who}/{uid:[0-9]+}", self._mail),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop the server."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _people(self, _: web.Request) -> web.Response:
        return self._page("people", people=self.people.values())

    async def _mails(self, request: web.Request) -> web.Response:
        client = await self._client(request)
        return self._page("mails", client=client, mails=sorted(client.inbox.items(), reverse=True))

    async def _mail(self, request: web.Request) -> web.Response:
        client = await self._client(request)
        mail = _mail_of(client, request.match_info["uid"])
        text = f"\n\n{quoted(mail)}"
        return self._page(
            "mail",
            client=client,
            mail=mail,
            body=_linked(mail.text, client),
            files=[file.name for file in mail.attachments],
            form={
                "to": recipient_of_reply(mail),
                "subject": reply_subject(mail),
                "text": text,
                "answers": request.match_info["uid"],
            },
        )

    async def _blank(self, request: web.Request) -> web.Response:
        query = request.query
        form = {"to": query.get("to", DESK), "subject": query.get("subject", ""), "text": query.get("text", "")}
        return self._page("write", client=await self._client(request), form={**form, "answers": ""})

    async def _write(self, request: web.Request) -> web.Response:
        client = await self._client(request)
        given = await request.post()
        fields = {name: str(given.get(name, "")) for name in ("to", "subject", "text", "answers")}
        answers = _mail_of(client, fields["answers"]) if fields["answers"] else None
        file = given.get("file")
        files = ((file.filename, file.file.read()),) if isinstance(file, web.FileField) and file.filename else ()
        try:
            await asyncio.to_thread(
                client.send,
                fields["text"],
                subject=fields["subject"],
                to=fields["to"].strip(),
                answers=answers,
                files=files,
            )
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise web.HTTPBadRequest(text=f"The mail was not sent: {error}") from error
        raise web.HTTPSeeOther(f"/{client.address}/")

    async def _client(self, request: web.Request) -> MailClient:
        client = self.people.get(request.match_info["who"])
        if client is None:
            raise web.HTTPNotFound(text="Nobody in the demo has that address.")
        await asyncio.to_thread(client.fetch)
        return client

    def _page(self, name: str, **values: object) -> web.Response:
        text = self._pages.get_template(f"{name}.html").render(**values)
        # No script of a mail runs, even if it gets past the escaping.
        policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})


@web.middleware
async def _only_from_here(request: web.Request, handler: _Next) -> web.StreamResponse:
    """Refuse requests that another site makes through a browser: the host and the origin of a form must be ours."""
    own = request.url.host in (HOST, "localhost")
    origin = request.headers.get("Origin")
    if not own or (request.method == "POST" and origin not in (None, f"http://{request.host}")):
        raise web.HTTPForbidden(text="This request did not come from the demo page.")
    return await handler(request)


def _mail_of(client: MailClient, uid: str) -> Message:
    mail = client.inbox.get(int(uid)) if uid.isascii() and uid.isdigit() else None
    if mail is None:
        raise web.HTTPNotFound(text="This mail does not exist.")
    return mail


def _linked(text: str, client: MailClient) -> list[tuple[str, str]]:
    """The text in pieces: (text, ""), or (mailto address, the page to write that mail as that person)."""
    pieces, at = [], 0
    for match in _MAILTO.finditer(text):
        link = urlsplit(match.group())
        given = parse_qs(link.query)
        ready = {"to": unquote(link.path)}
        ready |= {name: given[key][0] for name, key in (("subject", "subject"), ("text", "body")) if key in given}
        pieces += [(text[at : match.start()], ""), (match.group(), f"/{client.address}/write?{urlencode(ready)}")]
        at = match.end()
    return [*pieces, (text[at:], "")]
