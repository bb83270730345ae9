"""The golden mails 31 and up: what was typed, in which program, and what must be understood. Writes tests/mails/NN-name.*

    python -m tests.golden_mails

The .eml files are the truth that is tested; this makes them again after a change here. Expectations are written by hand: they
are what a careful clerk reads, never what the desk happens to say. All text is our own; the structure follows the named sample.
"""

import base64
import json
from dataclasses import dataclass, field

from tests.support import clients as c
from tests.support.clients import Draft
from tests.support.paths import TESTS

MAILS = TESTS / "mails"
TOKEN, OTHER = "A1B2C3D4E5F6", "N1B2C3D4E5F6"
LOG = (
    "license.log",
    "text/plain",
    b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=grace reason=expired daysLeft=3\n",
)
TALON = "mailgun/talon tests/fixtures/standard_replies"
QUAIL = "closeio/quotequail tests/files"
CRISP = "crisp-oss/email-reply-parser test/fixtures"
GMAIL = "Promignis/rfc2822 usage/testemls.go"
PROTON = "Proton Mail Bridge, features of SMTP sending"
MOZILLA = "mozilla/releases-comm-central mailnews/test/data"
RICOH = "Ricoh manual MP 5054, e-mail sent by the machine"
RFC = "the RFC named in it"
SEED = "the seed's guide of the self-service portal, its wording"


@dataclass(frozen=True)
class Form:
    """What must be read: the request, its fields, the problems as ``field: code`` and the comments for staff."""

    request: str
    action: str | None
    fields: dict[str, object]
    problems: tuple[str, ...] = ()
    comments: str | None = None


@dataclass
class Golden:
    """A mail with its expectation. ``corrected``: the fields of a reply, ``own``: its writer's words."""

    name: str
    source: str
    raw: bytes
    forms: tuple[Form, ...] = ()
    intake: str = "Forms"
    attachments: tuple[str, ...] = ()
    forwarded_from: str | None = None
    own: str | None = None
    corrected: dict[str, str] | None = None
    more: dict[str, object] = field(default_factory=dict)

    def expected(self) -> dict[str, object]:
        """The content of the .expected file."""
        forms = [vars(form) | {"problems": list(form.problems)} for form in self.forms]
        known: dict[str, object] = {
            "source": self.source, "intake": self.intake, "forms": forms, "attachments": list(self.attachments),
            "forwarded_from": self.forwarded_from,
        }  # fmt: skip
        if self.corrected is not None:
            known |= {"own": self.own, "corrected": self.corrected}
        return known | self.more


GOLDEN: list[Golden] = []


def add(name: str, source: str, raw: bytes, *forms: Form, **more: object) -> None:
    GOLDEN.append(Golden(name, source, raw, forms, **more))  # type: ignore[arg-type]


def draft(
    text: str, subject: str = "license", sender: str = "joe@acme.example", name: str = "Joe Smith", **more: object
) -> Draft:
    return Draft(sender, subject, text.strip("\n"), name, number=31 + len(GOLDEN), **more)  # type: ignore[arg-type]


def who(name: str = "Acme Ltd", **more: object) -> dict[str, object]:
    return {"token": TOKEN, "customer_name": name, "accept": True, **more}


def demo(name: str = "Acme Ltd", comments: str | None = None, **more: object) -> Form:
    return Form("activate", "demo", who(name, demo=True, **more), (), comments)


def plan(name: str = "Acme Ltd", comments: str | None = None, **more: object) -> Form:
    terms = {"demo": False, "plan": "voice_digital", "agents": 10, "billing": "annual", "support": "silver"}
    return Form("activate", "plan", who(name, **{**terms, **more}), (), comments)


def more_agents(name: str = "Acme Ltd", comments: str | None = None, **more: object) -> Form:
    return Form("modify", "add", who(name, **{"agents": 12, "reason": "more_agents", **more}), (), comments)


DEMO = f"Request: activate\nLicense token: {TOKEN}\nCustomer name: {{}}\nI accept the License Agreement: yes\n30 days free demo: yes"
PLAN = f"Request: activate\nLicense token: {TOKEN}\nCustomer name: {{}}\nI accept the License Agreement: yes\n30 days free demo: no\nPlan: Voice Digital\nAgents: 10\nBilling frequency: Annual\nSupport package: Silver"
ADD = f"Request: modify\nLicense token: {TOKEN}\nCustomer name: {{}}\nI accept the License Agreement: yes\nAction: add\nReason: More agents\nAgents: 12"


def programs() -> None:
    """Every program, every form."""
    add(
        "gmail-web-demo",
        GMAIL,
        c.gmail_web(draft("Hello,\n\n" + DEMO.format("Acme Ltd") + "\n\nThanks\nJoe")),
        demo(comments="Hello,\n\nThanks\nJoe"),
    )
    add(
        "gmail-app-plan",
        GMAIL,
        c.gmail_app(draft(PLAN.format("Caffè Nord S.r.l."), "Attivazione", name="Niccolò Rossi")),
        plan("Caffè Nord S.r.l."),
    )
    add(
        "outlook-desktop-add",
        f"{TALON}/outlook.eml",
        c.outlook_desktop(
            draft(
                ADD.format("Müller & Söhne GmbH") + "\nComments: bitte bald\n\nMit freundlichen Grüßen\nJörg Müller",
                "WG: Lizenz",
                name="Müller, Jörg",
                charset="iso-8859-1",
            )
        ),
        more_agents("Müller & Söhne GmbH", "bitte bald"),
    )
    remove = f"Request: modify/remove\nLicense token: {TOKEN}\nCustomer name: Acme Ltd\nI accept the License Agreement: yes\nReason: cost\nUsers: 2\nPlugins: Data Retention, Botify"
    add(
        "outlook-html-remove",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(draft(remove, charset="windows-1252")),
        Form("modify", "remove", who(reason="cost", users=2, plugins=["data_retention", "botify"])),
    )
    off = f"Request: modify\nToken: {TOKEN}\nCustomer Name/Reference: Acme Ltd\nAccept License Agreement: YES\nAction Request: Deactivate\nReason of cancellation: Project ended"
    add(
        "outlook-web-deactivate",
        f"{TALON}/hotmail.eml",
        c.outlook_web(draft(off)),
        Form("modify", "deactivate", who(reason="project_ended")),
    )
    contract = f"Request: contract\nLicense token: {TOKEN}\nCustomer name: Société d'Appels\nI agree: oui\nSupport plan: Platinum\nWhite label: non\nComments: dès que possible"
    add(
        "outlook-app-contract",
        f"{CRISP}/email_ios_outlook_fr.txt",
        c.outlook_app(draft(contract, "Contrat", name="Hélène Dupré"), "fr"),
        Form("contract", None, who("Société d'Appels", support="platinum", whitelabel=False), (), "dès que possible"),
    )
    expired = f"Request: reactivate\nCustomer name: Acme Ltd\nGrace period reason: Expired license (trial mode)\nOld token: {TOKEN}\nComments: the log is attached"
    add(
        "apple-mac-expired",
        f"{TALON}/apple_mail.eml",
        c.apple_mac(draft(expired, files=(LOG,))),
        Form(
            "reactivate",
            "expired",
            {"customer_name": "Acme Ltd", "reason": "expired", "old_token": TOKEN},
            (),
            "the log is attached",
        ),
        attachments=("license.log",),
    )
    moved = (
        f"Request: reactivate\nCustomer name: Acme Ltd\nReason: token change\nOld token: {TOKEN}\nNew token: {OTHER}"
    )
    add(
        "apple-mac-html-token-change",
        f"{TALON}/apple_mail_2.eml",
        c.apple_mac_html(draft(moved, files=(LOG,))),
        Form(
            "reactivate",
            "token_change",
            {"customer_name": "Acme Ltd", "reason": "token_change", "old_token": TOKEN, "new_token": OTHER},
        ),
        attachments=("license.log",),
    )
    other = f"Request: reactivate\nCustomer name: Groß KG\nReason: der Server ist abgebrannt\nOld token: {TOKEN}\nComments: bitte anrufen"
    add(
        "iphone-other",
        f"{TALON}/iphone.eml",
        c.iphone(draft(other, name="Jörg Müller"), "de"),
        Form(
            "reactivate",
            "other",
            {"customer_name": "Groß KG", "reason": "other: der Server ist abgebrannt", "old_token": TOKEN},
            (),
            "bitte anrufen",
        ),
    )
    add(
        "iphone-html-question",
        f"{QUAIL}/ios_mail_reply_unescaped_address.html",
        c.iphone_html(
            draft("Request: information\nQuestion: what does a licence cost?\nAnd how long does it take?", "question")
        ),
        Form(
            "information",
            None,
            {"question": "what does a licence cost?\nAnd how long does it take?", "customer_name": "Joe Smith"},
        ),
    )
    shuttle = f"Request: shuttle\nAction: modify\nLicense token: {TOKEN}\nCustomer name: Acme Ltd\nDescription: we need two more channels on the old server, which runs in the basement of our office in Turin, and later perhaps a third one for the summer"
    add(
        "thunderbird-flowed-shuttle-modify",
        f"{MOZILLA} (format=flowed, RFC 3676)",
        c.thunderbird(draft(shuttle)),
        Form(
            "shuttle",
            "modify",
            {
                "token": TOKEN,
                "customer_name": "Acme Ltd",
                "description": "we need two more channels on the old server, which runs in the basement of our office in Turin, and later perhaps a third one for the summer",
            },
        ),
    )
    transfer = f"Product: Shuttle\nAction: transfer\nLicense token: {TOKEN}\nMotion token: {OTHER}\nCustomer name: Acme Ltd\nDescription: move it please"
    add(
        "thunderbird-html-shuttle-transfer",
        f"{QUAIL}/thunderbird_forward.html",
        c.thunderbird_html(draft(transfer)),
        Form(
            "shuttle",
            "transfer",
            {"token": TOKEN, "motion_token": OTHER, "customer_name": "Acme Ltd", "description": "move it please"},
        ),
    )
    add("yahoo-demo", f"{QUAIL}/yahoo_reply_unescaped_address.html", c.yahoo(draft(DEMO.format("Acme Ltd"))), demo())
    add(
        "proton-plan",
        PROTON,
        c.proton(draft(PLAN.format("Acme Ltd") + "\nComments: no hurry", encoding="base64")),
        plan(comments="no hurry"),
    )
    add(
        "ticket-system-add",
        "OTRS, header lines of its outgoing mails",
        c.ticket_system(
            draft(
                "Dear colleagues,\n\nour customer asks for:\n\n"
                + ADD.format("Acme Ltd")
                + "\n\n-- \nHelp Desk\nTelephone: 12",
                "[Ticket#2026110310000012] license",
            )
        ),
        more_agents(comments="Dear colleagues,\n\nour customer asks for:"),
    )
    add(
        "scanner",
        RICOH,
        c.scanner(
            draft(
                'This E-mail was sent from "RNP002673" (MP C3004).\n\nScan Date: 03.11.2026 09:12:41 (+0100)\nQueries to: admin@acme.example',
                "Message from RNP002673",
                "scan@acme.example",
                "",
                encoding="7bit",
                charset="us-ascii",
                files=(("20261103091241.pdf", "application/pdf", b"%PDF-1.4\n"),),
            )
        ),
        intake="Prose",
        attachments=("20261103091241.pdf",),
    )
    add(
        "smime-signed",
        f"{MOZILLA}/smime-manual",
        c.smime(draft(DEMO.format("Acme Ltd"))),
        demo(),
        attachments=("smime.p7s",),
    )
    add(
        "pgp-mime-signed",
        f"{MOZILLA} (RFC 3156)",
        c.pgp_mime(draft(DEMO.format("Acme Ltd") + "\n\n-- \nJoe")),
        demo(),
        attachments=("OpenPGP_signature.asc",),
    )
    add(
        "pgp-inline-signed",
        "RFC 4880 section 7, cleartext signatures",
        c.pgp_inline(draft("- " + DEMO.format("Acme Ltd").replace("\n", "\n- ") + "\n-- \nJoe")),
        demo(),
    )
    add(
        "winmail-dat",
        "MS-OXTNEF, as Outlook sends rich text",
        c.winmail(draft(ADD.format("Südwind AG – Köln"))),
        more_agents("Südwind AG – Köln"),
    )


