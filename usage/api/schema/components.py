"""Types → schemas of the OpenAPI document (3.1, so JSON Schema 2020-12)."""

from collections.abc import Mapping
from typing import Any

import msgspec

_PLACE = "#/components/schemas/{name}"
_AMOUNT = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}]}
_components: dict[str, dict[str, Any]] = {}

Schema = dict[str, Any]


def schema_of(documented: Any) -> Schema:
    """The schema of any type msgspec knows; structs become named components."""
    (schema,), components = msgspec.json.schema_components([documented], ref_template=_PLACE)
    _components.update({name: _tidied(found) for name, found in components.items()})
    tidied: Schema = _tidied(schema)
    return tidied


def one_of(*documented: Any) -> Schema:
    """The schema of a value that is exactly one of several types."""
    return {"oneOf": [schema_of(option) for option in documented]}


def add_components(result: Schema, **_context: object) -> Schema:
    """Give the document the components its operations refer to."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    wanted = list(_references(result))
    while wanted:
        name = wanted.pop()
        if name not in schemas:
            schemas[name] = _components[name]
            wanted += _references(_components[name])
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def _references(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        own = node.get("$ref")
        found = [name for part in node.values() for name in _references(part)]
        start = _PLACE.format(name="")
        if isinstance(own, str) and own.startswith(start):
            found.append(own.removeprefix(start))
        return found
    if isinstance(node, list | tuple):
        return [name for part in node for name in _references(part)]
    return []


def _tidied(node: Any) -> Any:
    """Amounts as a body may state them, and patterns in the dialect of JSON Schema."""
    if isinstance(node, list):
        return [_tidied(part) for part in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "decimal":
        return _AMOUNT | {k: v for k, v in node.items() if k not in ("format", "type")}
    tidied = {name: _tidied(part) for name, part in node.items()}
    if isinstance(pattern := tidied.get("pattern"), str):
        tidied["pattern"] = pattern.replace(r"\Z", "$")
    return tidied
