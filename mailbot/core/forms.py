"""The one table of fields and requests: labels, aliases, how a value is read, what each form needs. Words are the seed's."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
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
    """A field of a form: its ``label``, what else people write for it, and how its value is read."""

    key: str
    label: str
    kind: Kind
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """What a request needs: ``required`` fields, ``optional`` ones, and ``one_of`` of which at least one must be there."""

    request: str
    action: str | None
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
        _F("request", "Request", Kind.REQUEST, ("request type", "type of request")),
        _F("product", "Product", Kind.PRODUCT, ("xcally product",)),
        _F("action", "Action", Kind.ACTION, ("action request", "action requested")),
        _F("token", "License token", Kind.TOKEN, ("token", "licence token", "license", "server token")),
        _F("old_token", "Old token", Kind.TOKEN, ("old license token", "old licence token", "previous token")),
        _F("new_token", "New token", Kind.TOKEN, ("new license token", "new licence token")),
        _F("motion_token", "Motion token", Kind.TOKEN, ("motion license token", "motion licence token")),
        _F("customer_name", "Customer name", Kind.TEXT, ("customer name/reference", "customer reference", "customer", "company")),
        _F("customer_email", "Customer email", Kind.EMAIL, ("customer email address", "customer e-mail", "e-mail", "email", "email address")),
        _F("accept", "I accept the License Agreement", Kind.YES, ("accept", "license agreement", "licence agreement", "i accept the licence agreement", "i agree", "i accept")),
        _F("demo", "30 days free demo", Kind.YES, ("demo", "free demo", "30 day free demo", "are you requesting a 30 days free demo?", "are you requesting a 30-day free demo?")),
        _F("plan", "Plan", Kind.OPTION, ("xcally plan", "license plan", "licence plan")),
        _F("agents", "Agents", Kind.NUMBER, ("agent", "concurrent agents", "number of agents", "agent licenses")),
        _F("users", "Users", Kind.NUMBER, ("user", "additional users", "number of users")),
        _F("telephones", "Telephones", Kind.NUMBER, ("telephone", "phones", "pbx extensions", "number of telephones")),
        _F("mobile_agents", "Mobile agents", Kind.NUMBER, ("mobile agent", "number of mobile agents")),
        _F("billing", "Billing frequency", Kind.OPTION, ("billing", "frequency")),
        _F("support", "Support package", Kind.OPTION, ("support", "support plan")),
        _F("whitelabel", "Whitelabel", Kind.YES, ("white label", "white-label", "customization", "customisation", "whitelabel/customization")),
        _F("addons", "Add-ons", Kind.OPTIONS, ("addons", "add ons", "add-on", "addon")),
        _F("plugins", "Plugins", Kind.OPTIONS, ("plugin", "plug-ins", "plug-in")),
        _F("reason", "Reason", Kind.REASON, ("grace period reason", "reason of the upgrade", "upgrade reason", "deactivation reason", "reason of cancellation", "reason of the remove request")),
        _F("log", "Log file", Kind.FILE, ("log", "attachment", "license log")),
        _F("comments", "Comments", Kind.PROSE, ("comment", "additional comments", "notes", "remarks")),
        _F("question", "Question", Kind.PROSE, ("your question",)),
        _F("description", "Description", Kind.PROSE, ("details",)),
    )
}  # fmt: skip

_WHO = ("token", "customer_name", "accept")
_MAIL = ("customer_email", "comments")
_SEATS = ("agents", "users", "telephones", "mobile_agents")

FORMS: dict[tuple[str, str | None], Form] = {
    (f.request, f.action): f
    for f in (
        Form("activate", "demo", "Activate a 30 days free demo", (*_WHO, "demo"), _MAIL),
        Form(
            "activate", "plan", "Activate a new license",
            (*_WHO, "demo", "plan", "agents", "billing", "support"),
            ("users", "telephones", "mobile_agents", "whitelabel", "addons", "plugins", *_MAIL),
        ),
        Form("modify", "add", "Modify your license: add", (*_WHO, "action", "reason"), _MAIL, (*_SEATS, "addons", "plugins")),
        Form("modify", "remove", "Modify your license: remove", (*_WHO, "action", "reason"), _MAIL, (*_SEATS, "addons", "plugins")),
        Form("modify", "deactivate", "Modify your license: deactivate", (*_WHO, "action", "reason"), _MAIL),
        Form("contract", None, "Request contract change", _WHO, _MAIL, ("plan", "support", "billing", "whitelabel")),
        Form("reactivate", "expired", "Re-activate your license: expired", ("customer_name", "reason", "old_token", "log"), _MAIL),
        Form("reactivate", "token_change", "Re-activate your license: token change", ("customer_name", "reason", "old_token", "new_token", "log"), _MAIL),
        Form("reactivate", "other", "Re-activate your license: other", ("customer_name", "reason", "old_token", "comments"), ("customer_email", "log")),
        Form("information", None, "Request general information", ("question",), ("customer_name", "customer_email")),
        Form("shuttle", "modify", "Shuttle: modify", ("action", "token", "customer_name", "description"), ("customer_email",)),
        Form("shuttle", "transfer", "Shuttle: transfer to Motion", ("action", "token", "customer_name", "description", "motion_token"), ("customer_email",)),
    )
}  # fmt: skip

#: The request keys with the titles that a customer sees.
TITLES: dict[str, str] = {
    "activate": "Activate a new license or request a 30 days free demo",
    "modify": "Modify your license",
    "contract": "Request contract change",
    "reactivate": "Grace Period / Re-activate License",
    "information": "Request general information",
    "shuttle": "Shuttle: modify or transfer a legacy license",
}
#: Obvious other words for a request, by what a line begins with or is.
_ALIASES: tuple[tuple[str, str, str | None], ...] = (
    ("activate a new license", "activate", None),
    ("activate new license", "activate", None),
    ("activate a license", "activate", None),
    ("new license plan", "activate", "plan"),
    ("new license", "activate", "plan"),
    ("free 30 days demo", "activate", "demo"),
    ("30 days free demo", "activate", "demo"),
    ("free demo", "activate", "demo"),
    ("modify your license", "modify", None),
    ("modify existing license", "modify", None),
    ("modify license", "modify", None),
    ("request contract change", "contract", None),
    ("contract change", "contract", None),
    ("grace period", "reactivate", None),
    ("re-activate", "reactivate", None),
    ("reactivate", "reactivate", None),
    ("request general information", "information", None),
    ("general information", "information", None),
    ("shuttle", "shuttle", None),
)
ACTIONS: dict[str, str] = {
    "add": "add", "update": "add", "upgrade": "add",
    "remove": "remove", "downgrade": "remove",
    "deactivate": "deactivate",
    "modify": "modify", "transfer": "transfer",
}  # fmt: skip


def label(field: str) -> str:
    """A field's label as customers know it; ``items`` is "At least one item"."""
    return FIELDS[field].label if field in FIELDS else "Items" if field == "items" else field


