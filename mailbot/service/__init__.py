"""The running desk: its loops take mails in, handle them, deliver answers and post to the licence server.

What happens to a single mail is in ``process``.
"""
