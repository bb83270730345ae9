"""Random but realistic mails whose truth is known: clients x character sets x layouts x languages x mistakes.

``mails(seed, count)`` makes them, ``measure`` reads each as the desk does (parse, understand, check) and compares field by field.
"""

import random
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape

from mailbot.core.form.blank_form import render_filled
from mailbot.core.form.choices import option_labels
from mailbot.core.form.corrections import merge_correction, read_edited_quote
from mailbot.core.form.fields import FIELDS, FORMS, TITLES, FieldKind, Form
from mailbot.core.form.problem import Problem
from mailbot.core.form.quotes import split_interleaved
from mailbot.core.form.reader import read_fields
from mailbot.core.form.request import Reading, Request
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import CHOOSER, chooser_values
from mailbot.core.inbound.intake import Forms, Thread, understand
from mailbot.core.inbound.reply_keys import FoundKey
from mailbot.core.mail.message import parse
from tests.support.clients import CLIENTS, DESK, PLAIN_ONLY, SPEAKING, Draft
from tests.support.desk import catalogue

MARKER = "--- Please write your reply above this line ---"
LANGUAGES = ("en", "it", "de", "fr", "es")
HELLO = {
    "en": ["Hello,", "Dear team,", "Hi all,\n\nplease see our request below."],
    "it": ["Buongiorno,", "Gentili signori,\n\ncon la presente chiediamo quanto segue.", "Salve,"],
    "de": ["Hallo,", "Sehr geehrte Damen und Herren,\n\nanbei unsere Anfrage.", "Guten Tag,"],
    "fr": ["Bonjour,", "Madame, Monsieur,\n\nvoici notre demande.", "Bonjour à tous,"],
    "es": ["Hola,", "Estimados señores,\n\nles enviamos nuestra solicitud.", "Buenos días,"],
}
THANKS = {
    "en": ["Thanks!", "Many thanks for your help."],
    "it": ["Grazie mille.", "Restiamo in attesa."],
    "de": ["Vielen Dank!", "Danke im Voraus."],
    "fr": ["Merci d'avance.", "Merci beaucoup."],
    "es": ["Muchas gracias.", "Quedamos a la espera."],
}
CLOSING = {
    "en": ["Best regards", "Kind regards,", "Cheers,"],
    "it": ["Cordiali saluti", "Distinti saluti,"],
    "de": ["Mit freundlichen Grüßen", "Viele Grüße"],
    "fr": ["Cordialement,", "Bien cordialement"],
    "es": ["Un saludo,", "Saludos cordiales"],
}
COMMENTS = {
    "en": ["we need it before Monday", "call me first, please\nour server moves next week"],
    "it": ["ci serve entro lunedì", "chiamatemi prima,\nil server è nuovo"],
    "de": ["wir brauchen es bis Montag", "bitte zuerst anrufen,\nder Server zieht um"],
    "fr": ["il nous le faut avant lundi", "appelez-moi d'abord,\nle serveur a changé"],
    "es": ["lo necesitamos antes del lunes", "llámenme primero,\nel servidor es nuevo"],
}
NAMES = {
    "en": ["Acme Ltd", "O’Neill & Sons", "Bright - Call (UK) Ltd."],
    "it": ["Acme S.p.A. – sede di Torino", "Caffè Nord S.r.l.", "L'Angolo più Bello"],
    "de": ["Müller & Söhne GmbH", "Süd „Telefonie“ AG", "Groß KG"],
    "fr": ["Société Générale d'Appels", "L’Été français", "Café Noël SARL"],
    "es": ["Peña y Muñoz S.L.", "Telefonía Añil, S.A.", "Compañía del Sur"],
}
LONG = {
    "en": "The Association of Independent Call Centres of the Northern Counties, Head Office in Leeds",
    "it": "Consorzio Nazionale dei Centralini Telefonici Indipendenti, Direzione Generale di Bologna",
    "de": "Gesellschaft für Telefonische Kundenbetreuung und Vermittlung mbH, Niederlassung München Süd",
    "fr": "Association Française des Centres d'Appels Indépendants, Direction Régionale de Marseille",
    "es": "Asociación Española de Centros de Atención Telefónica Independientes, Oficina de Zaragoza",
}
PEOPLE = {"en": "Joe Smith", "it": "Niccolò Rossi", "de": "Jörg Müller", "fr": "Hélène Dupré", "es": "Íñigo Peña"}
YES = {"en": "yes", "it": "sì", "de": "Ja", "fr": "Oui", "es": "Sí"}
AND = {"en": "and", "it": "e", "de": "und", "fr": "et", "es": "y"}
COURTESY = {"en": "thanks", "it": "grazie", "de": "vielen Dank", "fr": "merci", "es": "muchas gracias"}
NO = {"en": "no", "it": "No", "de": "Nein", "fr": "Non", "es": "No"}
DISCLAIMER = {
    "en": "CONFIDENTIALITY NOTICE: this e-mail and any attachment are meant for the addressee only. If you are not the addressee, please delete it.",
    "it": "AVVISO DI RISERVATEZZA: questo messaggio è destinato al solo destinatario (D.Lgs. 196/2003, GDPR 2016/679).",
    "de": "Diese E-Mail enthält vertrauliche Informationen. Geschäftsführer: Jörg Müller, Sitz: München, HRB 12345.",
    "fr": "Ce message et ses pièces jointes sont confidentiels. Avant d'imprimer, pensez à l'environnement.",
    "es": "AVISO LEGAL: este mensaje es confidencial. Responsable: Acme S.A., NIF: B12345678.",
}
#: How a reply of each language announces what it quotes.
ATTRIBUTION = {
    "en": ["On Tue, Nov 3, 2026 at 9:00 AM Licence Desk <{desk}>\nwrote:", "On 3 Nov 2026, at 09:00, Licence Desk <{desk}> wrote:"],
    "it": ["Il giorno mar 3 nov 2026 alle ore 09:00 Licence Desk <\n{desk}> ha scritto:", "Il 03/11/26 09:00, Licence Desk ha scritto:"],
    "de": ["Am Di., 3. Nov. 2026 um 09:00 Uhr schrieb Licence Desk <\n{desk}>:", "Am 03.11.26 um 09:00 schrieb Licence Desk:"],
    "fr": ["Le mar. 3 nov. 2026 à 09:00, Licence Desk <{desk}> a\nécrit :", "Le 03/11/2026 à 09:00, Licence Desk a écrit :"],
    "es": ["El mar, 3 nov 2026 a las 9:00, Licence Desk (<{desk}>)\nescribió:", "El 3/11/26 a las 9:00, Licence Desk escribió:"],
}  # fmt: skip
HEADERS = {
    "en": ("From", "Sent", "To", "Subject"), "it": ("Da", "Inviato", "A", "Oggetto"), "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Objet"), "es": ("De", "Enviado", "Para", "Asunto"),
}  # fmt: skip
#: How the lines of a form are written in plain text, and the structures of HTML.
PLAIN = ("colon", "spaced", "bullet", "word_bullet", "dot", "bold", "tab", "wide", "nbsp", "zero", "next_line", "stacked", "stacked_gap", "numbered", "quoted", "pipe", "columns", "equals", "upper", "pair")  # fmt: skip
MARKUP = ("table", "th_table", "word_table", "head_table", "four_cells", "list", "definitions", "bold_lines", "boxes")
#: How each program writes the plain part beside a table.
TABLE_AS = {"gmail_web": "stacked", "gmail_app": "stacked", "outlook_desktop": "stacked", "yahoo": "pipe", "proton": "stacked"}  # fmt: skip
MISTAKES = ("number_word", "grouped", "option_typo", "token_space", "missing", "unclear_yes", "bad_email", "twice", "near_label", "clash")  # fmt: skip
CHARSETS = ("utf-8", "utf-8", "utf-8", "iso-8859-1", "windows-1252", "utf-16", "wrong", "none")


