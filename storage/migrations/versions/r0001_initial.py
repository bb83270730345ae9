"""The first tables, and the triggers that make the ledger and its price lists append-only.

The revision does not use the models, which change later. Moments are in UTC, JSON is text on both databases.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Tables whose rows can only be added, and the condition under which two rows are the same.
APPEND_ONLY = {
    "licence_event": "id = NEW.id OR (token = NEW.token AND revision = NEW.revision)",
    "price_list": "id = NEW.id",
}
APPEND_ONLY_SQLITE = (
    """
    CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
    """,
    """
    CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
    """,
    # INSERT OR REPLACE deletes the conflicting row without firing the trigger on DELETE.
    """
    CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
    WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
    """,
)
APPEND_ONLY_POSTGRESQL = (
    """
    CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END
    $$
    """,
    """
    CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()
    """,
)


def upgrade() -> None:
    """Creates everything, referenced tables first."""
    _mails_in()
    _mails_out()
    _tickets()
    _licences()
    _people()
    _rest()
    _append_only()


def downgrade() -> None:
    """Always raises: there is no earlier revision."""
    msg = "the first revision cannot be undone; restore a backup"
    raise NotImplementedError(msg)


def _mails_in() -> None:
    op.create_table(
        "inbox",
        *_queued(),
        _text("sha256"),
        _text("message_id", nullable=True),
        _text("sender", nullable=True),
        _text("body_sha256", nullable=True),
        _moment("received_at"),
        _moment("kept_at"),
        _text("source"),
        _text("folder", nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _text("state"),
        _moment("attempted_at", nullable=True),
        _text("intake", nullable=True),
        _text("ref", nullable=True),
        _moment("handled_at", nullable=True),
        _flag("moved"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
    )
    _index("inbox", "sha256", unique=True)
    _index("inbox", "message_id")
    _index("inbox", "state", "received_at")
    _index("inbox", "folder", "uidvalidity", "uid")
    _bytes("raw", "inbox")


def _mails_out() -> None:
    op.create_table(
        "outbox",
        *_queued(),
        _text("message_id"),
        _text("kind"),
        _text("ref", nullable=True),
        _text("recipient"),
        _text("recipient_folded"),
        _text("recipient_domain", nullable=True),
        _text("envelope_from"),
        _text("state"),
        _moment("composed_at"),
        _moment("sent_at", nullable=True),
        _number("inbox_id", nullable=True),
        _number("position"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_outbox_inbox_id_inbox"),
    )
    _index("outbox", "message_id", unique=True)
    for column in ("ref", "recipient_folded", "recipient_domain", "state", "composed_at", "inbox_id"):
        _index("outbox", column)
    _bytes("outbox_raw", "outbox")
    op.create_table(
        "delivery",
        _number("id", primary_key=True),
        _number("outbox_id"),
        _moment("at"),
        _text("result"),
        _text("reply"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_delivery_outbox_id_outbox"),
    )
    _index("delivery", "outbox_id")


def _tickets() -> None:
    op.create_table(
        "ticket",
        _number("number", primary_key=True),
        _text("ref"),
        _text("state"),
        _text("request"),
        _text("action", nullable=True),
        _text("token", nullable=True),
        _text("sender"),
        _moment("opened_at"),
        _moment("updated_at"),
        _number("version"),
        _number("row_version"),
        _text("form_sha256"),
        _json("body"),
        sa.PrimaryKeyConstraint("number", name="pk_ticket"),
    )
    _index("ticket", "ref", unique=True)
    for columns in (("state",), ("token",), ("sender", "form_sha256")):
        _index("ticket", *columns)
    op.create_table(
        "ticket_event",
        _number("id", primary_key=True),
        _number("number"),
        _moment("at"),
        _text("kind"),
        _text("by"),
        _text("mail", nullable=True),
        _json("detail", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_event"),
        sa.ForeignKeyConstraint(["number"], ["ticket.number"], name="fk_ticket_event_number_ticket"),
    )
    _index("ticket_event", "number")
    op.create_table("counter", _text("name"), _number("value"), sa.PrimaryKeyConstraint("name", name="pk_counter"))


def _licences() -> None:
    op.create_table(
        "licence_event",
        _number("id", primary_key=True),
        _text("token"),
        _number("revision"),
        _moment("at"),
        sa.Column("effective", sa.Date(), nullable=False),
        _text("kind"),
        _json("changes"),
        sa.Column("asked_on", sa.Date(), nullable=True),
        _text("ticket", nullable=True),
        _text("mail", nullable=True),
        _text("rule", nullable=True),
        _text("decider", nullable=True),
        _text("catalogue_version"),
        _text("why", nullable=True),
        sa.Column("pending", sa.Boolean(), nullable=False, server_default=sa.false()),
        _text("seal"),
        sa.PrimaryKeyConstraint("id", name="pk_licence_event"),
        sa.UniqueConstraint("token", "revision", name="uq_licence_event_token_revision"),
    )
    for column in ("token", "at", "ticket"):
        _index("licence_event", column)
    op.create_table(
        "price_list",
        _number("id", primary_key=True),
        _moment("since"),
        _text("catalogue_version"),
        _text("currency", nullable=True),
        _json("amounts"),
        _json("unbilled"),
        _text("seal"),
        sa.PrimaryKeyConstraint("id", name="pk_price_list"),
    )
    _index("price_list", "since")
    op.create_table(
        "licence_post",
        *_queued(),
        _text("token"),
        _number("revision"),
        _text("state"),
        _moment("made_at"),
        _moment("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_licence_post"),
        sa.UniqueConstraint("token", "revision", name="uq_licence_post_token_revision"),
    )
    _index("licence_post", "state", "token")


def _people() -> None:
    op.create_table(
        "party",
        _text("token"),
        _text("customer_name"),
        _text("name_folded"),
        sa.PrimaryKeyConstraint("token", name="pk_party"),
    )
    _index("party", "name_folded")
    op.create_table(
        "contact",
        _text("token"),
        _text("folded"),
        _text("address"),
        _moment("since"),
        _flag("makes_known"),
        sa.PrimaryKeyConstraint("token", "folded", name="pk_contact"),
    )
    _index("contact", "folded")


def _rest() -> None:
    op.create_table(
        "reply_key",
        _text("digest"),
        _text("purpose"),
        _text("ref", nullable=True),
        _json("refs"),
        _number("version", nullable=True),
        _number("licence_revision", nullable=True),
        _text("address"),
        _moment("made_at"),
        _moment("expires_at", nullable=True),
        _moment("dead_at", nullable=True),
        _text("dead_why", nullable=True),
        _json("payload", nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_reply_key"),
    )
    _index("reply_key", "ref")
    op.create_table(
        "due",
        *_queued(),
        _text("same"),
        _text("kind"),
        _text("ref", nullable=True),
        _text("token", nullable=True),
        _moment("due_at"),
        _moment("made_at"),
        _moment("done_at", nullable=True),
        _moment("dropped_at", nullable=True),
        _json("payload", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_due"),
    )
    _index("due", "same", unique=True)
    for column in ("kind", "ref", "token"):
        _index("due", column)
    op.create_index("ix_due_open", "due", ["done_at", "dropped_at", "due_at", "id"])
    op.create_table(
        "incident",
        _text("key"),
        _moment("at"),
        _text("text"),
        _moment("told_at", nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_incident"),
    )
    _index("incident", "told_at")


def _append_only() -> None:
    """Makes the database refuse every change of the ledger and of price lists, whatever program asks for it."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, same in APPEND_ONLY.items():
        for statement in APPEND_ONLY_SQLITE if sqlite else APPEND_ONLY_POSTGRESQL:
            op.execute(statement.format(table=table, same=same))


def _queued() -> tuple[sa.Column[Any], ...]:
    """The columns that every queue has."""
    return (
        _number("id", primary_key=True),
        _number("attempts"),
        _moment("not_before", nullable=True),
        _moment("lease_until", nullable=True),
        _text("last_result", nullable=True),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _number(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable, primary_key=primary_key)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _index(table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), unique=unique)


def _bytes(table: str, owner: str) -> None:
    """The table for the bytes of the mails in ``owner``."""
    key = f"{owner}_id"
    op.create_table(
        table,
        _number(key),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint([key], [f"{owner}.id"], name=f"fk_{table}_{key}_{owner}"),
    )
