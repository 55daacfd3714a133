"""Where a query stands over HTTP: the `google.api.http` rules of a service's methods (AIP-127), of which a part is allowed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

_HTTP: Any = annotations_pb2.http
_PATH = re.compile(r"(/([a-z0-9-]+|\{[a-z_]+\}))+")
_VARIABLE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One route of one method: GET with the request's fields in path and query, or POST with them in path and JSON body."""

    method: MethodDescriptor
    verb: str
    path: str
    variables: tuple[str, ...]
    """Fields of the request that stand in the path."""

    @property
    def request(self) -> Descriptor:
        return self.method.input_type

    @property
    def is_stream(self) -> bool:
        return bool(self.method.server_streaming)

    def left(self) -> list[FieldDescriptor]:
        """Fields of the request that do not stand in the path."""
        return [field for field in self.request.fields if field.name not in self.variables]


def rules_of(service: ServiceDescriptor) -> Iterator[Rule]:
    """The routes of all methods; raises ValueError for a method without one, and for a rule that is not served here."""
    for method in service.methods:
        options = method.GetOptions()
        if not options.HasExtension(_HTTP):
            raise ValueError(
                f"{method.full_name} has no google.api.http rule: give it one, so that it is asked over HTTP"
            )
        first: HttpRule = options.Extensions[_HTTP]
        yield from (_rule(method, one) for one in (first, *first.additional_bindings))


def _rule(method: MethodDescriptor, told: HttpRule) -> Rule:
    verb = told.WhichOneof("pattern") or ""
    path: str = getattr(told, verb) if verb in {"get", "post"} else ""
    variables = tuple(_VARIABLE.findall(path))
    fields = method.input_type.fields_by_name
    plain = all(name in fields and fields[name].type == FieldDescriptor.TYPE_STRING for name in variables)
    body = {"get": "", "post": "*"}.get(verb)
    served = _PATH.fullmatch(path) and plain and told.body == body and not told.response_body
    if not served or (method.server_streaming and verb != "get") or method.client_streaming:
        raise ValueError(
            f'{method.full_name}: its rule is not served: GET without a body, or POST with body "*", on a path of words '
            "and of string fields of the request"
        )
    return Rule(method, verb.upper(), path, variables)