@dataclass(frozen=True)
class Entry:
    """A field as typed: ``rows`` of a list, or one text."""

    key: str
    label: str
    text: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Truth:
    """What a form means: ``fields`` -> value, and those that must be ``asked`` about."""

    request: str
    action: str | None
    fields: dict[str, object]
    asked: frozenset[str] = frozenset()
    comments: str = ""


@dataclass(frozen=True)
class Made:
    """A mail with what it means. A repair is read on what the ticket has ``stored`` after our mail ``sent``."""

    raw: bytes
    truths: tuple[Truth, ...]
    traits: dict[str, str]
    stored: dict[str, str] = field(default_factory=dict)
    sent: str = ""

    @property
    def well_meant(self) -> bool:
        """Whether no mistake was made on purpose."""
        return not any(truth.asked for truth in self.truths)


def mails(seed: int, count: int) -> Iterator[Made]:
    """The mails of a seed, the same on each run."""
    for number in range(count):
        yield _Author(random.Random(f"{seed}/{number}"), number).write()


class _Author:
    """Writes one mail."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance, self.number = chance, number
        self.pick = chance.choice
        self.language = self.pick(LANGUAGES)
        self.client = self.pick([name for name in CLIENTS if name != "scanner"])
        self.charset = self.pick(CHARSETS)

    def write(self) -> Made:
        way = self.chance.random()
        return self.reply() if way < 0.15 else self.several() if way < 0.22 else self.request()

    # a form

    def token(self) -> str:
        return "".join(self.pick("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(11)) + self.pick("0123456789")

    def value(self, key: str, form: Form) -> tuple[str, tuple[str, ...], object]:
        """(text, rows, what it means)."""
        cat = catalogue()
        match FIELDS[key].kind:
            case FieldKind.TOKEN:
                token = self.token()
                return token, (), token
            case FieldKind.EMAIL:
                address = f"office{self.number}@acme.example"
                return self.pick([address, address, f"{address}<mailto:{address}>", f"<{address}>"]), (), address
            case FieldKind.YES:
                yes = key == "accept" or self.chance.random() < 0.5
                said = (YES if yes else NO)[self.language]
                return self.pick([said, said, f"{said}, {COURTESY[self.language]}"]), (), yes
            case FieldKind.NUMBER:
                count = self.chance.randint(5, 90)
                unit = FIELDS[key].label.lower() if self.chance.random() < 0.2 else ""
                return (
                    self.pick(["{}", "{}", "{}", "“{}”", "\u00a0{}\u00a0"]).format(f"{count} {unit}".strip()),
                    (),
                    count,
                )
            case FieldKind.OPTION:
                option, label = self.pick(sorted(option_labels(key, cat).items()))
                return self.pick([label, label.lower(), option]), (), option
            case FieldKind.OPTIONS:
                labels = option_labels(key, cat)
                chosen = set(self.chance.sample(sorted(labels), self.chance.randint(1, len(labels))))
                chosen |= {need for one in chosen if key == "addons" for need in cat.addons[one].requires}
                rows = tuple(labels[one] for one in sorted(chosen))
                text = self.pick([", ", "; ", f" {AND[self.language]} "]).join(rows)
                return text, rows, tuple(one for one in labels if one in chosen)
            case FieldKind.REASON if form.request != "reactivate":
                known = cat.reasons[form.action or ""]
                reason = self.pick(sorted(known))
                return known[reason], (), reason
            case FieldKind.PROSE:
                words = self.pick(COMMENTS[self.language])
                return words, (), words
            case _:
                name = self.pick([*NAMES[self.language], LONG[self.language]])
                return name, (), name

    def form(self) -> tuple[list[Entry], Truth]:
        form = self.pick([one for one in FORMS.values() if one.request != "information"])
        said = chooser_values(form.request, form.action)
        one_of = self.chance.sample(form.one_of, self.chance.randint(1, len(form.one_of))) if form.one_of else []
        optional = [key for key in form.optional if self.chance.random() < 0.4]
        keys = [key for key in (*form.required, *one_of, *optional) if key not in ("log", *said)]
        entries, fields = [], {}
        for key in keys:
            text, rows, meant = self.value(key, form)
            entries.append(Entry(key, self.label(key), text, rows))
            fields[key] = meant
        for key, text in said.items():
            if key == "demo":
                text = (YES if text == "yes" else NO)[self.language]
                fields["demo"] = form.action == "demo"
            entries.append(Entry(key, self.label(key), text))
        self.chance.shuffle(entries)
        entries.sort(key=lambda entry: FIELDS[entry.key].kind is FieldKind.PROSE)  # words last, as people do
        if form.request == "reactivate":
            fields["reason"] = form.action
        comments = str(fields.pop("comments", ""))
        request = self.pick(
            [form.request, f"{form.request}/{form.action}" if form.action else form.request, TITLES[form.request]]
        )
        if form.request == "shuttle":
            request = form.request
        head = [Entry("request", "Request", request)]
        return head + entries, Truth(form.request, form.action, fields, frozenset(), comments)

    def label(self, key: str) -> str:
        field = FIELDS[key]
        names = [field.label, field.label, *(alias for alias in field.aliases if len(alias) > 5)]
        return self.pick([str, str, str, str.capitalize, str.lower])(self.pick(names))

    # mistakes

    def spoil(self, entries: list[Entry], truth: Truth) -> tuple[list[Entry], Truth, str]:
        """One mistake that nobody may guess about; the mail as it was where that mistake does not fit it."""
        mistake = self.pick(MISTAKES)
        of = {entry.key: entry for entry in entries}
        kinds = {key: FIELDS[key].kind for key in of}
        form = FORMS[truth.request, truth.action]
        plain = [key for key in of if key in form.required and key not in CHOOSER.values() and key != "request"]

        def change(keys: list[str], text: str | None) -> tuple[list[Entry], Truth, str]:
            if not keys:
                return entries, truth, ""
            key = self.pick(keys)
            made = [
                replace(e, text=text, rows=()) if e.key == key and text is not None else e
                for e in entries
                if e.key != key or text is not None
            ]
            fields = {k: v for k, v in truth.fields.items() if k != key}
            return made, replace(truth, fields=fields, asked=frozenset({key})), mistake

        numbers = [key for key in of if kinds[key] is FieldKind.NUMBER]
        match mistake:
            case "number_word":
                return change(numbers, self.pick(["ten", "dieci", "about 10", "10 more", "5-10"]))
            case "grouped":
                return change(numbers, self.pick(["1.000", "1,000", "1 000"]))
            case "option_typo":
                return change(
                    [k for k in ("plan", "support", "billing") if k in of],
                    self.pick(["Voize", "Silvr", "anual", "Platin"]),
                )
            case "token_space":
                return change(
                    [k for k in ("token", "old_token", "new_token") if k in of],
                    self.pick(["A1B2 C3D4 E5F6", "A1B2C3", "see screenshot"]),
                )
            case "missing":
                return change([key for key in plain if key not in ("comments", "description")], None)
            case "unclear_yes":
                return change(
                    [k for k in ("accept", "whitelabel") if k in of], self.pick(["maybe", "sure", "ok", "not yet"])
                )
            case "bad_email":
                return change(
                    [k for k in ("customer_email",) if k in of],
                    self.pick(["nobody", "a@b@c.example", "joe at acme.example"]),
                )
            case "twice" if numbers:
                key = self.pick(numbers)
                made = [*entries[:1], Entry(key, FIELDS[key].label, "91"), *entries[1:]]
                return (
                    made,
                    replace(truth, fields={k: v for k, v in truth.fields.items() if k != key}, asked=frozenset({key})),
                    mistake,
                )
            case "near_label" if "customer_name" in of:
                made = [replace(e, label="Custmer name") if e.key == "customer_name" else e for e in entries]
                return (
                    made,
                    replace(
                        truth,
                        fields={k: v for k, v in truth.fields.items() if k != "customer_name"},
                        asked=frozenset({"customer_name"}),
                    ),
                    mistake,
                )
            case "clash" if truth.request in ("modify", "contract"):
                other = "Request general information"
                made = [replace(e, text=f"{e.text}\x00{other}") if e.key == "request" else e for e in entries]
                return made, replace(truth, fields={}, asked=frozenset({"request"})), mistake
        return entries, truth, ""

    # a mail

    def request(self) -> Made:
        entries, truth = self.form()
        mistake, style = "", self.pick(PLAIN)
        if self.chance.random() < 0.4:
            for _ in range(4):  # not every mistake fits every form
                entries, truth, mistake = self.spoil(entries, truth)
                if mistake:
                    break
        subject = self.pick(["", "license", "Request", "Anfrage", "Richiesta licenza"])
        if "\x00" in entries[0].text:
            entries[0] = replace(entries[0], text=entries[0].text.partition("\x00")[0])
            subject = "Request general information"
        elif self.chance.random() < 0.2 and truth.request != "shuttle" and mistake != "near_label":
            subject, entries = TITLES[truth.request], entries[1:]
        layout = self.pick(MARKUP) if self.client not in PLAIN_ONLY and self.chance.random() < 0.5 else style
        if mistake in ("near_label",) and layout in (
            "stacked",
            "stacked_gap",
            "equals",
            "head_table",
            "four_cells",
            *MARKUP,
            "columns",
        ):
            layout = "colon"
        before = [self.pick(HELLO[self.language]), ""] if self.chance.random() < 0.7 else []
        after = ["", self.pick(THANKS[self.language])] if self.chance.random() < 0.4 else []
        after += self.signature()
        text, html = self.rendered(entries, layout, before, after)
        if not html and not mistake and self.chance.random() < 0.1:
            text, subject, layout = (
                self.forwarded(text),
                f"{self.pick(['Fwd', 'FW', 'WG', 'TR', 'RV', 'I'])}: {subject}",
                f"forwarded {layout}",
            )
        elif (
            not html
            and not mistake
            and entries[0].key == "request"
            and layout != "quoted"
            and self.chance.random() < 0.1
        ):
            text, subject, layout = self.above_an_older_form(text), f"Re: {subject}", f"above older {layout}"
        if html and self.chance.random() < 0.1:  # the plain part does not show that it is struck out
            text, html, layout = f"{text}\nAgents: 91", f"{html}<div><s>Agents: 91</s></div>", f"struck {layout}"
        if not html and layout in ("colon", "bullet", "spaced", "bold", "upper") and self.client == "gmail_web":
            text = "\n".join(
                row
                for line in text.split("\n")
                for row in (textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False) or [""])
            )
        raw = self.sent(subject, text, html)
        traits = {
            "client": self.client,
            "charset": self.charset,
            "layout": layout,
            "language": self.language,
            "mistake": mistake,
        }
        return Made(raw, (truth,), traits)

    def several(self) -> Made:
        """Two or three requests in one mail, for one token or for several."""
        style = self.pick(["colon", "bullet", "bold", "numbered", "spaced", "tab"])
        lines, truths = [], []
        token = self.token()
        one = self.chance.random() < 0.5
        for _ in range(self.pick([2, 2, 3])):
            entries, truth = self.form()
            if one and "token" in truth.fields:
                entries = [replace(e, text=token) if e.key == "token" else e for e in entries]
                truth = replace(truth, fields={**truth.fields, "token": token})
            lines += ["", *_lines(entries, style)]
            truths.append(truth)
        text = "\n".join([self.pick(HELLO[self.language]), *lines, *self.signature()])
        traits = {
            "client": self.client,
            "charset": self.charset,
            "layout": f"several {style}",
            "language": self.language,
            "mistake": "",
        }
        return Made(self.sent("licenses", text, ""), tuple(truths), traits)

    def forwarded(self, text: str) -> str:
        """The text as somebody forwards it inside his mail."""
        sender, when, to, about = HEADERS[self.language]
        head = f"{sender}: Ann Client <ann@client.example>\n{when}: 3 November 2026 08:00\n{to}: Joe\n{about}: license"
        way = self.pick(["gmail", "apple", "outlook", "thunderbird"])
        note = f"{self.pick(HELLO[self.language])}\n\n"
        if way == "gmail":
            return f"{note}---------- Forwarded message ---------\n{head}\n\n\n{text}"
        if way == "apple":
            begun = f"Begin forwarded message:\n\n{head}\n\n{text}"
            return note + "\n".join(f"> {line}".rstrip() for line in begun.split("\n"))
        if way == "thunderbird":
            return f"{note}-------- Forwarded Message --------\n{head}\n\n{text}"
        return f"{note}{'_' * 32}\n{head}\n\n{text}"

    def above_an_older_form(self, text: str) -> str:
        """The text on top of a mail that holds another form, quoted as one of the programs does."""
        older = "\n".join(_lines(self.form()[0], "colon")).split("\n")
        if self.chance.random() < 0.5:
            said = self.pick(ATTRIBUTION[self.language]).format(desk=DESK)
            return "\n".join([text, "", said, "", *(f"> {line}".rstrip() for line in older)])
        sender, when, to, about = HEADERS[self.language]
        block = f"{sender}: Bob <bob@acme.example>\n{when}: 3 November 2026 08:00\n{to}: Joe\n{about}: license"
        return "\n".join([text, "", "_" * 32, block, "", *older])

    def signature(self) -> list[str]:
        person = PEOPLE[self.language]
        kind = self.pick(["", "closing", "dashes", "disclaimer"])
        if kind == "closing":
            return ["", self.pick(CLOSING[self.language]), person, "Acme | Tel: +39 02 1234567", "www.acme.example"]
        if kind == "dashes":
            return ["", "-- ", person, "Company: Acme Holding", "Telephone: +39 02 1234567"]
        if kind == "disclaimer":
            return ["", self.pick(CLOSING[self.language]), person, "", DISCLAIMER[self.language]]
        return []

    def sent(self, subject: str, text: str, html: str, extra: tuple[str, ...] = ()) -> bytes:
        charset = self.charset
        label = {"wrong": "iso-8859-1", "none": "none"}.get(charset, "")
        codec = "utf-8" if charset in ("wrong", "none") else charset
        whole = text + html
        if codec == "iso-8859-1" and not _fits(whole, codec):
            codec = "windows-1252"  # what programs do that say Latin-1
            label = "iso-8859-1"
        if codec == "windows-1252" and not _fits(whole, codec):
            codec, label = "utf-8", ""
        encoding = self.pick(["quoted-printable", "base64", "8bit"])
        draft = Draft(
            f"joe{self.number}@acme.example", subject, text, PEOPLE[self.language], html, codec, encoding, label,
            (("license.log", "text/plain", b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] status=grace\n"),), extra, self.number,
        )  # fmt: skip
        make = CLIENTS[self.client]
        return make(draft, self.language) if self.client in SPEAKING else make(draft)

    def rendered(self, entries: list[Entry], layout: str, before: list[str], after: list[str]) -> tuple[str, str]:
        """(plain text, HTML body or "")."""
        if layout in MARKUP:
            shown = (
                "".join(f"<div>{escape(line) or '<br>'}</div>" for line in "\n".join(before).split("\n"))
                if before
                else ""
            )
            end = "".join(f"<div>{escape(line) or '<br>'}</div>" for line in after)
            plain = TABLE_AS.get(self.client, "tab") if "able" in layout or layout == "four_cells" else "colon"
            text = "\n".join([*before, *_lines(entries, plain), *after])
            return text, shown + _markup(entries, layout) + end
        return "\n".join([*before, *_lines(entries, layout), *after]), ""

    # a repair

    def reply(self) -> Made:
        entries, truth = self.form()
        form = FORMS[truth.request, truth.action]
        correct = [
            e
            for e in entries
            if e.key in form.fields
            and e.key in truth.fields
            and FIELDS[e.key].kind
            in (FieldKind.TOKEN, FieldKind.TEXT, FieldKind.NUMBER, FieldKind.OPTION, FieldKind.EMAIL)
            and e.key not in CHOOSER.values()
        ]
        chosen = self.chance.sample(correct, min(len(correct), self.pick([1, 1, 2])))
        wrong = {e.key for e in chosen}
        stored = dict(read_fields("\n".join(_lines([e for e in entries if e.key not in wrong], "colon"))).values)
        stored["request"] = f"{truth.request}/{truth.action}" if truth.action else truth.request
        request, problems = validate(Reading(stored), catalogue(), attachments=True)
        ours = render_filled(request, stored, problems)
        sent = f"{MARKER}\n\nThank you for your request. Some things are not right yet.\n\nReply to this mail with only the corrected lines.\n\n{ours}\n\n-- \nLicence Desk\n"
        own = [
            *([self.pick(HELLO[self.language]), ""] if self.chance.random() < 0.4 else []),
            *_lines(chosen, self.pick(["colon", "bullet", "bold", "next_line"])),
        ]
        style = self.pick(["top", "top", "bottom", "block", "edited"])
        text = self.quoted(own, chosen, sent, style)
        raw = self.sent(
            "Re: [LIC-12] Your request needs a correction", text, "", ("In-Reply-To: <lic-12.a@desk.example>",)
        )
        traits = {
            "client": self.client,
            "charset": self.charset,
            "layout": f"reply {style}",
            "language": self.language,
            "mistake": "",
        }
        return Made(raw, (truth,), traits, stored, sent)

    def quoted(self, own: list[str], chosen: list[Entry], sent: str, style: str) -> str:
        marks = [f"> {line}".rstrip() for line in sent.split("\n")]
        said = self.pick(ATTRIBUTION[self.language]).format(desk=DESK)
        if style == "top":
            return "\n".join([*own, "", *self.signature(), "", said, "", *marks])
        if style == "bottom":
            return "\n".join([said, *marks, "", *own, *self.signature()])
        if style == "edited":
            lines = sent.split("\n")
            for entry in chosen:
                at = next((n for n, line in enumerate(lines) if line.startswith(f"{FIELDS[entry.key].label}:")), None)
                if at is None:
                    at = next(n for n, line in enumerate(lines) if line.startswith("Request:"))
                    lines.insert(at + 1, f"{FIELDS[entry.key].label}: {entry.text}")
                else:
                    lines[at] = f"{FIELDS[entry.key].label}: {entry.text}"
            return "\n".join([said, *(f"> {line}".rstrip() for line in lines)])
        sender, when, to, about = HEADERS[self.language]
        block = f"________________________________\n{sender}: Licence Desk <{DESK}>\n{when}: 3 November 2026 09:00\n{to}: joe\n{about}: Your request needs a correction"
        return "\n".join([*own, "", *self.signature(), "", block, "", *sent.split("\n")])


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


_STYLES = {
    "colon": "{}: {}", "spaced": "{} : {}", "bullet": "- {}: {}", "word_bullet": "o        {}: {}", "dot": "• {}: {}", "bold": "*{}:* {}", "tab": "{}\t{}", "wide": "{}：{}",
    "nbsp": "{}:\u00a0{}", "zero": "{}\u200b: \u200b{}", "next_line": "{}:\n{}", "stacked": "{}\n{}", "stacked_gap": "{}\n\n{}\n", "numbered": "{}: {}",
    "quoted": "> {}: {}", "pipe": "| {} | {} |", "columns": "{}: {}", "equals": "{} = {}", "upper": "{}: {}", "pair": "{}:\t{}",
}  # fmt: skip


def _lines(entries: list[Entry], style: str) -> list[str]:
    """The form in plain text. Lists are rows where the style has room for them."""
    made: list[str] = []
    for number, entry in enumerate(entries, 1):
        label = entry.label.upper() if style == "upper" else entry.label
        prose = FIELDS[entry.key].kind is FieldKind.PROSE
        text = entry.text
        if prose and style in ("stacked_gap", "pipe", "tab", "stacked", "equals"):
            text = text.replace("\n", " ")
        if entry.key == "accept" and style in ("colon", "dot") and entry.text in ("Ja", "Oui"):
            made.append(f"[x] {FIELDS['accept'].label}")
            continue
        if entry.rows and style in ("spaced", "nbsp"):
            others = [label for label in option_labels(entry.key, catalogue()).values() if label not in entry.rows]
            made += [f"{label}:", *(f"[x] {row}" for row in entry.rows), *(f"[ ] {row}" for row in others)]
            continue
        if entry.rows and style in ("bullet", "next_line", "colon") and len(entry.rows) > 1:
            made += [f"{label}:", *(f"- {row}" for row in entry.rows)]
            continue
        if len(entry.rows) > 1 and style in ("stacked", "stacked_gap"):
            gap = [""] if style == "stacked_gap" else []
            made += [label, *gap, *(line for row in entry.rows for line in (row, *gap))]
            continue
        line = _STYLES[style].format(label, text)
        if style == "numbered":
            line = f"{number}. {line}"
        if style == "quoted":
            line = line.replace("\n", "\n> ")
        made += line.split("\n")
    if style == "columns":
        return _in_columns(made)
    return made


def _in_columns(lines: list[str]) -> list[str]:
    """Two fields on a line, the second from column 45 on; lines that are too long stand alone."""
    made: list[str] = []
    half = ""
    for line in lines:
        if ": " not in line or len(line) > 40:
            made += [half, line] if half else [line]
            half = ""
        elif half:
            made.append(f"{half.ljust(45)}{line}")
            half = ""
        else:
            half = line
    return [*made, half] if half else made


def _markup(entries: list[Entry], layout: str) -> str:
    """The form as HTML."""

    def text(entry: Entry) -> str:
        if entry.rows and layout in ("word_table", "table"):
            return "".join(f"<p>{escape(row)}</p>" for row in entry.rows)
        return escape(entry.text).replace("\n", "<br>")

    def boxes(entry: Entry) -> str:
        return "".join(f'<div><input type="checkbox" checked> {escape(row)}</div>' for row in entry.rows)

    rows = [(escape(e.label), text(e)) for e in entries]
    match layout:
        case "table":
            return (
                "<table>" + "".join(f"<tr><td>{label}</td><td>{value}</td></tr>" for label, value in rows) + "</table>"
            )
        case "th_table":
            return (
                '<table border="1">'
                + "".join(f"<tr><th>{label}:</th><td>{value}</td></tr>" for label, value in rows)
                + "</table>"
            )
        case "word_table":
            cell = '<td valign="top" style="border:solid windowtext 1.0pt;padding:0cm 5.4pt"><p class="MsoNormal">{}<o:p></o:p></p></td>'
            return (
                '<table class="MsoTableGrid" border="1">'
                + "".join(f"<tr>{cell.format(f'<b>{label}</b>')}{cell.format(value)}</tr>" for label, value in rows)
                + "</table>"
            )
        case "head_table":
            prose = [row for row, e in zip(rows, entries, strict=True) if FIELDS[e.key].kind is FieldKind.PROSE]
            others = [row for row in rows if row not in prose]
            head = "".join(f"<th>{label}</th>" for label, _ in others)
            body = "".join(f"<td>{value}</td>" for _, value in others)
            return f"<table><tr>{head}</tr><tr>{body}</tr></table>" + "".join(
                f"<div>{label}: {value}</div>" for label, value in prose
            )
        case "four_cells":
            made = ""
            for at in range(0, len(rows), 2):
                made += (
                    "<tr>"
                    + "".join(f"<td>{label}:</td><td>{value}</td>" for label, value in rows[at : at + 2])
                    + "</tr>"
                )
            return f"<table>{made}</table>"
        case "list":
            return "<ul>" + "".join(f"<li><b>{label}:</b> {value}</li>" for label, value in rows) + "</ul>"
        case "definitions":
            return "<dl>" + "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in rows) + "</dl>"
        case "boxes":
            return "".join(
                f"<div>{escape(e.label)}:</div>{boxes(e)}" if e.rows else f"<div>{label}: {value}</div>"
                for e, (label, value) in zip(entries, rows, strict=True)
            )
        case _:
            return "".join(f"<div><b>{label}</b>: {value}</div>" for label, value in rows)


# measuring


@dataclass
class Measured:
    """How many fields were read ``right``, ``wrong`` or ``asked`` about; ``faults`` describe the wrong and the lost."""

    right: int = 0
    wrong: int = 0
    asked: int = 0
    missed: int = 0  # of a mistake: neither asked about nor read
    faults: list[str] = field(default_factory=list)
    by_trait: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def fields(self) -> int:
        return self.right + self.wrong + self.asked + self.missed

    def add(self, other: "Measured") -> None:
        self.right, self.wrong, self.asked, self.missed = (
            self.right + other.right, self.wrong + other.wrong, self.asked + other.asked, self.missed + other.missed,
        )  # fmt: skip
        self.faults += other.faults
        self.by_trait.update(other.by_trait)


def understood(made: Made) -> list[tuple[Request, tuple[Problem, ...]]]:
    """The requests that the desk reads in a mail, a repair on what its ticket has."""
    message = parse(made.raw)
    if made.stored:
        own, quoted = split_interleaved(message.text, (MARKER,))
        merged = merge_correction(made.stored, read_edited_quote(quoted, made.sent), read_fields(own))
        return [validate(merged, catalogue(), attachments=True, default_name=message.sender_name)]
    intake = understand(message, Thread(FoundKey()), DESK)
    readings = intake.readings if isinstance(intake, Forms) else ()
    has_log = bool(message.attachments)
    return [validate(one, catalogue(), attachments=has_log, default_name=message.sender_name) for one in readings]


#: What is compared; words around a form come to the comments too, so these are looked for in them.
COMPARED = tuple(key for key in FIELDS if key not in ("request", "action", "product", "log", "comments"))


def compared(
    truths: tuple[Truth, ...], found: list[tuple[Request, tuple[Problem, ...]]], traits: dict[str, str]
) -> Measured:
    """Field by field what was read against what was meant."""
    all_of = Measured()
    for number, truth in enumerate(truths):
        request, problems = found[number] if number < len(found) else (Request(), ())
        all_of.add(_compared(truth, request, problems, traits))
    for request, _ in found[len(truths) :]:
        all_of.wrong += 1
        all_of.faults.append(f"wrong request: a form of {request.request!r} that nobody asks for in {traits}")
    return all_of


def _compared(truth: Truth, request: Request, problems: tuple[Problem, ...], traits: dict[str, str]) -> Measured:
    told = {problem.field for problem in problems}
    if "items" in told:
        told |= set(FORMS[truth.request, truth.action].one_of)
    one = Measured()

    def count(verdict: str, key: str, got: object, meant: object) -> None:
        setattr(one, verdict, getattr(one, verdict) + 1)
        for name, value in traits.items():
            one.by_trait[name, value, verdict] += 1
        if verdict in ("wrong", "missed") or (verdict == "asked" and not truth.asked):
            one.faults.append(f"{verdict} {key}: {got!r} for {meant!r} in {traits}")

    if "request" in truth.asked:
        count("asked" if "request" in told else "wrong", "request", request.request, "a clash")
        return one
    kind = (request.request, request.action)
    if kind == (truth.request, truth.action):
        count("right", "request", kind, kind)
    else:
        verdict = (
            "asked"
            if told & {"request", "action", "demo", "reason", "product"}
            or request.request in ("unknown", truth.request)
            else "wrong"
        )
        count(verdict, "request", kind, (truth.request, truth.action))
    for key in COMPARED:
        got, meant = getattr(request, key), truth.fields.get(key)
        if key in truth.asked:
            count("wrong" if got not in (None, (), "") else "asked" if key in told else "missed", key, got, None)
        elif got in (None, (), "") and meant is not None:
            count("asked" if key in told or not found_out(request, truth) else "missed", key, got, meant)
        elif meant is not None or got not in (None, (), ""):
            same = got == meant or (
                isinstance(got, str)
                and isinstance(meant, str)
                and FIELDS[key].kind is FieldKind.PROSE
                and _in(meant, got)
            )
            count("right" if same else "asked" if key in told else "wrong", key, got, meant)
    if truth.comments:
        there = _in(truth.comments, request.comments or "") or (truth.request, truth.action) == ("information", None)
        count(
            "right" if there else "wrong" if request.request else "missed", "comments", request.comments, truth.comments
        )
    return one


def found_out(request: Request, truth: Truth) -> bool:
    """Whether it is known which form it is; until then only what all forms share is kept."""
    return (request.request, request.action) == (truth.request, truth.action)


def _in(words: str, text: str) -> bool:
    return "".join(words.split()) in "".join(text.split())
