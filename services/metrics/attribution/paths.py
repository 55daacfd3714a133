"""Paths of touches in columns: one row a touch, paths one behind the other, oldest touch first."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kernel.core.faults import Invalid, Refused

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
CHANNELS_LIMIT = 2_000
"""Channels (creators, collaborations or contents) that one comparison tells apart: the Markov model inverts a matrix of them."""
PATHS_LIMIT, TOUCHES_LIMIT = 1_000_000, 10_000_000


@dataclass(frozen=True)
class Paths:
    """`channel` (an index below `channels`) and `age_s` (seconds before the order, >= 0) of each touch; path i holds the touches
    from `starts[i]` up to `starts[i + 1]`, at least one.

    `orders[i]` counts the orders that the path led to: 1, or 0 for touches that no order followed, or more where equal paths
    are one row. `value_minor[i]` is what those orders are worth after refunds; `lost[i]` counts equal paths without an order.
    """

    channels: int
    channel: Ints
    age_s: Floats
    starts: Ints
    orders: Ints
    value_minor: Ints
    lost: Ints

    def __post_init__(self) -> None:
        if self.channels > CHANNELS_LIMIT:
            raise Invalid("attribution.too_many_channels", channels=self.channels, limit=CHANNELS_LIMIT)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> Ints:
        return np.diff(self.starts)

    @cached_property
    def path(self) -> Ints:
        """The path that each touch belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def place(self) -> Ints:
        """The place of each touch in its path, from 0."""
        return np.arange(len(self.channel)) - np.repeat(self.starts[:-1], self.lengths)

    def shared(self, weight: Floats, amount: Ints) -> Floats:
        """The amount of each path shared among its touches by weight, summed by channel; shape (channels,)."""
        whole = np.bincount(self.path, weight, len(self))
        part = weight * np.repeat(amount / whole, self.lengths)
        return self.summed(self.channel, part)

    def summed(self, channel: Ints, amount: Ints | Floats) -> Floats:
        """The amounts summed by channel; shape (channels,)."""
        return np.bincount(channel, amount, self.channels).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class Journeys:
    """Journeys that led to an order, gathered one by one: 16 bytes a touch, whatever the orders' number."""

    channel: "array[int]" = field(default_factory=lambda: array("q"))
    age_s: "array[float]" = field(default_factory=lambda: array("d"))
    lengths: "array[int]" = field(default_factory=lambda: array("q"))
    value_minor: "array[int]" = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.lengths)

    def add(self, touches: Sequence[tuple[int, float]], value_minor: int) -> None:
        """An order that is worth `value_minor` after (channel, seconds before the order) of each touch, oldest first.

        Raises Refused `attribution.too_many_orders` past PATHS_LIMIT orders or TOUCHES_LIMIT touches.
        """
        if len(self) >= PATHS_LIMIT or len(self.channel) + len(touches) > TOUCHES_LIMIT:
            raise Refused("attribution.too_many_orders", limit=PATHS_LIMIT, do="ask for a shorter time")
        self.channel.extend(channel for channel, _ in touches)
        self.age_s.extend(age_s for _, age_s in touches)
        self.lengths.append(len(touches))
        self.value_minor.append(value_minor)

    def paths(self, channels: int, lost: Sequence[int] = ()) -> Paths:
        """With `lost`, by channel, the single touches that no order followed."""
        single = np.flatnonzero(lost)
        none = np.zeros(len(single), np.int64)
        lengths = np.concatenate((np.array(self.lengths, np.int64), none + 1))
        return Paths(
            channels,
            np.concatenate((np.array(self.channel, np.int64), single)),
            np.concatenate((np.array(self.age_s, np.float64), none)),
            np.concatenate(([0], np.cumsum(lengths))),
            np.concatenate((np.ones(len(self), np.int64), none)),
            np.concatenate((np.array(self.value_minor, np.int64), none)),
            np.concatenate((np.zeros(len(self), np.int64), np.array(lost, np.int64)[single])),
        )
