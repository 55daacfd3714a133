"""The mix planner: what creators are expected to bring, the model of a question, its solution, and why it is so."""
