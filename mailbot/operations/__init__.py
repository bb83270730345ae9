"""What an operator does besides running the desk: check, probe, explain, import, audit, erase.

The commands that call this are in ``cli``.
"""
