"""A licence is the sum of its events: its state on a date, its billing periods, its invoices, what is scheduled.

Who may append an event, and when, is decided by ``desk``.
"""
