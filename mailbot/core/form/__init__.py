"""The text of a mail into requests: what the writer filled in, field by field, with every fault of the form itself.

The steps, in the order in which a text goes through them:

1. ``form.fields``: the one table of fields, labels and forms, which all other steps read.
2. Own words. ``form.signature`` and ``form.forwarded`` recognise what is not part of a form; ``form.quotes`` separates the
   writer's words from quoted ones.
3. Lines. ``form.labels`` reads the label and value on one line; ``form.layouts`` and ``form.seat_counts`` rewrite tables,
   columns and stacked labels as one line per field.
4. Readings. ``form.line_reader`` collects the lines of one form as a ``request.Reading``; ``form.reader`` makes one for each
   form of a mail; ``form.corrections`` merges a reply with what its ticket already has.
5. Which form. ``form.which_form`` names request and action from those lines, with ``form.yes_no``.
6. Values. ``form.values`` reads each value, an option by what ``form.choices`` offers; ``form.near_misses`` finds values that
   stand under no label.
7. ``form.validation`` puts it together: a ``request.Request`` and its ``problem.Problem`` values.
8. ``form.blank_form`` goes the other way: a form as text, blank or filled in.

Nothing is guessed: what is unclear becomes a problem that the customer is asked about. ``mailbot.core.inbound`` says which
mails hold forms, ``mailbot.core.desk`` finds the problems that only the ledger shows.
"""
