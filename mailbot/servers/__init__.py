"""Clients of other servers: IMAP, SMTP and the licence server.

None of them touches the database; the loops in ``service`` connect both.
"""
