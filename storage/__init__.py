"""The database of mailbot: tables and queries. It knows rows only and imports nothing of mailbot."""
