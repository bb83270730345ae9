"""Corrections by reply: lines edited in the quoted form, and their merger with what the ticket already has."""

from collections.abc import Mapping

from mailbot.core.form.fields import FIELDS, normalise
from mailbot.core.form.layouts import bare_words
from mailbot.core.form.line_reader import MAILTO_LINK, WRAP_FROM, prepare_lines, tidy_value
from mailbot.core.form.request import PROSE_KEY, Reading
from mailbot.core.form.signature import begins_signature
from mailbot.core.form.which_form import CHOOSER, form_choice, request_of


def read_edited_quote(quoted: str, sent: str) -> Reading:
    """The lines of the quoted form whose value differs from ``sent``, the text of our own mail.

    All other quoted words are ignored. A line that was emptied deletes nothing.
    """
    ours = _form_fields(sent, None)
    if not ours:
        return Reading()
    theirs = _form_fields(quoted, frozenset(ours))
    edited = {
        key: value
        for key, text in theirs.items()
        if not _is_unchanged(text, ours.get(key, "")) and (value := tidy_value(FIELDS[key].kind, text))
    }
    return Reading(edited, request_line=edited.get("request"))


def _form_fields(text: str, known: frozenset[str] | None) -> dict[str, str]:
    """Field key -> text of the first form in a mail of ours, from its ``Request:`` line on.

    After a blank line the form goes on only with fields in ``known`` (None: any), and with no field twice unless it was
    empty: the sentences below a form can look like fields.
    """
    form: dict[str, list[str]] = {}
    current, after_gap = "", False
    for line in prepare_lines(text.splitlines()):
        bare = bare_words(line)
        found = line.labelled if bare else None
        key = found.key if found else None
        if not form:
            if found and key == "request" and normalise(bare).lstrip("*").startswith("request"):
                form, current = {key: [found.value]}, key
        elif begins_signature(line):
            break
        elif not bare:
            after_gap = True
        elif found and key:
            if any(form.get(key, ())) or (after_gap and known is not None and key not in known):
                break
            form[key] = [found.value]
            current, after_gap = key, False
        elif after_gap:
            break
        else:
            form[current].append(bare)
    return {key: "\n".join(lines).strip() for key, lines in form.items()}


def _is_unchanged(quoted: str, sent: str) -> bool:
    """Whether a quoted value is the sent one, however it was wrapped.

    The beginning of a long value or of several lines is enough: mail programs put blank lines between them.
    """
    one, other = ("".join(MAILTO_LINK.sub("", text).split()) for text in (quoted, sent))
    return one == other or ((len(other) > WRAP_FROM or "\n" in sent) and other.startswith(one))


def merge_correction(stored: Mapping[str, str], quoted: Reading | None, own: Reading | None) -> Reading:
    """The corrected form: own lines win over edited quoted lines, which win over the ``stored`` values."""
    edited = dict(quoted.values) if quoted else {}
    newer = {**edited, **(own.values if own else {})}
    values = _without_contradicted({**stored, **newer}, frozenset(newer))
    words = [values.pop(PROSE_KEY, ""), own.prose if own else ""]
    prose = "\n".join(dict.fromkeys(text for text in words if text))
    return Reading(values, own.near if own else {}, values.get("request"), prose)


def _without_contradicted(values: dict[str, str], newer: frozenset[str]) -> dict[str, str]:
    """``values`` without the older lines that contradict a ``newer`` one about which form it is."""
    clash = form_choice(values).clash
    if clash is None:
        return values
    choosers = {"request", "product", *CHOOSER.values()}
    if "request" in newer:
        older = choosers - newer
        return {key: value for key, value in values.items() if key not in older or not _causes_clash(values, key)}
    if newer & choosers:
        bare = request_of(values.get("request", ""))
        if clash.field != "request" and bare:
            return {**values, "request": bare[0].value}
        return {key: value for key, value in values.items() if key != "request"}
    return values


def _causes_clash(values: Mapping[str, str], key: str) -> bool:
    """Whether the values agree without that field."""
    return key in values and form_choice({k: v for k, v in values.items() if k != key}).clash is None
