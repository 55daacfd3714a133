"""Creators weighed against each other: who is like whom, and who suits a brief."""
