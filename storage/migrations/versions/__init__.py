"""The revisions, in the order of their file names. A released revision is never changed."""
