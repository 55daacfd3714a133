"""What one search asked: its filters against the table of fields, and what of a creator each of them met."""
