"""Licences, items, dates and problems in the words and the language of the reader.

The sentences themselves are in ``templates``.
"""
