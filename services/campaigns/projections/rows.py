"""What the rows of all read models share."""

from typing import Any

Row = dict[str, Any]
STAFF = ("role:operator", "role:reviewer", "role:finance", "role:auditor")
"""Platform staff may read everything; what they may do is decided at the head."""
