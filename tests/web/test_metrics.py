"""What Prometheus reads."""

from dataclasses import fields

from prometheus_client.parser import text_string_to_metric_families

from pycaserver.core.contact import State
from pycaserver.core.errors import CLOSE_CODES, ERROR_CODES
from pycaserver.core.figures import Figures
from pycaserver.web.metrics import COUNTERS, GAUGES
from tests.conftest import OFFERED_ONLY
from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import fetch, wait_for_totals

LABELLED = {"errors": "code", "closes": "code", "channels": "state", "loop_lag_seconds": "le"}


def samples(server: Server) -> dict[str, float]:
    """Value by name, or by name{label} for the labelled ones."""
    answer = fetch(server, "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        assert family.documentation
        for sample in family.samples:
            labels = "".join(f"{{{label}}}" for label in sample.labels.values())
            found[sample.name + labels] = sample.value
    return found


def test_every_figure_is_shown() -> None:
    assert COUNTERS.keys() | GAUGES.keys() | LABELLED.keys() == {field.name for field in fields(Figures)} | {"channels"}


def test_every_figure_is_a_sample(server: Server) -> None:
    wanted = {f"pycaserver_{name}_total" for name in COUNTERS} | {f"pycaserver_{name}" for name in GAUGES}
    wanted |= {f"pycaserver_errors_total{{{code}}}" for code in ERROR_CODES}
    wanted |= {f"pycaserver_closes_total{{{close.code}}}" for close in CLOSE_CODES}
    wanted |= {f"pycaserver_channels{{{state.value}}}" for state in State}
    found = samples(server)
    assert wanted <= found.keys()
    assert {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"} <= found.keys()


def test_labels_are_named(server: Server) -> None:
    for family in text_string_to_metric_families(fetch(server, "/metrics").body.decode()):
        label = LABELLED.get(family.name.removeprefix("pycaserver_"))
        labelled = [sample for sample in family.samples if label != "le" or sample.name.endswith("_bucket")]
        assert labelled
        assert all(sample.labels.keys() == ({label} if label else set()) for sample in labelled)


def test_metrics_count_what_happens(server: Server, types: CIOC) -> None:
    wait_for_totals(server, sessions=0, channels=OFFERED_ONLY)
    before = samples(server)
    with server.client() as client:
        client.send(action="connect", pv=f"{types.prefix}ao")
        client.wait(msg_type="monitor")
        client.send(action="get")
        client.wait(msg_type="error", code="bad_request")
        during = samples(server)
    grown = {name for name, value in during.items() if name.startswith("pycaserver_") and value > before[name]}
    assert grown >= {
        "pycaserver_sessions",
        "pycaserver_sessions_opened_total",
        "pycaserver_requests_total",
        "pycaserver_updates_in_total",
        "pycaserver_updates_out_total",
        "pycaserver_bytes_out_total",
        "pycaserver_errors_total{bad_request}",
        "pycaserver_channels{connected}",
    }
    assert during["pycaserver_faults_total"] == 0
