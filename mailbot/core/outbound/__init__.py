"""Mails going out: what each reader may see, in which words, as which exact bytes.

Templates are loaded by ``mailbot.wording``; who gets which mail is decided by ``desk``.
"""
