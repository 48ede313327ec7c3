"""GET /metrics: the server's figures for Prometheus."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric

from pycaserver.core.contact import State
from pycaserver.core.errors import CLOSE_CODES, ERROR_CODES
from pycaserver.core.figures import Histogram
from pycaserver.web.handlers import Guarded
from pycaserver.web.site import Site

COUNTERS: Final = {
    "updates_in": "Values received from the IOCs.",
    "updates_merged_in": "Values replaced by a newer one of their PV before the event loop came to them.",
    "losses": "Times that a connected PV was lost.",
    "monitors_renewed": "Monitors made anew because the IOC had lost a value as they began.",
    "updates_out": "Value messages sent to sessions.",
    "updates_merged": "Values replaced by a newer one for a session that was behind, paused or rate-limited.",
    "bytes_out": "Bytes of messages sent to sessions.",
    "requests": "Messages received from sessions.",
    "puts": "Puts asked for, refused ones too.",
    "puts_turned_away": "Puts over HTTP that were not begun, after too many mistakes; they are not in the audit.",
    "sessions_opened": "Sessions ever opened.",
    "connections_dropped": "Connections refused, or closed before they asked, because there were too many.",
    "audit_failures": "Lines of the audit that could not be written at once; they are in the log.",
    "log_lines_lost": "Lines of the log that nobody has read, so that they could not be written.",
    "history_failures": "Times that the history file could not be read or written; it is tried again.",
    "loop_stalls": "Times that the event loop was late by more than 50 ms.",
    "faults": "Exceptions that should not have happened; each is in the log.",
}
"""Field of Figures to help text; the metric is pycaserver_FIELD_total."""

GAUGES: Final = {
    "sessions": "Sessions open now.",
    "connections": "Connections open now that are no WebSocket session.",
    "history_bytes": "Memory that the samples of all histories take now.",
    "loop_lag": "Seconds by which the event loop was late at most, in the last half second.",
    "loop_work_max": "The longest for which the event loop was late because it worked, seconds.",
    "loop_lag_max": "The largest lateness of the event loop since the start, seconds.",
}
"""Field of Figures to help text; the metric is pycaserver_FIELD."""


class SiteCollector:
    """Reads the figures when Prometheus asks: nothing is counted twice, nothing costs on the hot path."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """All metrics of our own."""
        figures = self._site.figures
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(f"pycaserver_{name}", text, getattr(figures, name))
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"pycaserver_{name}", text, getattr(figures, name))
        yield _lateness(figures.loop_lag_seconds)
        yield from self._labelled()

    def _labelled(self) -> Iterator[Metric]:
        site = self._site
        channels = GaugeMetricFamily("pycaserver_channels", "Channels open now, by state.", labels=["state"])
        states = site.pool.states()
        for state in State:
            channels.add_metric([state.value], states[state.value])
        errors = CounterMetricFamily("pycaserver_errors", "Errors answered, by code.", labels=["code"])
        for code in ERROR_CODES:
            errors.add_metric([code], site.figures.errors[code])
        closes = CounterMetricFamily(
            "pycaserver_closes", "Sessions closed by the server, by close code.", labels=["code"]
        )
        for close in CLOSE_CODES:
            closes.add_metric([str(close.code)], site.figures.closes[close.code])
        yield from (channels, errors, closes)


def _lateness(lateness: Histogram) -> Metric:
    """Prometheus counts in each bucket all that is below its end."""
    ends = (*map(str, lateness.bounds), "+Inf")
    buckets = list(zip(ends, accumulate(lateness.counts), strict=True))
    text = "Seconds by which the event loop was late, measured forty times a second."
    return HistogramMetricFamily("pycaserver_loop_lag_seconds", text, buckets, lateness.sum)


def registry_of(site: Site) -> CollectorRegistry:
    """All that /metrics shows: ours and the process's."""
    registry = CollectorRegistry()
    registry.register(SiteCollector(site))
    ProcessCollector(registry=registry)
    return registry


class Metrics(Guarded):
    """The text exposition format."""

    def initialize(self, site: Site, registry: CollectorRegistry) -> None:  # type: ignore[override]
        """Tornado hands over site and registry."""
        super().initialize(site)
        self._registry = registry

    def get(self) -> None:
        """All metrics."""
        self.set_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.set_header("Cache-Control", "no-store")
        self.finish(generate_latest(self._registry))
