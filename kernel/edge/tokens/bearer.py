"""The access token in an Authorization header, the same over HTTP and gRPC."""

from kernel.core.faults import Unauthenticated
from kernel.runtime import telemetry


def bearer_token(header: str) -> str:
    """Token of an Authorization header, "" without one; raises Unauthenticated `token.scheme_missing` for a header without
    the word Bearer, which is forgotten often."""
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme:
        telemetry.count("tokens_refused_total", code="token.scheme_missing")
        raise Unauthenticated("token.scheme_missing", do="send Authorization: Bearer <access token>")
    return ""
