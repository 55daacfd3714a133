"""Saved searches: what is read of them, and the looks that find who came to match."""
