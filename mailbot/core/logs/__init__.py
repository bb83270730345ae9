"""The logs of a re-activation: unpacked, decoded, read, compared with each other and summed up as a diagnosis.

Which request they belong to, and what the ledger says, is added by ``desk.log_review``.
"""
