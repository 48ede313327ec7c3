"""Whatever a URL carries is an option or a mistake, never a fault."""

from urllib.parse import quote_from_bytes

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pycaserver.core.errors import ERROR_CODES
from pycaserver.web.query import READ_KEYS, STREAM_KEYS
from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import fetch, totals

NUMBERS = ["0", "1", "-1", "1e3", "1e999", "nan", "inf", "9" * 5000, "0x10", "1_000", "٣", "true", "null", ""]
WORDS = ["json", "base64", "binary", "string", "number", "{}", "[1]", "[" * 1000, "\ufeff", "\x00", "a\r\nb"]

keys = st.sampled_from(sorted({*READ_KEYS, *STREAM_KEYS, "name", "token"})) | st.text(max_size=8)
values = st.sampled_from([*NUMBERS, *WORDS]).map(str.encode) | st.binary(max_size=12)
queries = st.lists(st.tuples(keys.map(str.encode), values), max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries)
@example(query=[(b"reduce", b"9" * 5000)])
@example(query=[(b"timeout", b"\xff")])
@example(query=[(b"max_count", b"1"), (b"max_count", b"x")])
def test_any_query_is_answered_or_refused_with_a_code(
    server: Server, types: CIOC, query: list[tuple[bytes, bytes]]
) -> None:
    text = "&".join(f"{quote_from_bytes(key, safe='')}={quote_from_bytes(value, safe='')}" for key, value in query)
    answer = fetch(server, f"/api/pv/{types.prefix}ai?{text}")
    if answer.status == 200:
        assert answer.json["pvname"] == f"{types.prefix}ai"
    else:
        assert answer.status in (400, 504)
        assert answer.json["code"] in ERROR_CODES
    assert totals(server)["faults"] == 0
    assert "Traceback" not in server.output
