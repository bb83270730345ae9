"""The history of the tables, for Alembic: one file for each revision in `versions`, for SQLite and PostgreSQL alike."""
