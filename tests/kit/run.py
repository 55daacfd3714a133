"""A run of pytest: the name under which its workers find what they share."""

RUN = "DANDELION_TEST_RUN"
"""The variable with the folder that all workers of a run have in common."""
