"""The rules of the desk: who may ask, what is granted, and what each event does to a ticket.

It returns effects as values: ``process`` carries them out, ``outbound`` puts them into words.
"""
