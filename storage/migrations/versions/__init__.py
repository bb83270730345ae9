"""The revisions, oldest first by their file names. A revision that was released is never changed."""
