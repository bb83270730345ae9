"""What a message turned out to be, from the message and its thread alone.

The steps: ``inbound.reply_keys`` finds the secret key of the mail that is answered, and ``inbound.purpose`` says what a key lets
its holder do; ``inbound.own_text`` removes our own sentences from a reply; ``inbound.intake`` decides in one fixed order which
kind of mail it is. ``inbound.decision_grammar`` reads the decisions that staff wrote (``inbound.decision_word``), with
``inbound.decision_tail`` for what may stand below one; ``inbound.contradictions`` finds those that exclude each other.

``mailbot.core.form`` reads the forms. Whether a sender may do what they ask is left to ``mailbot.core.desk``, what is stored
about a key to ``mailbot.process``.
"""
