"""The message types as JSON schemas, and what else both documents need. Docstrings are the descriptions."""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from pycaserver.core import messages, terms
from pycaserver.core.errors import ERROR_CODES

Schema: TypeAlias = dict[str, Any]
Document: TypeAlias = dict[str, Any]
"""A document in the making, or a part of it."""

_HELD: Final = {**vars(terms), **vars(messages)}
"""Where the types stand that others hold."""
_REFERENCE: Final = "#/components/schemas/{name}"


def reference(struct: type[Struct]) -> Schema:
    """A reference to the type's schema among the components of a document."""
    return {"$ref": _REFERENCE.format(name=struct.__name__)}


def one_of(structs: Iterable[type[Struct]]) -> Schema:
    """One of these types, told apart by their tag."""
    return {"oneOf": [reference(struct) for struct in structs]}


def schemas_of(structs: Iterable[type[Struct]], codes: dict[str, str] = ERROR_CODES) -> dict[str, Schema]:
    """Type name to schema, of these types and of those that they hold; codes: those that an Error may have."""
    types = tuple(structs)
    _, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schemas: dict[str, Schema] = msgspec.json.decode(msgspec.json.encode(components))  # defaults as JSON, not tuples
    named = {struct.__name__: struct for struct in types}
    for name, schema in schemas.items():
        _describe(named.get(name) or _HELD[name], schema["properties"])
    if "Error" in schemas:
        schemas["Error"]["properties"]["code"] |= {"enum": list(codes), "description": as_list(codes)}
    return schemas


def info(title: str, version: str, description: str) -> Document:
    """The head of either document."""
    return {"title": title, "version": version, "description": description, "license": {"name": "BSD-3-Clause"}}


def docstring(thing: object) -> str:
    """What the thing says of itself."""
    return inspect.getdoc(thing) or ""


def as_list(sentences: dict[str, str]) -> str:
    """Names and what they mean, as Markdown."""
    return "\n".join(f"- `{name}`: {sentence}" for name, sentence in sentences.items())


def _describe(struct: type[Struct], properties: dict[str, Schema]) -> None:
    """Put in the docstrings of the fields, the inherited ones too."""
    for base in reversed(struct.__mro__):
        documented = _field_docstrings(base.__module__).get(base.__name__, {})
        for field, key in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True):
            if field in documented:
                properties[key]["description"] = documented[field]


@cache
def _field_docstrings(module: str) -> dict[str, dict[str, str]]:
    """Class to field to the string below the field, which Python itself does not keep; none without the source."""
    if not module.startswith("pycaserver."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_documented(node.body)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, after in pairwise(body):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(value=ast.Constant(value=str(text))):
                yield field, inspect.cleandoc(text)