def normal(text: str) -> str:
    """A label or option for comparing: lower case, one space, plain dashes and apostrophes, "licence" as "license"."""
    table = str.maketrans({"‐": "-", "‑": "-", "–": "-", "—": "-", "’": "'", "‘": "'", "\u00a0": " ", "_": " "})
    return " ".join(text.translate(table).lower().replace("licence", "license").split())


LABELS: dict[str, str] = {normal(name): f.key for f in FIELDS.values() for name in (f.key, f.label, *f.aliases)}


def request_of(text: str) -> tuple[str, str | None] | None:
    """The request that a ``Request:`` value or a subject names, with its action where it says one; None otherwise."""
    words = normal(text).strip(" .:!")
    for prefix in ("re:", "fwd:", "fw:", "aw:", "r:"):
        words = words.removeprefix(prefix).strip()
    head, _, tail = words.partition("/")
    if head.strip() in TITLES and (not tail or ACTIONS.get(tail.strip(), tail.strip().replace(" ", "_"))):
        action = tail.strip().replace(" ", "_") or None
        return head.strip(), ACTIONS.get(action or "", action)
    for start, request, action in _ALIASES:
        if words.startswith(start):
            return request, action or next(
                (ACTIONS[w] for w in words.split()[-1:] if w in ACTIONS and request == "modify"), None
            )
    return None
