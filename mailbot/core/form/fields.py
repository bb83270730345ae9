"""The one table of fields and forms: labels, aliases, how each value is read, what each form needs. The words are the seed's."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailbot.core.base.characters import without_invisible
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form.request import Action, RequestKind


class FieldKind(StrEnum):
    """How the value of a field is read."""

    REQUEST = "request"
    ACTION = "action"
    PRODUCT = "product"
    TOKEN = "token"  # noqa: S105 - a kind of field
    TEXT = "text"
    PROSE = "prose"
    EMAIL = "email"
    YES = "yes"
    NUMBER = "number"
    OPTION = "option"
    OPTIONS = "options"
    REASON = "reason"
    FILE = "file"


@dataclass(frozen=True)
class Field:
    """A field of a form: its ``label``, the ``aliases`` that people write for it, and how its value is read."""

    key: str
    label: str
    kind: FieldKind
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """What a request needs: all ``required`` fields and at least one of ``one_of``; ``optional`` ones may be given."""

    request: RequestKind
    action: Action | None
    title: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All its fields, in the order in which a blank form shows them."""
        return (*self.required, *self.one_of, *self.optional)


_F = Field
FIELDS: dict[str, Field] = {
    f.key: f
    for f in (
        _F("request", "Request", FieldKind.REQUEST, ("request type", "type of request", "your request")),
        _F("product", "Product", FieldKind.PRODUCT, ("xcally product", "your xcally product")),
        _F("action", "Action", FieldKind.ACTION, ("action request", "action requested", "requested action")),
        _F("token", "License token", FieldKind.TOKEN, ("token", "license", "server token", "your license token")),
        _F("old_token", "Old token", FieldKind.TOKEN, ("old license token", "old server token", "previous token", "previous license token")),
        _F("new_token", "New token", FieldKind.TOKEN, ("new license token", "new server token")),
        _F("motion_token", "Motion token", FieldKind.TOKEN, ("motion license token", "xcally motion token")),
        _F("customer_name", "Customer name", FieldKind.TEXT, ("customer name/reference", "customer name / reference", "customer reference", "customer", "company", "company name")),
        _F("customer_email", "Customer email", FieldKind.EMAIL, ("customer email address", "customer e-mail", "customer e-mail address", "e-mail", "email", "email address", "e-mail address")),
        _F("accept", "I accept the License Agreement", FieldKind.YES, ("accept", "license agreement", "accept license agreement", "accept the license agreement", "accept the conditions", "accept the conditions and the license agreement", "i accept the conditions and the license agreement", "check the info and accept the conditions", "license agreement accepted", "i agree", "i accept", "i agree to the license agreement", "we accept", "we agree", "we accept the license agreement", "we agree to the license agreement", "do you accept the license agreement")),
        _F("demo", "30 days free demo", FieldKind.YES, ("demo", "free demo", "30 day free demo", "30-days free demo", "30-day free demo", "free 30 days demo", "are you requesting a 30 days free demo", "are you requesting a 30-day free demo", "are you requesting a 30-days free demo")),
        _F("plan", "Plan", FieldKind.OPTION, ("xcally plan", "license plan", "new plan", "new license plan")),
        _F("agents", "Agents", FieldKind.NUMBER, ("agent", "concurrent agents", "concurrent agent", "number of agents", "number of concurrent agents", "agent license", "agent licenses")),
        _F("users", "Users", FieldKind.NUMBER, ("user", "additional users", "additional user", "number of users", "number of additional users", "user license", "user licenses")),
        _F("telephones", "Telephones", FieldKind.NUMBER, ("phones", "pbx extensions", "pbx extension", "number of telephones", "number of pbx extensions", "telephone licenses")),
        _F("mobile_agents", "Mobile agents", FieldKind.NUMBER, ("mobile agent", "named mobile agents", "number of mobile agents", "mobile agent license", "mobile agent licenses")),
        _F("billing", "Billing frequency", FieldKind.OPTION, ("billing", "frequency")),
        _F("support", "Support package", FieldKind.OPTION, ("support", "support plan")),
        _F("whitelabel", "Whitelabel", FieldKind.YES, ("white label", "white-label", "customization", "customisation", "whitelabel/customization", "whitelabel / customization", "whitelabel/customization option", "whitelabel option", "customization option", "white label activation")),
        _F("addons", "Add-ons", FieldKind.OPTIONS, ("addons", "add ons", "add-on", "addon")),
        _F("plugins", "Plugins", FieldKind.OPTIONS, ("plugin", "plug-ins", "plug-in")),
        _F("reason", "Reason", FieldKind.REASON, ("grace period reason", "reason of grace period", "reason of the grace period", "reason of the upgrade", "upgrade reason", "deactivation reason", "reason of cancellation", "cancellation reason", "reason of the remove request", "reason for the upgrade", "reason for upgrade", "reason for cancellation", "reason for the cancellation", "reason for deactivation", "reason for the deactivation")),
        _F("log", "Log file", FieldKind.FILE, ("log", "attachment", "license log")),
        _F("comments", "Comments", FieldKind.PROSE, ("comment", "additional comments", "notes", "remarks")),
        _F("question", "Question", FieldKind.PROSE, ("your question",)),
        _F("description", "Description", FieldKind.PROSE, ("details",)),
    )
}  # fmt: skip

