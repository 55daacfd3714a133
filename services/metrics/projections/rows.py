"""What the projections of metrics have in common."""

from typing import Any

from kernel.core.ids import role_reader

Row = dict[str, Any]
STAFF = tuple(map(role_reader, ("operator", "finance", "auditor", "reviewer", "system")))
"""Who reads every row beside the parties."""
