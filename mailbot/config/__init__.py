"""The configuration file: its sections, where values come from, and every fault at once."""
