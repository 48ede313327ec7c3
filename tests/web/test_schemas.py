"""JSON schemas of message types, described by docstrings."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from pycaserver.core import messages as m
from pycaserver.core import requests as r
from pycaserver.core import terms
from pycaserver.web.query import Query
from pycaserver.web.schemas import as_list, docstring, info, one_of, reference, schemas_of


def properties(struct: type[Struct]) -> dict[str, Any]:
    found: dict[str, Any] = schemas_of([struct])[struct.__name__]["properties"]
    return found


def test_types_bring_the_types_that_they_hold() -> None:
    assert schemas_of([r.Connect]).keys() == {"Connect", "Reduce"}
    assert schemas_of([r.Ping]).keys() == {"Ping"}


def test_types_are_described_by_their_docstrings() -> None:
    for name, schema in schemas_of([*r.REQUESTS, *m.MESSAGES]).items():
        assert schema["description"] == (vars(terms) | vars(r) | vars(m))[name].__doc__


def test_fields_are_described_by_the_string_below_them() -> None:
    assert properties(m.Error)["code"]["description"].startswith("- `bad_json`: ")
    assert properties(m.InfoAnswer)["host"]["description"] == "Address and port of the IOC."
    assert "description" not in properties(m.InfoAnswer)["pvname"]


def test_inherited_and_renamed_fields_are_described_too() -> None:
    assert properties(m.Monitor)["timestamp"]["description"] == "The IOC's time stamp, UNIX seconds."
    assert properties(m.InfoAnswer)["count"]["description"].startswith("The native element count")
    assert properties(r.Connect)["as"]["description"] == "A char waveform as one string, an enum as its state string."


@pytest.mark.parametrize("struct", [r.SetOptions, Query], ids=lambda struct: str(struct.__name__))
def test_every_option_is_described(struct: type[Struct]) -> None:
    assert {key for key, schema in properties(struct).items() if not schema.get("description")} == {"action", "id"}


def test_type_of_another_package_has_no_field_docstrings() -> None:
    class Elsewhere(Struct):
        """A type."""

        size: Annotated[int, Meta(description="bytes")]

    assert properties(Elsewhere)["size"] == {"type": "integer", "description": "bytes"}


def test_schemas_are_plain_json() -> None:
    schemas = schemas_of(m.MESSAGES)
    assert schemas["InfoAnswer"]["properties"]["enum_strs"]["default"] == []
    assert msgspec.json.decode(msgspec.json.encode(schemas)) == schemas


def test_codes_of_an_error_may_be_given() -> None:
    code = schemas_of([m.Error], {"late": "Too late."})["Error"]["properties"]["code"]
    assert code == {"type": "string", "enum": ["late"], "description": "- `late`: Too late."}


def test_parts() -> None:
    assert reference(r.Ping) == {"$ref": "#/components/schemas/Ping"}
    assert one_of([r.Ping, m.Pong])["oneOf"] == [reference(r.Ping), reference(m.Pong)]
    assert as_list({"a": "One.", "b": "Two."}) == "- `a`: One.\n- `b`: Two."
    assert docstring(r.Ping) == "Ask for a pong." and docstring(object()) != docstring(r.Ping)
    assert info("T", "1.2", "D")["version"] == "1.2"
