"""A creator's media kit: what it chose to show, its numbers as they stood then, and the addresses it is shared at."""
