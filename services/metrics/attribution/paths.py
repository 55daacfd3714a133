"""Paths of touches in columns: one row a touch, paths one behind the other, oldest touch first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kernel.core.faults import Invalid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
CHANNELS_LIMIT = 2_000
"""Channels (creators, collaborations or contents) that one comparison tells apart: the Markov model inverts a matrix of them."""
PATHS_LIMIT = 1_000_000


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
        if len(self) > PATHS_LIMIT:
            raise Invalid("attribution.too_many_paths", paths=len(self), limit=PATHS_LIMIT)

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


def paths_of(
    channels: int, touches: Sequence[Sequence[tuple[int, float]]], value_minor: Sequence[int], lost: Sequence[int] = ()
) -> Paths:
    """From (channel, age in seconds) by path; `lost` counts by channel the single touches that no order followed."""
    single = [(channel, count) for channel, count in enumerate(lost) if count]
    every = [*touches, *([(channel, 0.0)] for channel, _ in single)]
    flat = [touch for path in every for touch in path]
    ordered = np.array([1] * len(touches) + [0] * len(single), np.int64)
    return Paths(
        channels,
        np.array([channel for channel, _ in flat], np.int64),
        np.array([age for _, age in flat], np.float64),
        np.concatenate(([0], np.cumsum([len(path) for path in every], dtype=np.int64))).astype(np.int64),
        ordered,
        np.array([*value_minor, *[0] * len(single)], np.int64),
        np.array([0] * len(touches) + [count for _, count in single], np.int64),
    )
