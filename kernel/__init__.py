"""The shared kernel: event log, writer, relay, guard, projector, processes. It names no business noun."""
