"""Structured logging: one JSON object a line, with trace and event ids and without personal data.

Only the fields listed here are taken from `extra`. Of an exception the type, the frames and a fault's code are logged, but
never its message, which may quote what a caller typed.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import monotonic
from traceback import walk_tb
from types import TracebackType
from typing import TextIO

from opentelemetry import trace

from kernel.core.faults import Fault

# fmt: off
FIELDS = frozenset({
    "bytes", "causation", "chain", "checks", "code", "command", "command_id", "consumer", "correlation", "deadline_s",
    "effect",
    "error_id", "event", "event_id", "key_id", "kind", "method", "offset", "partition", "position", "projection",
    "role", "route", "rows", "seconds", "signal", "source", "status", "stream", "tenant", "topic", "transfer", "type",
    "verdict", "version", "waited_s", "webhook",
})
# fmt: on
FRAMES_LIMIT = 30
CAUSES_LIMIT = 5
CHATTY = "aiokafka"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class JsonFormatter(logging.Formatter):
    """Formatter of `{"at", "level", "logger", "message", "service", ...FIELDS given, "trace_id", "span_id", "error"}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "service": self.service,
            **{name: value for name, value in vars(record).items() if name in FIELDS},
            **_trace_ids(),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = [_described(error) for error in _causes(record.exc_info[1])]
        return json.dumps(line, ensure_ascii=False, default=str)


def _trace_ids() -> dict[str, str]:
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(CAUSES_LIMIT):
        if error is None:
            return
        yield error
        if isinstance(error, BaseExceptionGroup) and error.exceptions:
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__


def _described(error: BaseException) -> dict[str, str | list[str]]:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    text = {"code": error.code} if isinstance(error, Fault) else {}
    return {"type": kind, **text, "frames": _frames(error.__traceback__)}


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(traceback)]
    return frames[-FRAMES_LIMIT:]


class OutageFilter(logging.Filter):
    """While a broker is away its client reports every try, in many loggers: one line comes at once, then one after pauses that
    double up to LONGEST_PAUSE_S, with how many were left out. After a silence of twice that the next line comes at once."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock, self._left_out, self._pause_s = clock, 0, FIRST_PAUSE_S
        self._said_at = self._heard_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] != CHATTY:
            return True
        now, before = self._clock(), self._heard_at
        self._heard_at = now
        if now - before > 2 * LONGEST_PAUSE_S:
            self._left_out, self._pause_s, self._said_at = 0, FIRST_PAUSE_S, float("-inf")
        if now - self._said_at < self._pause_s:
            self._left_out += 1
            return False
        if self._left_out:
            record.msg, record.args = f"{record.getMessage()} ({self._left_out} more such lines since the last one)", ()
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._said_at, self._left_out = now, 0
        return True


def start_logging(service: str, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Installs the only log handler of the process: JSON lines to `stream` (stderr). Libraries log from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    handler.addFilter(OutageFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "asyncio", "httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access", "faust"):
        logging.getLogger(noisy).handlers.clear()
        logging.getLogger(noisy).propagate = True
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
