"""What mailbot remembers: tables and queries, rows only. Imports nothing of mailbot."""
