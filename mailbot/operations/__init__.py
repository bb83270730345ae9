"""What operators do besides running the desk: check, probe, explain, import, audit, erase.

Results are returned as values; ``cli`` prints them.
"""
