"""Licences by hand and by file: set with a reason, import all or nothing, export exactly."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Any

from mailbot import records
from mailbot.core.address import strict
from mailbot.core.catalogue import Catalogue
from mailbot.core.licence import Licence
from mailbot.core.values import token as read_token
from mailbot.desk import Desk
from mailbot.shapes import LICENCE
from storage import licences, people

STATUSES = ("demo", "active", "expired", "deactivated", "replaced")
COUNTS = ("agents", "users", "telephones", "mobile_agents")
DATES = ("demo_ends", "expires_on", "renews_on")


def faults_of(row: dict[str, str], catalogue: Catalogue) -> list[str]:
    """Everything wrong with one line of a file or with one setting, each naming its column."""
    choices = {
        "status": STATUSES,
        "product": tuple(catalogue.products),
        "plan": tuple(catalogue.plans),
        "support": tuple(catalogue.support),
        "billing": tuple(catalogue.billing),
        "whitelabel": ("true", "false"),
    }
    found = [f"unknown column {name!r}" for name in row if name not in LICENCE]
    found += [
        f"{k}: read {v!r}, must be one of {', '.join(choices[k])}"
        for k, v in row.items()
        if v and k in choices and v not in choices[k]
    ]
    found += [
        f"{k}: read {row[k]!r}, must be a whole number"
        for k in COUNTS
        if row.get(k) and not (row[k].isascii() and row[k].isdigit())
    ]
    found += [
        f"{k}: read {row[k]!r}, must be a date like 2027-01-31" for k in DATES if row.get(k) and not _is_date(row[k])
    ]
    for key, known in (("addons", catalogue.addons), ("plugins", catalogue.plugins)):
        found += [
            f"{key}: read {name!r}, must be one of {', '.join(known)}"
            for name in _listed(row.get(key, ""))
            if name not in known
        ]
    found += [
        f"contacts: read {c!r}, must be an address or @domain"
        for c in _listed(row.get("contacts", ""))
        if not strict(f"x{c}" if c.startswith("@") else c)
    ]
    if not isinstance(read_token("token", row.get("token", "")), str):
        found.append(f"token: read {row.get('token', '')!r}, must be 8 to 128 visible ASCII characters without spaces")
    return found


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def read_csv(text: str, catalogue: Catalogue) -> tuple[list[dict[str, str]], list[str]]:
    """The lines of a file, and every fault with its line number."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(reader.fieldnames or ()) != LICENCE:
        return [], [f"line 1: the header must be {','.join(LICENCE)}"]
    rows, faults, seen = [], [], set()
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values():
            faults.append(f"line {number}: the number of columns is wrong")
            continue
        faults += [f"line {number}: {fault}" for fault in faults_of(row, catalogue)]
        if row["token"] in seen:
            faults.append(f"line {number}: the token {row['token']} stands twice")
        seen.add(row["token"])
        rows.append(row)
    return rows, faults


def _terms(row: dict[str, str], today: Licence | None, catalogue: Catalogue) -> dict[str, Any]:
    """What a line changes on the licence as it is."""
    wanted: dict[str, Any] = {
        k: v or None for k, v in row.items() if k in ("product", "status", "plan", "support", "billing", *DATES)
    }
    wanted |= {k: int(row[k] or 0) for k in COUNTS if k in row}
    if "whitelabel" in row:
        wanted["whitelabel"] = row["whitelabel"] == "true"
    for column, kind in (("addons", "addon"), ("plugins", "plugin")):
        if column in row:
            known = catalogue.addons if kind == "addon" else catalogue.plugins
            wanted |= {f"{kind}:{key}": key in _listed(row[column]) for key in known}
    return {k: v for k, v in wanted.items() if _now(today, k) != v}


def _now(today: Licence | None, key: str) -> Any:
    if today is None:
        return False if ":" in key else 0 if key in COUNTS else None
    if key in DATES:
        value = getattr(today, key)
        return value.isoformat() if value else None
    return today.value(key)


def put(desk: Desk, rows: Iterable[dict[str, str]], kind: str, why: str) -> int:
    """Write those lines to the ledger in one transaction, only what differs. Returns how many licences changed."""
    changed = 0
    now = desk.clock()
    today = now.astimezone(desk.config.zone).date()
    with desk.store.write() as session:
        for row in rows:
            token = row["token"]
            licence = records.licence(session, token, today)
            terms = _terms(row, licence, desk.catalogue)
            if terms:
                licences.append(
                    session, token=token, at=now, effective=today, kind=kind, changes=terms, decider="operator",
                    rule=kind, catalogue_version=desk.catalogue.version, why=why,
                )  # fmt: skip
                changed += 1
            if row.get("customer_name"):
                people.set_name(session, token, row["customer_name"])
            if "contacts" in row:
                wanted = _listed(row["contacts"])
                if licence is None or tuple(wanted) != licence.contacts:
                    people.remove_contacts(session, token)
                    for address in wanted:
                        people.add_contact(session, token, address, now, row.get("status", "active") == "active")
    return changed


def export_csv(found: Iterable[Licence], *, spreadsheet: bool = False) -> str:
    """All licences as a file that ``import`` reads back; for a spreadsheet formulas are escaped and the header says so."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("spreadsheet:token", *LICENCE[1:]) if spreadsheet else LICENCE)
    for licence in found:
        cells = [_cell(getattr(licence, key)) for key in LICENCE]
        writer.writerow([f"'{c}" if spreadsheet and c[:1] in "=+-@\t\r" and c else c for c in cells])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(value) if isinstance(value, tuple) else str(value)