#: Fields that any mail or signature may hold; they alone make no form.
CONTACT_FIELDS = frozenset({"customer_name", "customer_email", "comments", "telephones", "log"})
_IDENTITY = ("token", "customer_name", "accept")
_CONTACT = ("customer_email", "comments")

FORMS: dict[tuple[RequestKind, Action | None], Form] = {
    (f.request, f.action): f
    for f in (
        Form(RequestKind.ACTIVATE, Action.DEMO, "Activate a 30 days free demo", (*_IDENTITY, "demo"), _CONTACT),
        Form(
            RequestKind.ACTIVATE, Action.PLAN, "Activate a new license",
            (*_IDENTITY, "demo", "plan", "agents", "billing", "support"),
            ("users", "telephones", "mobile_agents", "whitelabel", "addons", "plugins", *_CONTACT),
        ),
        Form(RequestKind.MODIFY, Action.ADD, "Modify your license: add", (*_IDENTITY, "action", "reason"), _CONTACT, (*SEATS, "addons", "plugins")),
        Form(RequestKind.MODIFY, Action.REMOVE, "Modify your license: remove", (*_IDENTITY, "action", "reason"), _CONTACT, (*SEATS, "addons", "plugins")),
        Form(RequestKind.MODIFY, Action.DEACTIVATE, "Modify your license: deactivate", (*_IDENTITY, "action", "reason"), _CONTACT),
        Form(RequestKind.CONTRACT, None, "Request contract change", _IDENTITY, _CONTACT, ("plan", "support", "billing", "whitelabel")),
        Form(RequestKind.REACTIVATE, Action.EXPIRED, "Re-activate your license: expired", ("customer_name", "reason", "old_token", "log"), _CONTACT),
        Form(RequestKind.REACTIVATE, Action.TOKEN_CHANGE, "Re-activate your license: token change", ("customer_name", "reason", "old_token", "new_token", "log"), _CONTACT),
        Form(RequestKind.REACTIVATE, Action.OTHER, "Re-activate your license: other", ("customer_name", "reason", "old_token", "comments"), ("customer_email", "log")),
        Form(RequestKind.INFORMATION, None, "Request general information", ("question",), ("customer_name", "customer_email")),
        Form(RequestKind.SHUTTLE, Action.MODIFY, "Shuttle: modify", ("action", "token", "customer_name", "description"), ("customer_email",)),
        Form(RequestKind.SHUTTLE, Action.TRANSFER, "Shuttle: transfer to Motion", ("action", "token", "customer_name", "description", "motion_token"), ("customer_email",)),
    )
}  # fmt: skip


def combined_form(request: RequestKind) -> Form:
    """A form with every field of a request's forms; required is what all of them require. UNKNOWN: of all requests."""
    known = request is not RequestKind.UNKNOWN
    forms = [form for form in FORMS.values() if form.request is request or not known]
    every = dict.fromkeys(field for form in forms for field in form.fields)
    common = tuple(f for f in every if known and all(f in form.required for form in forms))
    return Form(request, None, TITLES.get(request, ""), common, tuple(f for f in every if f not in common))


