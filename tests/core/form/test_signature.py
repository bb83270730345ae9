"""Where a signature begins, and which sentences only look like one."""

import pytest

from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields
from tests.core.form.test_values import WHO, checked


@pytest.mark.parametrize(
    "end",
    ["-- \nJoe", "Best regards\nJoe", "Kind regards,\nJoe", "Cordiali saluti\nJoe", "Mit freundlichen Grüßen,\nJoe", "Cordialement,\nJoe", "Saludos,\nJoe"],
)  # fmt: skip
def test_signature_ends_the_value_above_it(end: str) -> None:
    for label, value in (("Comments", "please\n\nsoon"), ("Customer email", "ann@acme.example")):
        read = read_fields(f"{label}: {value}\n{end}\nCompany: Acme\nTelephone: 3\n")
        assert list(read.values.values()) == [value]
        assert read.prose == ""


@pytest.mark.parametrize(
    "closing",
    [
        "Viele Grüße aus Köln", "Saluti da Torino", "In attesa di un riscontro porgo cordiali saluti.", "Thank you and best regards,",
        "Je vous prie de recevoir mes salutations distinguées.",
    ],
)  # fmt: skip
def test_longer_closing_begins_the_signature(closing: str) -> None:
    assert read_fields(f"Comments: soon\n\n{closing}\nJoe\nSupport: Silver").values == {"comments": "soon"}


def test_sentence_about_regards_is_no_closing() -> None:
    assert read_fields("Comments: give Bob my best regards\nand call me").values["comments"].endswith("call me")


def test_phone_extension_in_a_signature_is_asked_about_not_counted() -> None:
    request, problems = checked(f"Request: modify/add\n{WHO}Reason: cost\nAgents: 12\n\nJoe\nTelephone: 4021")
    assert (request.telephones, problems) == (None, [("telephones", Code.NEAR_LABEL)])


def test_line_of_a_phone_begins_the_signature() -> None:
    for line in ("Sent from my iPhone", "Inviato da iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Get Outlook for iOS<https://aka.ms/o0ukef>",
                 "Télécharger Outlook pour Android<https://aka.ms/AAb9ysg>", "Sent with [Proton Mail](https://proton.me/mail/home) secure email.", "Sent from Yahoo Mail on Android", "Sent from my Galaxy"):  # fmt: skip
        read = read_fields(f"Comments: soon\n\n{line}\nTelephone: 3\n")
        assert dict(read.values) == {"comments": "soon"}, line
        assert dict(read_fields(f"{line}\n\nAgents: 3\n").values) == {"agents": "3"}, line


@pytest.mark.parametrize("line", ["Sent from our office in Turin.", "I sent from my phone the wrong log", "Enviado por Joe", "Gesendet habe ich es schon"])  # fmt: skip
def test_sentence_that_begins_like_the_line_of_a_phone_is_kept(line: str) -> None:
    assert read_fields(f"Comments: soon\n{line}\nagain").values["comments"] == f"soon\n{line}\nagain"
