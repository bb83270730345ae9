"""Connections to other servers: IMAP, SMTP and the licence server.

Nothing here touches the database; ``service`` moves work between the two.
"""
