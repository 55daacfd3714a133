"""An example of a schema: what the document gives as one, else a value that its bounds allow. Pure."""

from collections.abc import Mapping
from typing import Any

from console.documents.document import Document

DEPTH = 8
"""Objects within objects; deeper ones, and those that hold themselves, are left out."""
OF_FORMAT: Mapping[str, Any] = {
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057",
    "date-time": "2027-03-01T08:00:00Z",
    "date": "2027-03-01",
    "int64": "1200",
    "uint64": "1200",
}
OF_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}


def example_of(document: Document, schema: Mapping[str, Any], least: bool = False, depth: int = DEPTH) -> Any:
    """A value of the schema; `least`: of an object only what is required."""
    if "$ref" in schema:
        return example_of(document, document.resolved(schema), least, depth - 1) if depth else {}
    for given in ("const", "default"):
        if schema.get(given):  # a default that is empty shows nothing of what may stand there
            return schema[given]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return next((one for one in schema["enum"] if not str(one).endswith("_UNSPECIFIED")), schema["enum"][0])
    several = [one for name in ("anyOf", "oneOf", "allOf") for one in schema.get(name, ()) if one.get("type") != "null"]
    if several:
        return example_of(document, several[0], least, depth)
    return _of_type(document, schema, least, depth)


def _of_type(document: Document, schema: Mapping[str, Any], least: bool, depth: int) -> Any:
    if "properties" in schema or schema.get("type") == "object":
        required = schema.get("required", ())
        wanted = {name: one for name, one in schema.get("properties", {}).items() if not least or name in required}
        return {name: example_of(document, one, least, depth - 1) for name, one in wanted.items()} if depth else {}
    if schema.get("type") == "array":
        return [example_of(document, schema.get("items", {}), least, depth - 1)] if depth else []
    if schema.get("format") in OF_FORMAT:
        return OF_FORMAT[schema["format"]]
    if schema.get("minimum"):
        return int(schema["minimum"]) if schema["type"] == "integer" else schema["minimum"]
    return OF_TYPE.get(str(schema.get("type")), "text")
