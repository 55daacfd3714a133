"""A search that was saved, and the creators that came to match it since."""
