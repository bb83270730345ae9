"""Own words end where a quote begins: at the marker, a ``>`` line, an attribution or a header block; a signature is cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.form.quotes import split_at_quote, split_interleaved

MARKER = "--- Please write your reply above this line ---"
BELOW = "APPROVE, REJECT or ASK: Anna, what do you say?"


def own(text: str) -> str:
    return split_at_quote(text, (MARKER,)).own


ATTRIBUTIONS = [
    "Licence Desk wrote on 11/3/2026 10:00 AM:",
    "---- On Tue, 03 Nov 2026 10:00:00 +0100 Licence Desk <desk@v.example> wrote ----",
    "Licence Desk <desk@v.example> ha scritto il giorno mar 3 nov 2026 alle 10:00:",
    "2026-11-03 10:00 GMT+01:00 Licence Desk <desk@v.example>:",
    "Zitat von Licence Desk <desk@v.example>:",
    "Quoting Licence Desk <desk@v.example>:",
    "On Tue, Nov 3, 2026 at 10:15 AM Licence Desk <desk@vendor.example> wrote:",
    "On Tue, Nov 3, 2026 at 10:15 AM Licence Desk\n<desk@vendor.example> wrote:",
    "On Tue, Nov 3, 2026 at 10:15 AM\nLicence Desk <desk@vendor.example>\nwrote:",
    "On 3 Nov 2026, at 10:15, Licence Desk <desk@vendor.example> wrote:",
    "Licence Desk <desk@vendor.example> wrote:",
    "Il giorno mar 3 nov 2026 alle ore 10:15 Licence Desk <desk@vendor.example> ha scritto:",
    "Il giorno mar 3 nov 2026 alle ore 10:15 Licence Desk <\ndesk@vendor.example> ha scritto:",
    "Il 03/11/2026 10:15, Licence Desk ha scritto:",
    "In data 3 novembre 2026 10:15 Licence Desk ha scritto:",
    "Am Di., 3. Nov. 2026 um 10:15 Uhr schrieb Licence Desk <desk@vendor.example>:",
    "Am Di., 3. Nov. 2026 um 10:15 Uhr schrieb Licence Desk\n<desk@vendor.example>:",
    "Am 03.11.26 um 10:15 schrieb Licence Desk:",
    "Le mar. 3 nov. 2026 à 10:15, Licence Desk <desk@vendor.example> a écrit\u00a0:",
    "Le 03/11/2026 à 10:15, Licence Desk a e\u0301crit :",
    "El mar, 3 nov 2026 a las 10:15, Licence Desk (<desk@vendor.example>) escribió:",
    "Op di 3 nov 2026 om 10:15 schreef Licence Desk <desk@vendor.example>:",  # found by quotequail
]
SEPARATORS = [
    "-----Original Message-----",
    "----- Messaggio originale -----",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d’origine-----",
    "---------- Forwarded message ---------",
    "Begin forwarded message:",
    "________________________________",
    "From: Licence Desk\nSent: Tuesday\nTo: Anna\nSubject: x",
    "*From:* Licence Desk\n*Sent:* Tuesday\n*To:* Anna",
    "From: Licence Desk\nTo: Anna\nSubject: x\nDate: Tuesday",
    "Da: Licence Desk\nInviato: martedì\nA: Anna",
    "Von: Licence Desk\nGesendet: Dienstag\nAn: Anna",
    "De : Licence Desk\nEnvoyé : mardi\nÀ : Anna",
    "De: Licence Desk\nEnviado el: martes\nPara: Anna",
]
SIGNATURES = [
    "Gesendet mit der GMX Mail App",
    "Inviato dal mio Telefono Huawei",
    "-- ",
    "--",
    "Sent from my iPhone",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Inviato da iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_attribution_ends_the_own_words(line: str) -> None:
    split = split_at_quote(f"REJECT too dear\n\n{line}\n{BELOW}\n", (MARKER,))
    assert (split.own, split.cut) == ("REJECT too dear", "attribution")
    assert BELOW in split.quoted


@pytest.mark.parametrize("lines", SEPARATORS)
def test_header_block_or_announcement_ends_the_own_words(lines: str) -> None:
    split = split_at_quote(f"REJECT too dear\n\n{lines}\n\n{BELOW}\n", (MARKER,))
    assert (split.own, split.cut) == ("REJECT too dear", "separator")


@pytest.mark.parametrize(
    "line",
    [
        MARKER,
        "Please write your reply above this line",
        "  please WRITE your reply\u00a0above this line  ",
        f"> {MARKER}",
        f">> > {MARKER}",
        "--- Please write your reply\nabove this line ---",
        "> --- Please write your\n> reply above\n> this line ---",
    ],
)
def test_marker_ends_the_own_words_however_it_is_shown(line: str) -> None:
    split = split_at_quote(f"APPROVE\n{line}\n{BELOW}", (MARKER,))
    assert (split.own, split.cut) == ("APPROVE", "marker")


def test_quoted_line_ends_the_own_words() -> None:
    split = split_at_quote("APPROVE\n > REJECT no\nNOTE below", (MARKER,))
    assert (split.own, split.cut) == ("APPROVE", "quote")
    assert split.quoted == " > REJECT no\nNOTE below"


@pytest.mark.parametrize("line", SIGNATURES)
def test_signature_is_cut_off_the_own_words(line: str) -> None:
    split = split_at_quote(f"REJECT too dear\n\n{line}\nAnna\n> quoted", (MARKER,))
    assert (split.own, split.cut) == ("REJECT too dear", "quote")
    assert split.signature == f"{line}\nAnna"


DISCLAIMERS = [
    "This e-mail and any attachments are confidential and intended solely for the addressee.",
    "The information contained in this message\nis confidential and may be privileged.",
    "CONFIDENTIALITY NOTICE: if you are not the addressee, delete it.",
    "Le informazioni contenute in questa comunicazione e gli eventuali documenti allegati\nhanno carattere confidenziale.",
    "Questo messaggio è riservato ai destinatari.",
    "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen.",
    "Ce message et toutes les pièces jointes sont confidentiels.",
    "Este mensaje y sus archivos adjuntos son confidenciales.",
    "Please consider the environment before printing this e-mail.",
]


@pytest.mark.parametrize("words", DISCLAIMERS)
def test_disclaimer_is_cut_off_the_own_words(words: str) -> None:
    assert own(f"ASK Who are you?\n\nAnna\n\n{words}\nAPPROVE") == "ASK Who are you?\n\nAnna"
    assert own(f"{words}\n\nAPPROVE") == f"{words}\n\nAPPROVE"  # without words above it is no signature


def test_sentence_about_a_message_is_no_disclaimer() -> None:
    for text in (
        "ASK Hello,\nthis message did not reach us.",
        "ANSWER Yes.\nQuesta mail va bene.",
        "ASK x\nDiese Nachricht kam an.",
    ):
        assert own(text) == text


def test_phone_signature_above_all_words_is_removed_alone() -> None:
    assert own("\nSent from my iPhone\n\nAPPROVE") == "APPROVE"


@pytest.mark.parametrize(
    "text",
    [
        "REJECT On the telephone he wrote:\nno",
        "REJECT as Joe wrote on 3 November:\nno",
        "ASK From: which day on?",
        "ANSWER Data: see below",
        "Il prezzo: alto",
        "a - b -- c",
        "Sent from myself",
    ],
)
def test_ordinary_words_are_not_cut(text: str) -> None:
    split = split_at_quote(text, (MARKER,))
    assert (split.own, split.quoted, split.cut) == (text, "", "none")


def test_empty_marker_cuts_nothing() -> None:
    assert split_at_quote("APPROVE\n\n---\nx", ("", "---")).own == "APPROVE\n\n---\nx"


def test_own_lines_between_quoted_lines_are_found() -> None:
    text = "Hello,\n\nOn 3 Nov 2026, at 10:15, Desk\n<desk@v.example> wrote:\n\n> Agents: ten\nAgents: 10\n> > Plan: Voice\n"
    assert split_interleaved(text, (MARKER,)) == ("Hello,\n\n\nAgents: 10", "Agents: ten\nPlan: Voice")


@pytest.mark.parametrize("lines", [*SEPARATORS, MARKER, ATTRIBUTIONS[0], ATTRIBUTIONS[2]])
def test_all_below_an_unmarked_quote_counts_as_quoted(lines: str) -> None:
    split, quoted = split_interleaved(f"Agents: 12\n{lines}\nAgents: 10\n> Agents: 8\n", (MARKER,))
    assert split.strip() == "Agents: 12"
    assert quoted.endswith("Agents: 10\nAgents: 8")


def test_interleaved_signature_ends_at_the_next_quoted_line() -> None:
    text = "Agents: 12\n-- \nUsers: 99\n> x\nPlan: Voice\n"
    assert split_interleaved(text, (MARKER,)) == ("Agents: 12\nPlan: Voice", "x")


LINES = st.sampled_from([*ATTRIBUTIONS, *SEPARATORS, *SIGNATURES, MARKER, "> x", "Agents: 1", "", ">", "On 1"])


@given(st.lists(LINES | st.text(max_size=30), max_size=12).map("\n".join))
def test_splitting_any_text_never_raises_or_invents_lines(text: str) -> None:
    split = split_at_quote(text, (MARKER,))
    assert split.own in "\n".join(text.splitlines())
    assert split.quoted in "\n".join(text.splitlines())
    assert not any(line.lstrip().startswith(">") for line in split.own.splitlines())
    split_interleaved(text, (MARKER,))


@pytest.mark.series(3)
@pytest.mark.parametrize(
    "text",
    [
        ">" * 1_000_000,
        "> " * 500_000,
        ">\n" * 300_000,
        "\n" * 1_000_000,
        "On 1\n" * 100_000,
        "am 1 schrieb " * 70_000,
        ("am 1 " + "schrieb " * 40 + "\n") * 3_000,
        "From: a\n" * 100_000,
        "2026/01/01 " + " <@" * 300_000,
        ("2026/01/01 " + " <@" * 50 + "\n") * 2_000,
        "please write your\n" * 50_000,
        "-" * 1_000_000,
        "_" * 1_000_000,
        "Sent from my x\n" * 50_000,
        "a\n" + "this message is\n" * 50_000,
    ],
    ids=lambda text: text[:12].strip(),
)
def test_splitting_a_hostile_megabyte_is_fast(text: str) -> None:
    """A quadratic scan of any of these takes minutes and hangs the run; a linear one is done at once."""
    assert isinstance(split_at_quote(text, (MARKER,)).own, str)
    assert isinstance(split_interleaved(text, (MARKER,)), tuple)


@pytest.mark.parametrize("between", ["\n\n", "\n"])
@pytest.mark.parametrize(
    ("last", "wrote"),
    [
        ("il server è nuovo", "Il giorno mar 3 nov 2026 alle ore 09:12 Joe <joe@acme.example> ha scritto:"),
        ("le serveur a changé", "Le mar. 3 nov. 2026 à 09:12, Joe <joe@acme.example> a écrit :"),
        ("on Monday we close", "On Tue, 3 Nov 2026 at 09:12, Joe <joe@acme.example> wrote:"),
    ],
)
def test_last_own_line_that_begins_like_an_attribution_is_kept(last: str, wrote: str, between: str) -> None:
    text = f"{last}{between}{wrote}\n> old"
    assert split_at_quote(text, ()).own == last
    assert split_interleaved(text, ())[0].strip() == last
