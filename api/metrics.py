"""What Prometheus reads of a process: answers to webhooks, how long they took, what waits, what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backlint.sync import deliveries
from backlint.sync.database import reading
from backlint.sync.jobs import living
from backlint.sync.writes import count_writes

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry for one service. What workers did is read from the store: they are other processes."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        waiting: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "backlint_webhooks", "Webhooks by source and HTTP status.", ("source", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "backlint_webhook_seconds", "Time until a webhook was answered.", buckets=BUCKETS, registry=self._registry
        )
        self._registry.register(_Stored(engine, waiting))
        self._clock = clock

    def answered(self, source: str, status: int) -> None:
        self._answers.labels(source, str(status)).inc()

    @contextmanager
    def acknowledging(self) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self._seconds.observe(self._clock() - began)

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Stored(Collector):
    """What is read from the store at the moment somebody asks."""

    def __init__(self, engine: sa.Engine, waiting: Callable[[], int]) -> None:
        self._engine, self._waiting = engine, waiting

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        with reading(self._engine) as connection:
            touched = deliveries.count_touched(connection)
            last = deliveries.last_received(connection)
            wrote = count_writes(connection)
            unannounced = deliveries.unannounced(connection, now=datetime.now(UTC))
            processes = living(connection, now=datetime.now(UTC))
        waiting = self._waiting()
        yield GaugeMetricFamily("backlint_webhooks_waiting", "Webhooks not yet looked at.", value=waiting)
        yield GaugeMetricFamily("backlint_processes", "Processes that show signs of life.", value=processes)
        issues = GaugeMetricFamily(
            "backlint_issues_touched", "Issues that webhooks named and that are not done with.",
            labels=("source", "state"),
        )  # fmt: skip
        for (source, state), count in touched.items():
            issues.add_metric((source, state), count)
        yield issues
        heard = GaugeMetricFamily(
            "backlint_webhook_last_seconds", "When a source last sent a webhook, as Unix time.", labels=("source",)
        )
        for source, at in last.items():
            heard.add_metric((source,), at.timestamp())
        yield heard
        missed = GaugeMetricFamily(
            "backlint_issues_unannounced", "Issues that changed since their source last sent a webhook.",
            labels=("source",),
        )  # fmt: skip
        for source, count in unannounced.items():
            missed.add_metric((source,), count)
        yield missed
        work = CounterMetricFamily(
            "backlint_writes", "Changes of labels and comments, by what became of them.",
            labels=("source", "kind", "state"),
        )  # fmt: skip
        for labels, count in wrote.items():
            work.add_metric(labels, count)
        yield work
