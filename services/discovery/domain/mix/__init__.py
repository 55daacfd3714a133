"""The mix planner's question and what is planned with, pure: what a brand asks of a set of creators, and who may be in it."""
