"""Bodies of forms (application/x-www-form-urlencoded): small ones, each name once."""

from urllib.parse import parse_qsl

from fastapi import Request

from sandbox.identity.flows import Refusal

BODY_LIMIT_BYTES, FIELDS_LIMIT = 32 * 1024, 40


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the body; raises Refusal `invalid_request` for a body that is too large, malformed, or names one twice."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal("invalid_request", "send application/x-www-form-urlencoded")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT_BYTES:
            raise Refusal("invalid_request", f"the body has {BODY_LIMIT_BYTES} bytes at most")
    return pairs_of(body.decode("latin-1"))


def pairs_of(text: str) -> dict[str, str]:
    """The fields of a body or of an address's query; raises Refusal `invalid_request`."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_LIMIT, errors="strict")
    except ValueError as error:
        raise Refusal("invalid_request", "the fields cannot be read") from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refusal("invalid_request", "a parameter is named twice")
    return dict(pairs)
