"""``mailbot demo``: a desk at work on this machine, with a mail server and people who write to it over IMAP and SMTP.

``demo.main`` starts and stops everything: ``demo.mail_server`` (an embedded server behind ``demo.demo_border``),
``demo.demo_desk`` (the desk, as ``mailbot run`` runs it), and ``demo.player``, which plays the cases of ``demo.script``
with a ``demo.mail_client`` for each person. ``demo.transcript`` prints the conversation; ``demo.mail_page`` is the web
page of ``--stay``.
"""
