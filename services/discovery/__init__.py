"""Creators: who they are, whom they reach, what they ask; and how they are found."""
