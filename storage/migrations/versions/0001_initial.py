"""The first tables. The ledger is append-only: the database itself refuses to change or remove its lines."""

import sqlalchemy as sa
from alembic import op

from storage.types import IndexedText, Text, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE = """
CREATE TRIGGER licence_event_no_{low} BEFORE {word} ON licence_event
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
POSTGRESQL = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
"""


def upgrade() -> None:
    """All tables, and the triggers that keep the ledger as it was written."""
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        for word in ("UPDATE", "DELETE"):
            op.execute(SQLITE.format(low=word.lower(), word=word))
    else:
        op.execute(POSTGRESQL)
        op.execute(
            "CREATE TRIGGER licence_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON licence_event "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()"
        )


def _tables() -> None:
    op.create_table(
        "contact",
        sa.Column("token", IndexedText(), nullable=False),
        sa.Column("folded", IndexedText(), nullable=False),
        sa.Column("address", Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("makes_known", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("token", "folded", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_folded"), "contact", ["folded"], unique=False)
    op.create_table(
        "counter",
        sa.Column("name", IndexedText(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "due",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("same", IndexedText(), nullable=False),
        sa.Column("kind", IndexedText(), nullable=False),
        sa.Column("ref", IndexedText(), nullable=True),
        sa.Column("token", IndexedText(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("dropped_at", UtcDateTime(), nullable=True),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due")),
    )
    op.create_index(op.f("ix_due_due_at"), "due", ["due_at"], unique=False)
    op.create_index(op.f("ix_due_kind"), "due", ["kind"], unique=False)
    op.create_index(op.f("ix_due_ref"), "due", ["ref"], unique=False)
    op.create_index(op.f("ix_due_same"), "due", ["same"], unique=True)
    op.create_index(op.f("ix_due_token"), "due", ["token"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", IndexedText(), nullable=False),
        sa.Column("message_id", IndexedText(), nullable=True),
        sa.Column("sender", Text(), nullable=True),
        sa.Column("body_sha256", Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.Column("source", Text(), nullable=False),
        sa.Column("folder", IndexedText(), nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", IndexedText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", UtcDateTime(), nullable=True),
        sa.Column("reason", Text(), nullable=True),
        sa.Column("intake", Text(), nullable=True),
        sa.Column("ref", Text(), nullable=True),
        sa.Column("handled_at", UtcDateTime(), nullable=True),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_folder_uidvalidity_uid"), "inbox", ["folder", "uidvalidity", "uid"], unique=False)
    op.create_index(op.f("ix_inbox_message_id"), "inbox", ["message_id"], unique=False)
    op.create_index(op.f("ix_inbox_sha256"), "inbox", ["sha256"], unique=True)
    op.create_index(op.f("ix_inbox_state_received_at"), "inbox", ["state", "received_at"], unique=False)
    op.create_table(
        "incident",
        sa.Column("key", IndexedText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_incident")),
    )
    op.create_table(
        "licence_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", IndexedText(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("effective", sa.Date(), nullable=False),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("changes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("ticket", IndexedText(), nullable=True),
        sa.Column("mail", Text(), nullable=True),
        sa.Column("rule", Text(), nullable=True),
        sa.Column("decider", Text(), nullable=True),
        sa.Column("catalogue_version", Text(), nullable=False),
        sa.Column("why", Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence_event")),
        sa.UniqueConstraint("token", "revision", name=op.f("uq_licence_event_token_revision")),
    )
    op.create_index(op.f("ix_licence_event_at"), "licence_event", ["at"], unique=False)
    op.create_index(op.f("ix_licence_event_ticket"), "licence_event", ["ticket"], unique=False)
    op.create_index(op.f("ix_licence_event_token"), "licence_event", ["token"], unique=False)
    op.create_table(
        "party",
        sa.Column("token", IndexedText(), nullable=False),
        sa.Column("customer_name", Text(), nullable=False),
        sa.Column("name_folded", IndexedText(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_party")),
    )
    op.create_index(op.f("ix_party_name_folded"), "party", ["name_folded"], unique=False)
    op.create_table(
        "reply_key",
        sa.Column("digest", IndexedText(), nullable=False),
        sa.Column("purpose", Text(), nullable=False),
        sa.Column("ref", IndexedText(), nullable=True),
        sa.Column("refs", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("licence_revision", sa.Integer(), nullable=True),
        sa.Column("address", Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("dead_at", UtcDateTime(), nullable=True),
        sa.Column("dead_why", Text(), nullable=True),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_reply_key")),
    )
    op.create_index(op.f("ix_reply_key_ref"), "reply_key", ["ref"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ref", IndexedText(), nullable=False),
        sa.Column("state", IndexedText(), nullable=False),
        sa.Column("request", Text(), nullable=False),
        sa.Column("action", Text(), nullable=True),
        sa.Column("token", IndexedText(), nullable=True),
        sa.Column("sender", IndexedText(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ticket")),
    )
    op.create_index(op.f("ix_ticket_ref"), "ticket", ["ref"], unique=True)
    op.create_index(op.f("ix_ticket_sender"), "ticket", ["sender"], unique=False)
    op.create_index(op.f("ix_ticket_state"), "ticket", ["state"], unique=False)
    op.create_index(op.f("ix_ticket_token"), "ticket", ["token"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", IndexedText(), nullable=False),
        sa.Column("kind", IndexedText(), nullable=False),
        sa.Column("ref", IndexedText(), nullable=True),
        sa.Column("recipient", Text(), nullable=False),
        sa.Column("recipient_folded", IndexedText(), nullable=False),
        sa.Column("recipient_domain", IndexedText(), nullable=True),
        sa.Column("envelope_from", Text(), nullable=False),
        sa.Column("state", IndexedText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("composed_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("last_reply", Text(), nullable=True),
        sa.Column("inbox_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_outbox_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_composed_at"), "outbox", ["composed_at"], unique=False)
    op.create_index(op.f("ix_outbox_inbox_id"), "outbox", ["inbox_id"], unique=False)
    op.create_index(op.f("ix_outbox_message_id"), "outbox", ["message_id"], unique=True)
    op.create_index(op.f("ix_outbox_recipient_domain"), "outbox", ["recipient_domain"], unique=False)
    op.create_index(op.f("ix_outbox_recipient_folded"), "outbox", ["recipient_folded"], unique=False)
    op.create_index(op.f("ix_outbox_ref"), "outbox", ["ref"], unique=False)
    op.create_index(op.f("ix_outbox_state"), "outbox", ["state"], unique=False)
    op.create_table(
        "raw",
        sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_raw_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_raw")),
    )
    op.create_table(
        "ticket_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("by", Text(), nullable=False),
        sa.Column("mail", Text(), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["ticket.number"], name=op.f("fk_ticket_event_number_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_event")),
    )
    op.create_index(op.f("ix_ticket_event_number"), "ticket_event", ["number"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("result", Text(), nullable=False),
        sa.Column("reply", Text(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_delivery_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_outbox_id"), "delivery", ["outbox_id"], unique=False)
    op.create_table(
        "outbox_raw",
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_outbox_raw_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox_raw")),
    )
