"""From the bytes of a mail to a ``message.Message``: text, attachments, sender, authentication results, bounces, auto-replies.

What the mail asks for is read by ``form`` and ``inbound``.
"""