def rows(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return pairs


PAIRS = rows(("Request", "Activate a new license"), ("License token", TOKEN), ("Customer Name/Reference", "Acme Ltd"), ("I accept the License Agreement", "YES"), ("Are you requesting a 30 days free demo?", "NO"), ("Plan", "Voice Digital"), ("Number of agents", "10"), ("Billing frequency", "Annual"), ("Support package", "Silver"))  # fmt: skip


def table(cell: str, pairs: tuple[tuple[str, str], ...] = PAIRS) -> str:
    return (
        '<table border="1">'
        + "".join(f"<tr>{cell.format(f'<b>{a}</b>')}{cell.format(b)}</tr>" for a, b in pairs)
        + "</table>"
    )


def layouts() -> None:
    """Every way in which people lay out a form."""
    word = '<td valign="top" style="padding:0cm 5.4pt"><p class="MsoNormal">{}<o:p></o:p></p></td>'
    stacked = "\n".join(f"{a}\n{b}" for a, b in PAIRS)
    add(
        "word-table-with-plain",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_desktop(draft(stacked, html=table(word))),
        plan(),
    )
    add(
        "word-table-html-only",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(
            draft(
                "x", html=table(word) + '<p class="MsoNormal">Best regards<o:p></o:p></p><p class="MsoNormal">Joe</p>'
            )
        ),
        plan(),
    )
    listed = (*PAIRS, ("Add-ons", '<p class="MsoNormal">Quality Analysis</p><p class="MsoNormal">AI Assistants</p>'))
    add(
        "word-table-list-in-a-cell",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(draft("x", html=table(word, listed))),
        plan(addons=["quality_analysis", "ai_assistants"]),
    )
    add("gmail-table", GMAIL, c.gmail_web(draft(stacked, html=table("<td>{}</td>"))), plan())
    head = (
        "<table><tr>"
        + "".join(f"<th>{a}</th>" for a, _ in PAIRS)
        + "</tr><tr>"
        + "".join(f"<td>{b}</td>" for _, b in PAIRS)
        + "</tr></table>"
    )
    add(
        "table-with-a-head-row",
        f"{QUAIL}/ios_mail_reply_unescaped_address.html",
        c.iphone_html(draft("x", html=head)),
        plan(),
    )
    four = (
        "<table>"
        + "".join(
            f"<tr><td>{a}:</td><td>{b}</td><td>{d}:</td><td>{e}</td></tr>"
            for (a, b), (d, e) in zip(PAIRS[1::2], PAIRS[2::2], strict=True)
        )
        + "</table>"
    )
    add(
        "table-of-two-columns",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(draft("x", "Activate a new license", html=four)),
        plan(),
    )
    two = f"Request: activate              License token: {TOKEN}\nCustomer name: Acme Ltd        I accept: yes\ndemo: no                       Plan: Voice Digital\nAgents: 10                     Billing: annual\nSupport: Silver"
    add("two-columns-by-spaces", f"{TALON}/comcast.eml", c.apple_mac(draft(two)), plan())
    add("bullets", GMAIL, c.gmail_app(draft("\n".join(f"• {a}: {b}" for a, b in PAIRS))), plan())
    add(
        "dashes-in-a-list",
        GMAIL,
        c.gmail_web(
            draft(
                "\n".join(f"- {a}: {b}" for a, b in PAIRS),
                html="<ul>" + "".join(f"<li>{a}: {b}</li>" for a, b in PAIRS) + "</ul>",
            )
        ),
        plan(),
    )
    add(
        "bold-labels-as-asterisks",
        GMAIL,
        c.gmail_web(
            draft(
                "\n".join(f"*{a}:* {b}" for a, b in PAIRS),
                html="".join(f"<div><b>{a}:</b> {b}</div>" for a, b in PAIRS),
            )
        ),
        plan(),
    )
    add("markdown-bold", PROTON, c.proton(draft("\n".join(f"**{a}**: {b}" for a, b in PAIRS))), plan())
    boxes = "\nAdd-ons:\n[x] Quality Analysis\n[ ] Real-time Translator\n[X] AI Assistants\nPlugins:\n[ ] Data Retention\n[x] Botify\n[ ] Queue Manager"
    add(
        "boxes-in-plain-text",
        f"{TALON}/thunderbird.eml",
        c.thunderbird(draft(PLAN.format("Acme Ltd") + boxes)),
        plan(addons=["quality_analysis", "ai_assistants"], plugins=["botify"]),
    )
    ticks = (
        PLAN.format("Acme Ltd")
        .replace("I accept the License Agreement: yes", "☒ I accept the License Agreement")
        .replace("30 days free demo: no", "30 days free demo: ☐ yes ☒ no")
    )
    add("boxes-of-word", f"{QUAIL}/outlook_forward.html", c.outlook_html(draft(ticks)), plan())
    inputs = (
        "".join(f"<div>{a}: {b}</div>" for a, b in PAIRS)
        + "<div>Plugins:</div>"
        + "".join(
            f'<div><input type="checkbox"{on}> {name}</div>'
            for name, on in (("Data Retention", ""), ("Botify", " checked"), ("Schedulease", ""))
        )
    )
    add(
        "boxes-of-html",
        f"{QUAIL}/ios_mail_reply_unescaped_address.html",
        c.iphone_html(draft("x", html=inputs)),
        plan(plugins=["botify"]),
    )
    add(
        "definition-list",
        f"{QUAIL}/thunderbird_forward.html",
        c.outlook_html(draft("x", html="<dl>" + "".join(f"<dt>{a}</dt><dd>{b}</dd>" for a, b in PAIRS) + "</dl>")),
        plan(),
    )
    add(
        "values-on-the-next-line",
        f"{TALON}/apple_mail.eml",
        c.apple_mac(draft("\n".join(f"{a}:\n{b}\n" for a, b in PAIRS))),
        plan(),
    )
    add(
        "labels-without-a-colon",
        SEED + ", copied from the portal",
        c.apple_mac_html(draft("\n\n".join(f"{a}\n{b}" for a, b in PAIRS))),
        plan(),
    )
    add(
        "full-width-colons",
        "RFC 1468 mails, full-width forms as Japanese keyboards write them",
        c.apple_mac(draft("\n".join(f"{a}：{b}" for a, b in PAIRS))),
        plan(),
    )
    unseen = "\n".join(f"{a}\u00a0:\u200b {b}\u00a0" for a, b in PAIRS)
    add("unseen-spaces", f"{QUAIL}/outlook_forward.html", c.outlook_web(draft(unseen)), plan())
    add("tabs", f"{TALON}/outlook.eml", c.thunderbird(draft("\n".join(f"{a}\t{b}" for a, b in PAIRS))), plan())
    add(
        "drawn-table",
        f"{QUAIL}/yahoo_reply_unescaped_address.html",
        c.yahoo(draft("\n".join(f"| {a} | {b} |" for a, b in PAIRS))),
        plan(),
    )
    add(
        "equals-signs",
        f"{TALON}/thunderbird.eml",
        c.apple_mac(draft("\n".join(f"{a.rstrip('?')} = {b}" for a, b in PAIRS))),
        plan(),
    )
    long = "The Association of Independent Call Centres of the Northern\nCounties, Head Office in Leeds"
    add(
        "wrapped-long-value",
        GMAIL,
        c.gmail_web(
            draft(
                DEMO.format(long), html=f"<div>{DEMO.format(long.replace(chr(10), ' ')).replace(chr(10), '<br>')}</div>"
            )
        ),
        demo(long.replace("\n", " ")),
    )
    add(
        "smart-quotes",
        f"{TALON}/iphone.eml",
        c.iphone(
            draft(PLAN.format("O’Neill “& Sons”").replace("Voice Digital", "“Voice Digital”").replace(": no", ": “No”"))
        ),
        plan("O’Neill “& Sons”"),
    )
    add("upper-case", f"{TALON}/aol.eml", c.yahoo(draft("\n".join(f"{a.upper()}: {b}" for a, b in PAIRS))), plan())
    add(
        "aside-in-labels",
        "a blank form of ours, filled in by hand",
        c.apple_mac(
            draft(
                PLAN.format("Acme Ltd")
                .replace("Plan:", "Plan (Voice / Digital /\nVoice Digital):")
                .replace("Agents:", "Agents (at least 5):")
            )
        ),
        plan(),
    )


def charsets() -> None:
    """Character sets, right, wrong and missing."""
    name = "Zürich Café «Süd»"
    text = DEMO.format(name)
    add("latin-1-quoted-printable", "RFC 2045 section 6.7", c.apple_mac(draft(text, charset="iso-8859-1")), demo(name))
    add(
        "windows-1252-base64",
        "RFC 2045 section 6.8",
        c.outlook_web(draft(DEMO.format("Café “Süd” – 5 €"), charset="windows-1252", encoding="base64")),
        demo("Café “Süd” – 5 €"),
    )
    add("utf-16-base64", "RFC 2781", c.apple_mac(draft(text, charset="utf-16")), demo(name))
    japanese = draft(DEMO.format("株式会社アクメ"), charset="iso-2022-jp", encoding="7bit", name="")
    raw = c.apple_mac(japanese).replace(
        b"From: joe@acme.example",
        b"From: =?iso-2022-jp?B?" + base64.b64encode("山田太郎".encode("iso-2022-jp")) + b"?= <joe@acme.example>",
    )
    add("iso-2022-jp-names", "RFC 1468", raw, demo("株式会社アクメ"), more={"sender_name": "山田太郎"})
    add(
        "shift-jis",
        "a Japanese mobile mail, Shift_JIS with its own label",
        c.apple_mac(draft(DEMO.format("アクメ商事"), charset="shift_jis", encoding="base64")),
        demo("アクメ商事"),
    )
    add(
        "utf-8-labelled-latin-1",
        "wrong labels as web forms send them",
        c.apple_mac(draft(text, label="iso-8859-1", encoding="8bit")),
        demo(name),
    )
    add(
        "latin-1-labelled-utf-8",
        "wrong labels as old scripts send them",
        c.apple_mac(draft(text, charset="iso-8859-1", label="utf-8", encoding="8bit")),
        demo(name),
    )
    add(
        "no-charset",
        "RFC 2046 section 4.1.2, the label left out",
        c.apple_mac(draft(text, label="none", encoding="8bit")),
        demo(name),
    )
    add(
        "latin-1-labelled-ascii",
        "wrong labels as old servers send them",
        c.apple_mac(draft(text, charset="iso-8859-1", label="us-ascii", encoding="8bit")),
        demo(name),
    )
    add(
        "unknown-charset",
        "labels that nobody knows",
        c.apple_mac(draft(text, label="x-unknown", encoding="8bit")),
        demo(name),
    )
    add(
        "utf-8-with-mark",
        "Notepad's byte order mark before the first label",
        c.apple_mac(draft("\ufeff" + text)),
        demo(name),
    )
    meta = f'<html><head><meta charset="iso-8859-1"></head><body>{text.replace(chr(10), "<br>")}</body></html>'
    add(
        "charset-in-the-html-alone",
        "HTML that names its own character set",
        c.mail(draft("x"), c.part("text/html", meta, draft("x", charset="iso-8859-1", label="none"))),
        demo(name),
    )
    delsp = "Request: activ \nate\nLicense token: A1B2C3 \nD4E5F6\nCustomer name: Acme Ltd\nI accept the License Agreement: yes\n30 days free demo: yes"
    add(
        "flowed-delsp",
        "RFC 3676 section 4.1",
        c.mail(draft("x"), c.part("text/plain", delsp + "\n", draft("x"), "; format=flowed; delsp=yes")),
        demo(),
    )


def endings() -> None:
    """Signatures and legal notices."""
    card = "Joe Smith\nSupport Manager\nCompany: Acme Holding\nTelephone: +39 02 1234567\nEmail: joe@acme.example"
    add(
        "signature-below-dashes",
        f"{MOZILLA} (RFC 3676 section 4.3)",
        c.thunderbird(draft(ADD.format("Acme Ltd") + f"\nComments: soon please\n\n-- \n{card}")),
        more_agents(comments="soon please"),
    )
    notice = "CONFIDENTIALITY NOTICE: this e-mail is meant for the addressee only.\nSupport: 24/7\nUsers: everybody"
    add(
        "legal-notice-below-regards",
        f"{TALON}/outlook.eml",
        c.outlook_desktop(draft(ADD.format("Acme Ltd") + f"\n\nKind regards,\nJoe Smith\n\n{notice}")),
        more_agents(),
    )
    add(
        "iphone-ends-comments-it",
        f"{TALON}/iphone.eml",
        c.iphone(draft(ADD.format("Acme S.p.A.") + "\nComments: ci serve entro lunedì", name="Niccolò Rossi"), "it"),
        more_agents("Acme S.p.A.", "ci serve entro lunedì"),
    )
    add(
        "outlook-app-ends-comments-es",
        f"{CRISP}/email_android_outlook_fr.txt",
        c.outlook_app(draft(ADD.format("Peña y Muñoz S.L.") + "\nComments: lo antes posible"), "es"),
        more_agents("Peña y Muñoz S.L.", "lo antes posible"),
    )
    add(
        "closing-of-five-words",
        f"{CRISP}/email_with_regards.txt",
        c.gmail_web(draft(ADD.format("Acme Ltd") + "\nComments: two words\n\nWith best regards\nJoe")),
        more_agents(comments="two words"),
    )


#: A mail of ours that is answered, as plain text.
SENT = f"--- Please write your reply above this line ---\n\nThank you for your request. One thing is not right yet.\n\nReply to this mail with only the corrected lines.\n\nRequest: modify/add\nLicense token: {TOKEN}\nCustomer name: Acme Ltd\nAgents:\nUsers: 3\n\n-- \nLicence Desk\n"
MARKED = "\n".join(f"> {line}".rstrip() for line in SENT.split("\n"))
SAID = {
    "en": ("On Tue, 3 Nov 2026 at 09:00, Licence Desk <licences@desk.example> wrote:", "Thank you, here it is."),
    "it": ("Il giorno mar 3 nov 2026 alle ore 09:00 Licence Desk <\nlicences@desk.example> ha scritto:", "Grazie, ecco."),
    "de": ("Am Di., 3. Nov. 2026 um 09:00 Uhr schrieb Licence Desk <\nlicences@desk.example>:", "Danke, bitte sehr."),
    "fr": ("Le mar. 3 nov. 2026 à 09:00, Licence Desk <licences@desk.example> a\nécrit :", "Merci, voici."),
    "es": ("El mar, 3 nov 2026 a las 9:00, Licence Desk (<licences@desk.example>)\nescribió:", "Gracias, aquí está."),
}  # fmt: skip


def answer(text: str, **more: object) -> Draft:
    return draft(
        text, "Re: [LIC-12] Your request needs a correction", extra=("In-Reply-To: <lic-12.a@desk.example>",), **more
    )


def replies() -> None:
    """Repairs: top and bottom posting in five languages, edited quotes, forms between quoted lines."""
    make = {"en": c.gmail_web, "it": c.apple_mac, "de": c.thunderbird, "fr": c.yahoo, "es": c.gmail_app}
    sources = {
        "en": f"{GMAIL}",
        "it": f"{CRISP}/email_italian.txt",
        "de": f"{CRISP}/email_german.txt",
        "fr": f"{CRISP}/email_fr_multiline.txt",
        "es": f"{TALON}/yahoo.eml",
    }
    for language, (said, words) in SAID.items():
        top = f"{words}\n\nAgents: 12\n\n{said}\n\n{MARKED}"
        add(
            f"reply-top-{language}",
            sources[language],
            make[language](answer(top)),
            intake="CustomerReply",
            own=f"{words}\n\nAgents: 12",
            corrected={"agents": "12"},
        )
        bottom = f"{said}\n\n{MARKED}\n\n{words}\nAgents: 12"
        add(
            f"reply-bottom-{language}",
            sources[language],
            c.apple_mac(answer(bottom)),
            intake="CustomerReply",
            own="",
            corrected={"agents": "12"},
        )
    block = f"Agents: 12\n\n________________________________\nVon: Licence Desk <licences@desk.example>\nGesendet: Dienstag, 3. November 2026 09:00\nAn: Joe\nBetreff: [LIC-12] Your request needs a correction\n\n{SENT}"
    add(
        "reply-outlook-block-de",
        f"{CRISP}/email_german_outlook.txt",
        c.outlook_desktop(answer(block)),
        intake="CustomerReply",
        own="Agents: 12",
        corrected={"agents": "12"},
    )
    original = f"Agents: 12\n\n-----Ursprüngliche Nachricht-----\nVon: Licence Desk\nAn: Joe\nBetreff: [LIC-12]\nDatum: 03.11.2026 09:00\n\n{SENT}"
    add(
        "reply-original-message-de",
        f"{CRISP}/email_german_outlook.txt",
        c.outlook_web(answer(original)),
        intake="CustomerReply",
        own="Agents: 12",
        corrected={"agents": "12"},
    )
    edited = f"{SAID['en'][0]}\n\n" + MARKED.replace("> Agents:", "> Agents: 12").replace("> Users: 3", "> Users: 4")
    add(
        "reply-edited-quote",
        f"{TALON}/thunderbird.eml",
        c.apple_mac(answer(edited)),
        intake="CustomerReply",
        own="",
        corrected={"agents": "12", "users": "4"},
    )
    between = f"{SAID['en'][0]}\n\n" + MARKED.replace("> Agents:", "> Agents:\nAgents: 12\n>")
    add(
        "reply-between-quoted-lines",
        f"{CRISP}/email_tricky_18_inline_reply.txt",
        c.apple_mac(answer(between)),
        intake="CustomerReply",
        own="",
        corrected={"agents": "12"},
    )
    whole = f"Hello, once more:\n\n{ADD.format('Acme Holding Ltd')}\n\n{SAID['en'][0]}\n\n{MARKED}"
    add(
        "reply-with-a-new-form",
        GMAIL,
        c.gmail_web(answer(whole)),
        intake="CustomerReply",
        own=f"Hello, once more:\n\n{ADD.format('Acme Holding Ltd')}",
        corrected={
            "request": "modify",
            "token": TOKEN,
            "customer_name": "Acme Holding Ltd",
            "accept": "yes",
            "action": "add",
            "reason": "More agents",
            "agents": "12",
        },
    )
    add(
        "reply-late-log",
        f"{TALON}/apple_mail.eml",
        c.apple_mac(answer(f"Here is the log.\n\n{SAID['en'][0]}\n\n{MARKED}", files=(LOG,))),
        intake="CustomerReply",
        own="Here is the log.",
        corrected={},
        attachments=("license.log",),
    )
    add(
        "reply-of-another-kind",
        GMAIL,
        c.gmail_web(
            answer(
                f"Sorry, we want less.\nRequest: modify/remove\nReason: cost\nAgents: 6\n\n{SAID['en'][0]}\n\n{MARKED}"
            )
        ),
        intake="CustomerReply",
        own="Sorry, we want less.\nRequest: modify/remove\nReason: cost\nAgents: 6",
        corrected={"request": "modify/remove", "reason": "cost", "agents": "6"},
    )
    html = f'<div dir="ltr">Agents: 12</div><br><div class="ydp9b1f0a55yahoo_quoted"><div>On Tuesday, November 3, 2026, Licence Desk wrote:</div>{c.divs(SENT)}</div>'
    add(
        "reply-yahoo-html-only",
        f"{QUAIL}/yahoo_reply_unescaped_address.html",
        c.mail(answer("x"), c.part("text/html", html, draft("x"))),
        intake="CustomerReply",
        own="Agents: 12",
        corrected={"agents": "12"},
    )
    proton = f'<div>Agents: 12</div><div class="protonmail_quote">On Tuesday, November 3rd, 2026 at 09:00, Licence Desk &lt;licences@desk.example&gt; wrote:<br><blockquote class="protonmail_quote" type="cite">{c.divs(SENT)}</blockquote></div>'
    add(
        "reply-proton-html-only",
        PROTON,
        c.mail(answer("x"), c.part("text/html", proton, draft("x"))),
        intake="CustomerReply",
        own="Agents: 12",
        corrected={"agents": "12"},
    )
    add(
        "form-between-quoted-lines",
        f"{CRISP}/email_with_quotes.txt",
        c.apple_mac(
            draft(
                "As you asked:\n\n"
                + "\n".join(f"> {line}" for line in PLAN.format("Acme Ltd").split("\n"))
                + "\n\nBest regards\nJoe",
                "Re: the form",
            )
        ),
        plan(comments="As you asked:"),
    )


def forwards() -> None:
    """Requests that somebody hands on."""
    ann = "ann@client.example"
    add(
        "forward-gmail",
        f"{QUAIL}/gmail_forward.html",
        c.gmail_web(
            draft(
                f"For you, please.\n\n---------- Forwarded message ---------\nFrom: Ann Client <{ann}>\nDate: Tue, Nov 3, 2026 at 8:00 AM\nSubject: license\nTo: Joe Smith <joe@acme.example>\n\n\n{DEMO.format('Client Ltd')}",
                "Fwd: license",
            )
        ),
        demo(
            "Client Ltd",
            f"For you, please.\n\n---------- Forwarded message ---------\nFrom: Ann Client <{ann}>\nDate: Tue, Nov 3, 2026 at 8:00 AM\nSubject: license\nTo: Joe Smith <joe@acme.example>",
        ),
        forwarded_from=ann,
    )
    add(
        "forward-outlook-de",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(
            draft(
                f"Bitte übernehmen.\n\nVon: Ann Client <{ann}>\nGesendet: Dienstag, 3. November 2026 08:00\nAn: Joe\nBetreff: Lizenz\n\n{DEMO.format('Client GmbH')}",
                "WG: Lizenz",
            )
        ),
        demo(
            "Client GmbH",
            f"Bitte übernehmen.\n\nVon: Ann Client <{ann}>\nGesendet: Dienstag, 3. November 2026 08:00\nAn: Joe\nBetreff: Lizenz",
        ),
        forwarded_from=ann,
    )
    apple = f"Inicio del mensaje reenviado:\n\nDe: Ann Client <{ann}>\nAsunto: licencia\nFecha: 3 de noviembre de 2026, 8:00:00 CET\nPara: Joe\n\n{DEMO.format('Cliente S.L.')}"
    add(
        "forward-apple-es",
        f"{QUAIL}/apple_forward.html",
        c.apple_mac(draft("\n".join(f"> {line}".rstrip() for line in apple.split("\n")), "Rv: licencia")),
        demo("Cliente S.L.", apple.partition("\n\nRequest")[0]),
        forwarded_from=ann,
    )
    bird = f"-------- Messaggio inoltrato --------\nOggetto: \tlicenza\nData: \tTue, 3 Nov 2026 08:00:00 +0100\nMittente: \tAnn Client <{ann}>\nA: \tJoe\n\n{DEMO.format('Cliente S.r.l.')}"
    add(
        "forward-thunderbird-it",
        f"{QUAIL}/thunderbird_forward.html",
        c.apple_mac(draft(bird, "Fwd: licenza")),
        demo("Cliente S.r.l.", bird.partition("\n\nRequest")[0].replace(" \t", " \t")),
        forwarded_from=ann,
    )
    inner = c.apple_mac(draft(DEMO.format("Client Ltd"), sender=ann, name="Ann Client")).replace(b"\r\n", b"\n")
    add(
        "forward-attached",
        "RFC 2046 section 5.2.1, as Apple Mail and Outlook attach mails",
        c.apple_mac(
            draft(
                "Please see the attached mail.",
                "license of a client",
                files=(("license.eml", "message/rfc822", inner),),
            )
        ),
        demo("Client Ltd", "Please see the attached mail."),
        forwarded_from=ann,
    )
    add(
        "forward-attached-beside-a-form",
        "RFC 2046 section 5.2.1",
        c.thunderbird(draft(DEMO.format("Acme Ltd"), files=(("old.eml", "message/rfc822", inner),))),
        demo("Acme Ltd"),
        forwarded_from=ann,
    )


SEED_WHO = (
    f"1. License token: {TOKEN}\n2. Customer Name/Reference: Acme Ltd\n3. Customer Email address: ann@acme.example"
)


def seeds() -> None:
    """The seed's own wording, its headings included."""
    mine = {"customer_email": "ann@acme.example"}
    add(
        "seed-demo",
        SEED,
        c.apple_mac(
            draft(
                f"Free 30 days demo\n\nFill the three fields:\n{SEED_WHO}\nAccept the conditions and the License Agreement: I agree\nAre you requesting a 30 days free demo? YES",
                "Activate a New License",
            )
        ),
        demo(comments="Free 30 days demo\n\nFill the three fields:", **mine),
    )
    text = f"Request: Activate a new license\n2. Provide the requested information\n{SEED_WHO}\nAccept License Agreement: YES\n3. Are you requesting a 30-day free demo? NO\n4. Select the XCALLY Plan: Voice Digital\nDefine the number of agents: 10\nNumber of additional users: 2\nNumber of telephones: 3\nNumber of mobile agents: 1\n6. Set the billing frequency: annual\n7. Whitelabel/Customization option: no\n8. Set the support package: Silver\n9. Select Add-ons: Real-time Translator, Quality Analysis\n10. Select Plugins: Queue manager, Schedulease"
    add(
        "seed-plan",
        SEED,
        c.outlook_web(draft(text)),
        plan(
            comments="2. Provide the requested information",
            users=2,
            telephones=3,
            mobile_agents=1,
            whitelabel=False,
            addons=["realtime_translator", "quality_analysis"],
            plugins=["queue_manager", "schedulease"],
            **mine,
        ),
    )
    text = f"{SEED_WHO}\nAccept license agreement: yes\nAction Request: Add\nReason of the upgrade: Seasonal peak\nAgents: 12\npbx extensions: 4\nAdd-ons: AI Assistants"
    add(
        "seed-add",
        SEED,
        c.gmail_web(draft(text, "Modify your license")),
        more_agents(reason="seasonal_peak", telephones=4, addons=["ai_assistants"], **mine),
    )
    text = f"{SEED_WHO}\nAccept license agreement: yes\nAction Request: Remove\nReason of the remove request: Feature unused\nPlugins: Data Retention and Botify"
    add(
        "seed-remove",
        SEED,
        c.gmail_web(draft(text, "Modify existing license")),
        Form("modify", "remove", who(reason="feature_unused", plugins=["data_retention", "botify"], **mine)),
    )
    text = f"{SEED_WHO}\nAccept license agreement: yes\nAction Request: Deactivate\nReason of cancellation: Server replaced"
    add(
        "seed-deactivate",
        SEED,
        c.yahoo(draft(text, "Modify your license")),
        Form("modify", "deactivate", who(reason="server_replaced", **mine)),
    )
    text = f"I Agree: yes\n{SEED_WHO}\nLicense plan: Voice\nSupport plan: Platinum\nBilling frequency: monthly\nWhite label activation: yes"
    add(
        "seed-contract",
        SEED,
        c.thunderbird(draft(text, "Request Contract Change")),
        Form("contract", None, who(plan="voice", support="platinum", billing="monthly", whitelabel=True, **mine)),
    )
    text = f"Customer name/Reference: Acme Ltd\nSelect the grace period reason: Expired License\nOld token: {TOKEN}\nUpload the log file: attached\nAdditional comments: please hurry"
    add(
        "seed-reactivate",
        SEED,
        c.apple_mac(draft(text, "Grace Period / Re-activate License", files=(LOG,))),
        Form(
            "reactivate",
            "expired",
            {"customer_name": "Acme Ltd", "reason": "expired", "old_token": TOKEN},
            (),
            "please hurry",
        ),
        attachments=("license.log",),
    )
    add(
        "seed-information",
        SEED,
        c.iphone(draft("Which channels are in the plans?\nAnd the options?", "Request general information")),
        Form(
            "information",
            None,
            {"question": "Which channels are in the plans?\nAnd the options?", "customer_name": "Joe Smith"},
        ),
    )
    add(
        "seed-shuttle",
        SEED,
        c.apple_mac(
            draft(
                f"License token: {TOKEN}\nCustomer Name/Reference: Acme Ltd\nMotion token: {OTHER}\nDescription: transfer to a new XCALLY Motion setup",
                "Transfer the Shuttle license",
            )
        ),
        Form(
            "shuttle",
            "transfer",
            {
                "token": TOKEN,
                "motion_token": OTHER,
                "customer_name": "Acme Ltd",
                "description": "transfer to a new XCALLY Motion setup",
            },
        ),
    )


def lists() -> None:
    """Requests typed as sentences, and several in one mail."""
    line = f"Request: modify; License token: {TOKEN}; Customer name: Acme Ltd; I accept the License Agreement: yes; Action: add; Reason: more agents; Agents: 12."
    add("sentence-by-semicolons", f"{TALON}/iphone.eml", c.iphone(draft(line)), more_agents())
    line = f"Token: {TOKEN}, Customer: Acme Ltd, I accept: yes, Action: add, Reason: more agents, Add-ons: Quality Analysis, AI Assistants, Agents: 12"
    add(
        "sentence-by-commas",
        f"{TALON}/iphone.eml",
        c.iphone(draft(line, "Modify your license")),
        more_agents(addons=["quality_analysis", "ai_assistants"]),
    )
    common = f"License token: {TOKEN}\nCustomer name: Acme Ltd\nI accept the License Agreement: yes\n\n"
    two = (
        common + "Request: modify/add\nReason: more agents\nAgents: 12\n\nRequest: contract\nSupport package: Platinum"
    )
    contract = Form("contract", None, who(support="platinum"))
    add("two-requests-one-token", GMAIL, c.gmail_web(draft(two)), more_agents(), contract)
    tokens = (
        ADD.format("Acme Ltd") + "\n\n" + ADD.format("Acme Two").replace(TOKEN, OTHER).replace("Agents: 12", "Users: 5")
    )
    second = Form("modify", "add", {**who("Acme Two", users=5, reason="more_agents"), "token": OTHER})
    add("two-requests-two-tokens", GMAIL, c.outlook_web(draft(tokens)), more_agents(), second)
    three = common + "\n\n".join(
        (
            "Request: modify/remove\nReason: cost\nUsers: 2",
            "Request: contract\nSupport package: Platinum",
            "Request: modify/deactivate\nReason: cost",
        )
    )
    add(
        "three-requests-in-html",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(draft(three)),
        Form("modify", "remove", who(reason="cost", users=2)),
        contract,
        Form("modify", "deactivate", who(reason="cost")),
    )


def faults() -> None:
    """What nobody may guess about."""
    add(
        "subject-against-request",
        GMAIL,
        c.gmail_web(
            draft(f"Request: contract\nLicense token: {TOKEN}\nSupport package: Silver", "Modify your license")
        ),
        Form("", None, {}, ("request: given_twice",)),
    )
    add(
        "request-against-action",
        GMAIL,
        c.gmail_web(draft(ADD.format("Acme Ltd").replace("Request: modify", "Request: modify/remove"))),
        Form("modify", None, who(), ("action: given_twice",)),
    )
    add(
        "given-twice",
        GMAIL,
        c.apple_mac(draft(ADD.format("Acme Ltd") + "\nAgents: 13")),
        Form("modify", "add", who(reason="more_agents"), ("agents: given_twice",)),
    )
    add(
        "ten",
        f"{TALON}/iphone.eml",
        c.iphone(draft(ADD.format("Acme Ltd").replace("Agents: 12", "Agents: ten"))),
        Form("modify", "add", who(reason="more_agents"), ("agents: not_a_number",)),
        more={"hints": {"agents": "10"}},
    )
    add(
        "thousand",
        f"{TALON}/iphone.eml",
        c.iphone(draft(ADD.format("Acme Ltd").replace("Agents: 12", "Agents: 1.000"), name="Jörg Müller"), "de"),
        Form("modify", "add", who(reason="more_agents"), ("agents: not_a_number",)),
        more={"hints": {"agents": "1000"}},
    )
    add(
        "near-option",
        GMAIL,
        c.gmail_web(draft(PLAN.format("Acme Ltd").replace("Silver", "Silvr"))),
        Form(
            "activate", "plan", {k: v for k, v in plan().fields.items() if k != "support"}, ("support: unknown_value",)
        ),
        more={"hints": {"support": "Silver"}},
    )
    add(
        "near-label",
        GMAIL,
        c.gmail_web(draft(DEMO.format("Acme Ltd").replace("Customer name", "Custmer name"))),
        Form(
            "activate",
            "demo",
            {"token": TOKEN, "accept": True, "demo": True},
            ("customer_name: near_label",),
            "Custmer name: Acme Ltd",
        ),
    )
    add(
        "unclear-yes",
        GMAIL,
        c.gmail_web(draft(DEMO.format("Acme Ltd").replace("Agreement: yes", "Agreement: sure, why not"))),
        Form(
            "activate", "demo", {"token": TOKEN, "customer_name": "Acme Ltd", "demo": True}, ("accept: unknown_value",)
        ),
    )
    add(
        "not-accepted",
        GMAIL,
        c.gmail_web(draft(DEMO.format("Acme Ltd").replace("Agreement: yes", "Agreement: Nein"))),
        Form("activate", "demo", {**who(demo=True), "accept": False}, ("accept: not_accepted",)),
    )
    for language, yes, no in (("it", "Sì", "No"), ("de", "Ja", "Nein"), ("fr", "Oui", "Non"), ("es", "Sí", "No")):
        add(
            f"yes-and-no-{language}",
            f"{CRISP} (languages)",
            c.apple_mac(draft(PLAN.format("Acme Ltd").replace(": yes", f": {yes}").replace(": no", f": {no}"))),
            plan(),
        )
    add(
        "token-with-a-space",
        GMAIL,
        c.gmail_web(draft(DEMO.format("Acme Ltd").replace(TOKEN, "A1B2 C3D4 E5F6"))),
        Form(
            "activate", "demo", {"customer_name": "Acme Ltd", "accept": True, "demo": True}, ("token: token_malformed",)
        ),
    )
    add(
        "everything-missing",
        GMAIL,
        c.gmail_web(draft("Request: modify/add\nplease, we are in a hurry")),
        Form(
            "modify",
            "add",
            {},
            ("token: missing", "customer_name: missing", "accept: missing", "reason: missing", "items: missing"),
            "please, we are in a hurry",
        ),
    )
    add(
        "prose-alone",
        GMAIL,
        c.gmail_web(draft("Hello,\n\nwhat does a licence for 10 agents cost?\n\nJoe", "Prices")),
        intake="Prose",
    )
    add(
        "agents-as-words-and-more",
        GMAIL,
        c.gmail_web(draft(ADD.format("Acme Ltd").replace("Agents: 12", "Agents: 12 agents\nUsers: 5 more"))),
        Form("modify", "add", who(agents=12, reason="more_agents"), ("users: not_a_number",)),
    )


WORD_LIST = "Outlook's own HTML of lists, as in closeio/quotequail tests/files/outlook_forward.html"
NEW = f"Request: modify/add\nLicense token: {TOKEN}\nCustomer name: Acme Ltd\nI accept: yes\nReason: new feature"


def paragraphs(text: str) -> str:
    return "".join(f"<p class=MsoNormal>{line}<o:p></o:p></p>" for line in text.split("\n"))


def word_item(sign: str, font: str, text: str) -> str:
    """An entry of a list in Word's HTML: the sign in a font that draws it, the room behind it in small blanks."""
    room = "<span style='font:7.0pt \"Times New Roman\"'>" + "&nbsp;" * 8 + " </span>"
    ignored = f"<span style='font-family:{font}'><span style='mso-list:Ignore'>{sign}{room}</span></span>"
    return f"<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]>{ignored}<![endif]>{text}<o:p></o:p></p>"


def new_feature(comments: str | None = None, **more: object) -> Form:
    return Form("modify", "add", who(reason="new_feature", **more), (), comments)


def word_lists() -> None:
    """The bullets of Word: letters in fonts that draw them as signs."""
    for name, sign, font in (
        ("symbol", "·", "Symbol"),
        ("courier", "o", '"Courier New"'),
        ("wingdings", "§", "Wingdings"),
    ):
        entries = word_item(sign, font, "Botify") + word_item(sign, font, "Schedulease")
        add(
            f"word-list-{name}",
            WORD_LIST,
            c.outlook_html(draft("x", html=paragraphs(f"{NEW}\nPlugins:") + entries)),
            new_feature(plugins=["botify", "schedulease"]),
        )
    listed = "".join(word_item(f"{n}.", "Calibri", line) for n, line in enumerate(f"{NEW}\nAgents: 12".split("\n"), 1))
    add("word-numbered-form", WORD_LIST, c.outlook_html(draft("x", html=listed)), new_feature(agents=12))
    text = "\n\n".join(f"o        {line}" for line in f"{NEW}\nAgents: 12".split("\n"))
    add("word-list-as-plain-text", WORD_LIST, c.apple_mac(draft(text)), new_feature(agents=12))
    cells = "".join(
        f"<tr><td><p class=MsoNormal>{n}</p></td><td><p class=MsoNormal><b>{a}</b></p></td><td><p class=MsoNormal>{b}</p></td></tr>"
        for n, (a, b) in enumerate(PAIRS, 1)
    )
    add(
        "word-table-with-numbers",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(draft("x", html=f"<table>{cells}</table>")),
        plan(),
    )
    boxes = f"{NEW}\nPlugins:\nBotify\t[x]\nSchedulease\t[ ]"
    add(
        "boxes-behind-the-names",
        f"{QUAIL}/outlook_forward.html",
        c.apple_mac(draft(boxes)),
        new_feature(plugins=["botify"]),
    )
    round_ones = DEMO.format("Acme Ltd").replace("demo: yes", "demo: (x) YES ( ) NO")
    add("round-boxes", f"{TALON}/thunderbird.eml", c.thunderbird(draft(round_ones)), demo())


def taken_back() -> None:
    """What somebody wrote and struck out, or that is raised as the mark of a footnote."""
    add(
        "struck-line",
        GMAIL,
        c.outlook_html(draft("x", html=paragraphs(f"{NEW}\nAgents: 12\n<s>Users: 10</s>"))),
        new_feature("~~Users: 10~~", agents=12),
    )
    struck = f'{NEW}\nAgents: <span style="text-decoration:line-through">10</span> 12'
    add(
        "struck-number-in-both-parts",
        GMAIL,
        c.gmail_web(draft(f"{NEW}\nAgents: 10 12", html=paragraphs(struck))),
        new_feature(agents=12),
    )
    listed = f"<div>{paragraphs(NEW)}</div><div>Plugins: Botify, <del>Schedulease</del></div>"
    add(
        "struck-name-of-a-list",
        f"{TALON}/iphone.eml",
        c.iphone_html(draft("x", html=listed)),
        new_feature(plugins=["botify"]),
    )
    raised = paragraphs(f"{NEW}\nAgents: 12<sup>2</sup>")
    add(
        "footnote-behind-a-number",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_desktop(draft(f"{NEW}\nAgents: 122", html=raised)),
        Form("modify", "add", who(reason="new_feature"), ("agents: not_a_number",)),
    )
    ordinal = paragraphs(NEW.replace("Acme Ltd", "1<sup>st</sup> Choice Ltd") + "\nAgents: 12")
    add(
        "ordinal-in-a-name",
        f"{QUAIL}/outlook_forward.html",
        c.outlook_html(draft("x", html=ordinal)),
        Form("modify", "add", who("1st Choice Ltd", reason="new_feature", agents=12)),
    )


def older_ones() -> None:
    """A form of one's own above a quoted mail that holds another."""
    old = f"Request: modify/remove\nToken: {OTHER}\nCustomer name: Acme Ltd\nI accept: yes\nReason: cost\nAgents: 6"
    own = f"{NEW}\nAgents: 12"
    quoted = "On Mon, 2 Nov 2026 at 10:00, Bob <bob@acme.example> wrote:\n> " + old.replace("\n", "\n> ")
    add(
        "form-above-a-quoted-form",
        GMAIL,
        c.gmail_web(draft(f"{own}\n\n{quoted}", "Re: license")),
        new_feature(agents=12),
    )
    block = f"Von: Bob <bob@acme.example>\nGesendet: Montag, 2. November 2026 10:00\nAn: Joe\nBetreff: Lizenz\n\n{old}"
    add(
        "form-above-a-header-block",
        f"{TALON}/outlook.eml",
        c.outlook_desktop(draft(f"{own}\n\n{block}", "AW: Lizenz")),
        new_feature(agents=12),
    )
    blank = "On Tue, 3 Nov 2026 at 09:12, Licence Desk <licences@desk.example> wrote:\n> The form\n>\n> Request: activate\n> License token:\n> Customer name:\n> 30 days free demo (yes / no):"
    add(
        "form-above-our-blank-one",
        GMAIL,
        c.gmail_web(draft(f"{DEMO.format('Acme Ltd')}\n\n{blank}", "Re: The form")),
        demo(),
    )
    block = "De : Bob <bob@acme.example>\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Joe\nObjet : licence"
    add(
        "forward-outlook-fr",
        f"{CRISP}/email_ios_outlook_fr.txt",
        c.outlook_desktop(draft(f"{block}\n\n{own}", "TR : licence")),
        new_feature(block.replace("\n", "\n\n"), agents=12),
        forwarded_from="bob@acme.example",
    )


def guided() -> None:
    """More of the guide's headings, as one answers them."""
    mine = {"customer_email": "ann@acme.example"}
    who_lines = "Accept license agreement: yes\n" + SEED_WHO
    text = f'{who_lines}\n4. Select “Add”\n5. Select the reason of the upgrade: More agents\n6. Select which items you would like to upgrade - Accounts: Agents\n7. Define the new quantity: 15\n8. Select which items you would like to upgrade - Add-ons and Plugins: Botify, Quality Analysis\n9. Click on "Send."'
    add(
        "guide-add",
        SEED,
        c.gmail_web(draft(text, "Modify License - Add New Items")),
        Form(
            "modify",
            "add",
            who(reason="more_agents", agents=15, plugins=["botify"], addons=["quality_analysis"], **mine),
            (),
            '9. Click on "Send."',
        ),
    )
    text = f'{who_lines}\n4. Select "Remove"\n5. Select the reason of the remove request: cost\n8. Select which items you would like to remove - Add-ons and Plugins: Data Retention and Botify plugins'
    add(
        "guide-remove",
        SEED,
        c.outlook_web(draft(text, "Modify your license")),
        Form("modify", "remove", who(reason="cost", plugins=["data_retention", "botify"], **mine)),
    )
    text = f"{who_lines}\n4. Select 'Deactivate'\n5. Select the reason of cancellation: project ended"
    add(
        "guide-deactivate",
        SEED,
        c.thunderbird(draft(text, "Modify your license")),
        Form("modify", "deactivate", who(reason="project_ended", **mine)),
    )
    text = f"{who_lines}\n3. Are you requesting a 30-day free demo? Select “NO”\n4. Select the XCALLY Plan: Voice Digital\n5. Define the number of agents, users, telephones and mobile agents: 10 agents, 2 users, 4 telephones and 1 mobile agent\n6. Set the billing frequency: annual\n8. Set the support package: Silver\n10. Select Plugins\n- Data retention\n- Schedulease\n11. Confirm and check your e-mail!"
    add(
        "guide-plan",
        SEED,
        c.outlook_desktop(draft(text, "Activate a New License")),
        plan(
            comments="11. Confirm and check your e-mail!",
            users=2,
            telephones=4,
            mobile_agents=1,
            plugins=["data_retention", "schedulease"],
            **mine,
        ),
    )
    text = f"1. Check the info and accept the conditions: I Agree\n{SEED_WHO}\nlicense plan: Digital plan\nwhite label: yes, please"
    add(
        "guide-contract",
        SEED,
        c.proton(draft(text, "Request Contract Change")),
        Form("contract", None, who(plan="digital", whitelabel=True, **mine)),
    )
    text = f"1. Insert the Customer name/Reference: Acme Ltd\n2. Select the grace period reason: a. Expired License (trial mode)\nPlease insert the old token: {TOKEN}\nAdditional comments: please call"
    add(
        "guide-reactivate",
        SEED,
        c.yahoo(draft(text, "Grace Period / Re-activate License", files=(LOG,))),
        Form(
            "reactivate",
            "expired",
            {"customer_name": "Acme Ltd", "reason": "expired", "old_token": TOKEN},
            (),
            "please call",
        ),
        attachments=("license.log",),
    )


def courteous() -> None:
    """What any clerk reads, however it is put."""
    said = (
        ADD.format("Acme Ltd")
        .replace("Agreement: yes", "Agreement: Yes, I accept")
        .replace("Agents: 12", "Agents: 12 (twelve) in total")
    )
    add("yes-i-accept", GMAIL, c.gmail_web(draft(said.replace(" in total", ""))), more_agents())
    said = f"Request: modify/remove\nLicense token: {TOKEN}\nCustomer name: Bäckerei Öz\nI accept: ja, gerne\nReason: cost\nAgents: 6 Agenten\nPlugins: Botify und Queue-Manager\n\nViele Grüße aus Köln\nJörg Öz\nSupport: Team Nord"
    add(
        "names-joined-by-und",
        f"{TALON}/outlook.eml",
        c.outlook_desktop(draft(said, "Lizenz", charset="windows-1252", name="Öz, Jörg")),
        Form("modify", "remove", who("Bäckerei Öz", reason="cost", agents=6, plugins=["botify", "queue_manager"])),
    )
    said = f"Request: contract\nLicense token: {TOKEN}\nCustomer name: Oro S.p.A.\nCustomer email: Maria Rossi <maria@oro.example>\nI accept: sì, accetto\nSupport: Platinum support\nBilling frequency: yearly\n\nIn attesa di un vostro riscontro porgo cordiali saluti.\nMaria\nEmail: altra@oro.example"
    add(
        "closing-sentence-it",
        GMAIL,
        c.gmail_app(draft(said, name="Maria Rossi")),
        Form(
            "contract",
            None,
            {**who("Oro S.p.A.", support="platinum", billing="annual"), "customer_email": "maria@oro.example"},
        ),
    )
    said = f"Hi, Request: modify/add; License token: {TOKEN}; Customer: Acme Ltd; I accept: yes; Reason: more agents; Agents: 12."
    add("sentence-behind-a-greeting", f"{TALON}/iphone.eml", c.iphone(draft(said)), more_agents(comments="Hi"))
    said = f"Token: {TOKEN}\nCustomer: Acme Ltd\nI accept: yes\n\nRequest 1: modify/add\nReason: more agents\nAgents: 12\n\nRequest no. 2: contract\nSupport: Platinum"
    add(
        "numbered-requests",
        GMAIL,
        c.gmail_web(draft(said)),
        more_agents(),
        Form("contract", None, who(support="platinum")),
    )
    linked = DEMO.format("Acme Ltd").replace("Agreement:", "Agreement <https://desk.example/eula>:")
    add("link-within-a-label", f"{TALON}/outlook.eml", c.outlook_desktop(draft(linked)), demo())
    phone = f"{ADD.format('Acme Ltd')}\n\nJoe Smith\nTelephone: 4021"
    add(
        "extension-of-a-telephone",
        GMAIL,
        c.gmail_web(draft(phone)),
        Form(
            "modify",
            "add",
            who(agents=12, reason="more_agents"),
            ("telephones: near_label",),
            "Joe Smith\nTelephone: 4021",
        ),
    )
    spaced = DEMO.format("Acme\u00a0Ltd")
    add("name-with-an-unseen-space", f"{TALON}/iphone.eml", c.iphone(draft(spaced)), demo("Acme Ltd"))
    long = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
    text = f"Accept the conditions and the License Agreement: yes\n{SEED_WHO}\nOn field “Are you requesting a 30 days free demo?” select the option YES"
    add("guide-demo", SEED, c.gmail_web(draft(text, "Activate a New License")), demo(customer_email="ann@acme.example"))
    broken = DEMO.format("Acme Ltd").replace(TOKEN, f"{long}\ncdef0123456789")
    add(
        "token-broken-over-two-lines",
        f"{TALON}/thunderbird.eml",
        c.apple_mac(draft(broken)),
        Form(
            "activate", "demo", {"customer_name": "Acme Ltd", "accept": True, "demo": True}, ("token: token_malformed",)
        ),
    )


def machines() -> None:
    """What web forms, trackers, spreadsheets and Markdown make of a form, and answers between the lines of ours."""
    starred = "\n\n".join(f"{a.rstrip('?')} *\n{b}" for a, b in PAIRS)
    add(
        "web-form-with-stars",
        "the receipt that Google Forms mails, its layout",
        c.gmail_web(draft(f"Here's what was received.\n\n{starred.replace('free demo *', 'free demo? *')}")),
        plan(comments="Here's what was received."),
    )
    wanted = ADD.format("Acme Ltd").replace("Request: modify\n", "").replace("Action: add", "Request: Add")
    add(
        "request-named-by-its-action",
        f"{TALON}/outlook.eml, with the warning that Exchange puts above mail from outside",
        c.outlook_web(
            draft(f"CAUTION: This email originated from outside of the organization.\n\n{wanted}", "[EXTERNAL] seats")
        ),
        more_agents(comments="CAUTION: This email originated from outside of the organization."),
    )
    head = ("License token", "Customer name", "I accept the License Agreement", "Request", "Action", "Reason", "Agents")
    rows = [
        (token, "Acme Ltd", "yes", "modify", "add", "More agents", many)
        for token, many in ((TOKEN, "12"), (OTHER, "20"))
    ]
    table = "".join(
        "<tr>" + "".join(f"<td><p class=MsoNormal>{cell}</p></td>" for cell in row) + "</tr>" for row in (head, *rows)
    )
    add(
        "spreadsheet-of-two-requests",
        f"{QUAIL}/outlook_forward.html, cells pasted from Excel",
        c.outlook_html(draft("x", html=f"<table border=0>{table}</table>")),
        more_agents(),
        more_agents(token=OTHER, agents=20),
    )
    seats = "<table><tr><td>Agents</td><td>Users</td></tr><tr><td>10</td><td>2</td></tr><tr><td>12</td><td>3</td></tr></table>"
    add(
        "table-of-today-and-tomorrow",
        f"{QUAIL}/outlook_forward.html, cells pasted from Excel",
        c.outlook_html(draft("x", html=c.word_paragraphs(ADD.format("Acme Ltd").replace("\nAgents: 12", "")) + seats)),
        Form("modify", "add", who(reason="more_agents"), ("agents: given_twice", "users: given_twice")),
    )
    cells = [line.split(": ") for line in ADD.format("Acme Ltd").replace(TOKEN, f"`{TOKEN}`").split("\n")]
    drawn = "\n".join(f"| {a} | {b} |" for a, b in [("Field", "Value"), ("---", "---"), *cells])
    add(
        "markdown-table",
        "a table as GitHub and Jira write it in their mails",
        c.ticket_system(draft(drawn)),
        more_agents(comments="| Field | Value |\n| --- | --- |"),
    )
    arrows = ADD.format("Acme Ltd").replace(": ", " => ")
    add("arrows", f"{TALON}/thunderbird.eml", c.thunderbird(draft(arrows)), more_agents())
    add(
        "leading-dots",
        f"{TALON}/iphone.eml",
        c.iphone(draft(ADD.format("Acme Ltd").replace(": ", " ......: "))),
        more_agents(),
    )
    own = ADD.format("Acme Ltd") + "\nQueue manager: yes\nSchedulease: no\n[x] AI Assistants"
    add(
        "options-by-their-own-names",
        GMAIL,
        c.gmail_app(draft(own)),
        Form(
            "modify",
            "add",
            who(agents=12, reason="more_agents"),
            ("addons: near_label", "plugins: near_label"),
            "Queue manager: yes\nSchedulease: no\n[x] AI Assistants",
        ),
    )
    boxed = PLAN.format("Acme Ltd").replace("Agreement: yes", "Agreement: ☑\ufe0f") + "\nUsers: -\nPlugins: n/a"
    add("emoji-box-and-nothing", f"{TALON}/iphone.eml", c.iphone(draft(boxed)), plan())
    for language, words in (
        ("it", "sì, accettiamo"),
        ("de", "Ja, wir stimmen zu"),
        ("fr", "oui, nous acceptons"),
        ("es", "sí, aceptamos"),
    ):
        agreed = DEMO.format("Acme Ltd").replace("Agreement: yes", f"Agreement: {words}").replace(TOKEN, f'"{TOKEN}"')
        add(f"a-company-accepts-{language}", f"{TALON}/outlook.eml", c.outlook_app(draft(agreed), language), demo())
    one, other = (
        c.iphone(draft(DEMO.format(name).replace(TOKEN, token), sender="ann@client.example")).replace(b"\r\n", b"\n")
        for name, token in (("Client Ltd", TOKEN), ("Branch Ltd", OTHER))
    )
    add(
        "forward-of-two-attached-requests",
        "RFC 2046 section 5.2.1, as Outlook attaches several mails",
        c.outlook_desktop(
            draft(
                "Both are urgent.",
                "FW: demos",
                files=(("one.eml", "message/rfc822", one), ("two.eml", "message/rfc822", other)),
            )
        ),
        demo("Client Ltd", "Both are urgent."),
        demo("Branch Ltd", "Both are urgent.", token=OTHER),
        forwarded_from="ann@client.example",
    )
    below = f"{SAID['en'][0]}\n\n" + MARKED.replace("> Agents:", "> Agents:\n12\n>")
    add(
        "reply-value-below-the-quoted-label",
        f"{CRISP}/email_tricky_18_inline_reply.txt",
        c.apple_mac(answer(below)),
        intake="CustomerReply",
        own="",
        corrected={"agents": "12"},
    )


def build() -> list[Golden]:
    """All of them, in their order."""
    GOLDEN.clear()
    later = (word_lists, taken_back, older_ones, guided, courteous, machines)
    for part in (programs, layouts, charsets, endings, replies, forwards, seeds, lists, faults, *later):
        part()
    return GOLDEN


def main() -> None:
    for number, golden in enumerate(build(), 31):
        path = MAILS / f"{number:02}-{golden.name}"
        path.with_suffix(".eml").write_bytes(golden.raw)
        path.with_suffix(".expected").write_text(json.dumps(golden.expected(), ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main()
