"""Histogram for Prometheus that takes many observations in one call, at the cost of one.

prometheus_client's own Histogram observes one value a call, which the writer, with hundreds of commands in a batch, cannot pay.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Series:
    """Observations of one combination of labels: counts by bucket (the last is +Inf) and the sum of the values."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds, self._counts, self._sum = bounds, [0] * (len(bounds) + 1), 0.0
        self._lock = Lock()

    def observe(self, values: Sequence[float]) -> None:
        """Adds observations. A value equal to a bucket's bound falls into that bucket, as Prometheus defines it."""
        bounds, counts = self._bounds, self._counts
        with self._lock:
            for value in values:
                counts[bisect_left(bounds, value)] += 1
            self._sum += sum(values)

    def cumulative(self) -> tuple[list[int], float]:
        """Count of observations at or below each bound, and the sum of all."""
        with self._lock:
            return list(accumulate(self._counts)), self._sum


class Histogram(Collector):
    """Histogram of a registry; `bounds` are the buckets' upper bounds in ascending order, without +Inf."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._labels = name, text, tuple(labels)
        self._bounds = tuple(float(bound) for bound in bounds)
        self._series: dict[tuple[str, ...], Series] = {}
        if not labels:
            self.labels()
        registry.register(self)

    def labels(self, **labels: str) -> Series:
        """The series of these labels, made at its first use; ValueError unless they are exactly the declared ones."""
        if labels.keys() != set(self._labels):
            raise ValueError(f"{self._name} has the labels {self._labels}, not {tuple(labels)}")
        key = tuple(labels[name] for name in self._labels)
        return self._series.setdefault(key, Series(self._bounds))

    def describe(self) -> list[HistogramMetricFamily]:
        return [HistogramMetricFamily(self._name, self._text, labels=self._labels)]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        bounds = [*map(str, self._bounds), "+Inf"]
        for key, series in sorted(self._series.items()):
            counts, total = series.cumulative()
            family.add_metric(key, list(zip(bounds, counts, strict=True)), total)
        yield family
