"""The search index in memory: immutable segments of columns, bitsets and positions, and what is asked of them.

The read model in SQL stays the truth; an answer of the index equals that of SQL for the same rows. No module here knows a
table, a caller or a protobuf.
"""
