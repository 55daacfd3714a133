"""What is logged while a broker is away: aiokafka says it for every try and partition, which is thousands of lines a minute."""

import logging
import time
from collections.abc import Callable

LOGGERS = (
    "aiokafka", "aiokafka.cluster", "aiokafka.conn", "aiokafka.consumer.consumer", "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
)  # fmt: skip
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class Sparing(logging.Filter):
    """Lets the first warning or error through, then one after pauses that double up to a minute, with how many were left out.

    A silence of two minutes begins anew. One filter for all loggers: they all speak of the same broker.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._left_out, self._pause_s = 0, FIRST_PAUSE_S
        self._said_at = self._heard_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now, silent_s = self._clock(), self._clock() - self._heard_at
        self._heard_at = now
        if silent_s > 2 * LONGEST_PAUSE_S:
            self._pause_s, self._left_out, self._said_at = FIRST_PAUSE_S, 0, float("-inf")
        if now - self._said_at < self._pause_s:
            self._left_out += 1
            return False
        if self._left_out:
            record.msg = f"{record.getMessage()} ({self._left_out} more such lines since the last one)"
            record.args = ()
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._said_at, self._left_out = now, 0
        return True


SPARING = Sparing()


def speak_sparingly() -> None:
    """Puts the one filter on aiokafka's loggers; again is no matter. Who wants every line removes it: `removeFilter(SPARING)`."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(SPARING)
