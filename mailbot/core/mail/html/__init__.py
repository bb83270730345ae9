"""The text that a person sees in the HTML of a mail.

Hidden text is left out or marked as doubtful; what may act on it is decided in ``inbound`` and ``desk``.
"""
