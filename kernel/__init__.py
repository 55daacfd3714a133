"""The shared kernel: event log, writer, relay, guard, projector, processes. It names no business noun."""

VERSION = "0.1.0"
"""Version of the product, as pyproject.toml has it."""
