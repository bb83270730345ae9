"""Outgoing mails: what each reader may see, in which words, as which exact bytes.

``desk`` decides who gets which mail. A mail begins as a ``draft.Draft``; ``mail_view`` turns it into the typed view that the
templates read, ``mailbot.wording`` renders them, and ``compose`` makes the bytes.
"""
