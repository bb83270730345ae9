"""What a message turned out to be: its reply key, its kind, and the decisions that staff wrote in it.

Whether any of it may act is decided by ``desk`` and ``mailbot.process``.
"""
