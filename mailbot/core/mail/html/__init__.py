"""From the HTML of a mail to the text that a person sees.

Hidden text is left out. Text that only some mail programs show is in a second version left out, too; which of the two
counts is decided in ``inbound`` and ``desk``.
"""
