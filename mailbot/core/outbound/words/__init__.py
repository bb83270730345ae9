"""Licences, items, dates and problems in words. The sentences themselves are in ``sentences.toml`` of the templates."""
