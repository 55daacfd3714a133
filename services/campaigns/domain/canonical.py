"""Canonical JSON of domain values: keys sorted, no white space, UTF-8, times in UTC. Hashes cover it."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any


def canonical_json(value: Any) -> str:
    """The one text of a frozen dataclass."""
    return json.dumps(asdict(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_time)


def sha256_of(*values: Any) -> str:
    """SHA-256, in hexadecimal, over the canonical JSON of each value, one a line."""
    return hashlib.sha256("\n".join(map(canonical_json, values)).encode()).hexdigest()


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
