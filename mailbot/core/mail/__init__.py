"""The bytes of a mail become a ``Message``: text, attachments, sender, what the receiving server says of that sender.

What the mail asks for is read by ``form`` and ``inbound``.
"""
