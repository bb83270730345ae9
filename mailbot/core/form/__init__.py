"""The text of a mail becomes a request: own words, labels, values, and every problem of the form itself.

Problems that only the ledger shows belong to ``desk``.
"""
