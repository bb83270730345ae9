"""``mailbot demo``: the desk at work with everything around it on this machine, over real IMAP and SMTP.

``servers``: an embedded mail server behind ``border``; ``people``: mail clients; ``cases``: what they write;
``running``: the desk itself, as ``mailbot run`` has it; ``told``: what is printed; ``web``: a page to write mails on.
"""
