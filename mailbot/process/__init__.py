"""What the desk does with one mail or one due thing, inside one transaction.

The decisions are made in ``core``; loops, retries and connections are in ``service``.
"""