#: Request key -> the title that customers see.
TITLES: dict[RequestKind, str] = {
    RequestKind.ACTIVATE: "Activate a new license or request a 30 days free demo",
    RequestKind.MODIFY: "Modify your license",
    RequestKind.CONTRACT: "Request contract change",
    RequestKind.REACTIVATE: "Grace Period / Re-activate License",
    RequestKind.INFORMATION: "Request general information",
    RequestKind.SHUTTLE: "Shuttle: modify or transfer a legacy license",
}


def field_label(field: str) -> str:
    """A field's label as customers know it. "items", which stands for any one of several fields, is "Items"."""
    return FIELDS[field].label if field in FIELDS else "Items" if field == "items" else field


_PLAIN_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("’‘‛`´", "'"),
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("\u00a0\u2007\u202f_", " "),
    }
)


def normalise(text: str) -> str:
    """Text for comparing: lower case, single spaces, plain dashes and quotes, "licence" as "license"."""
    return " ".join(without_invisible(text).translate(_PLAIN_CHARACTERS).lower().replace("licence", "license").split())


LABELS: dict[str, str] = {normalise(name): f.key for f in FIELDS.values() for name in (f.key, f.label, *f.aliases)}
#: Labels of one list for add-ons and plugins together, as in the seed's headings.
COMBINED_LISTS = frozenset(
    {"add-ons and plugins", "addons and plugins", "add-ons/plugins", "add-ons & plugins", "plugins and add-ons"}
)
#: Longest label in characters; shorter look-ups are cached.
_LABEL_MAX = 200
LABELS |= dict.fromkeys(COMBINED_LISTS, "addons")
#: The labels with spaces for dashes: "License-Token" is a label too.
_LABELS_WITHOUT_DASHES = {name.replace("-", " "): key for name, key in LABELS.items()}
_WHICH_ITEMS = re.compile(r"which items you would like to (?:upgrade|add|remove) - ")
#: Words before what is counted: "new total of", "number of".
_COUNT_PREFIX = re.compile(r"^(?:new )?total (?:(?:number )?of )?|^n(?:o|r|umber)\.? of ")
#: How the seed's headings begin ("Select the support package", "Define the number of agents").
_HEADING_VERBS = ("select ", "define ", "set ", "choose ", "insert ", "provide ", "indicate ", "upload ")

#: "Request 2", "Request no. 2", "2nd request", for several requests in one mail.
_NUMBERED_REQUEST = re.compile(
    r"request (?:#|no\.?|n\.?|nr\.?|number)? ?[0-9]{1,2}|[0-9]{0,2}(?:1st|2nd|3rd|[0-9]th) request"
)


def field_of(label: str) -> str | None:
    """The key of the field that a label or a heading of the seed names; None if it names none."""
    return _field_of(label) if len(label) <= _LABEL_MAX else None


@lru_cache(maxsize=512)
def _field_of(label: str) -> str | None:
    words = normalise(label).rstrip("?").strip(" .*\"'").removeprefix("please ").removeprefix('on field "')
    if key := LABELS.get(words) or _LABELS_WITHOUT_DASHES.get(words.replace("-", " ")):
        return key
    if _NUMBERED_REQUEST.fullmatch(words):
        return "request"
    counted = LABELS.get(_COUNT_PREFIX.sub("", words, count=1))
    return counted if counted in SEATS else LABELS.get(heading_topic(words))


def heading_topic(words: str) -> str:
    """What a heading of the seed asks for ("support package" of "Select the support package"); "" if it is no heading."""
    if not words.startswith(_HEADING_VERBS):
        return ""
    return _WHICH_ITEMS.sub("", words.partition(" ")[2], count=1).removeprefix("the ")


def asks_for_both_lists(label: str) -> bool:
    """Whether a label asks for add-ons and plugins together in one list."""
    words = normalise(label)
    return words in COMBINED_LISTS or heading_topic(words) in COMBINED_LISTS
