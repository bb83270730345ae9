"""The tables' history, for Alembic: one file per revision in `versions`, each for SQLite and PostgreSQL alike."""
