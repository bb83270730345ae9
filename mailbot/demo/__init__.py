"""``mailbot demo``: a desk at work on this machine, with a mail server and people who write to it over IMAP and SMTP.

``main`` starts and stops everything: ``mail_server`` (an embedded server behind ``demo_border``), ``demo_desk`` (the desk,
as ``mailbot run`` runs it), and ``player``, which plays the cases of ``script`` with a ``mail_client`` for each person.
``transcript`` prints the conversation; ``mail_page`` is the web page of ``--stay``.
"""
