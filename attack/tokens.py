"""Tokens that nobody issued, or that were changed: refused by every service, over HTTP and gRPC, and never a crash."""

import base64
import json
from collections.abc import Callable

import jwt
from hypothesis import strategies as st

from attack.rpc import asked, methods
from attack.strangers import OPEN, filled
from attack.tally import Tally
from attack.target import Target, operations
from attack.trying import trying
from cli.layout import SERVICES

REFUSED = (400, 401, 429, 431)
"""Also what is no header at all, and one that is too large."""
CHARACTERS = st.characters(min_codepoint=33, max_codepoint=126)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(genuine: str) -> st.SearchStrategy[str]:
    """Tokens made of a genuine one: another algorithm, another key, other claims, broken parts, and no token at all."""
    head, body, seal = genuine.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==="))
    header = json.loads(base64.urlsafe_b64decode(head + "==="))
    other = st.sampled_from([
        {"sub": "eve"}, {"tenant": "platform"}, {"roles": ["operator"]}, {"exp": 9_999_999_999}, {"exp": float("inf")},
        {"aud": "another"}, {"iss": "https://evil.test"}, {"nbf": 0}, {"roles": ["system"]}, {"jti": None},
    ])  # fmt: skip
    heads = st.sampled_from([
        {"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"alg": "EdDSA", "kid": "x"}, {"kid": "../../etc/passwd"},
        {"jwk": {"kty": "OKP"}}, {"jku": "https://evil.test/jwks.json"}, {"typ": "JWT"}, {"crit": ["exp"]},
    ])  # fmt: skip
    changed = st.one_of(
        other.map(lambda more: f"{head}.{_part(claims | more)}.{seal}"),
        st.tuples(heads, other).map(lambda two: f"{_part(header | two[0])}.{_part(claims | two[1])}.{seal}"),
        heads.map(lambda more: f"{_part(header | more)}.{body}."),
        st.text(CHARACTERS, min_size=1, max_size=80).map(lambda text: f"{head}.{body}.{text}"),
        st.integers(1, len(body) - 1).map(lambda at: f"{head}.{body[:at]}.{seal}"),
        other.map(lambda more: jwt.encode(claims | more, "k" * 32, algorithm="HS256", headers={"kid": header["kid"]})),
    )
    return st.one_of(changed, st.text(CHARACTERS, min_size=1, max_size=400), st.just("x" * 16_000), st.just("."))


def _route(target: Target, service: str) -> tuple[str, str]:
    """A route that takes a token."""
    for name, verb, path, _ in operations(target):
        if name == service and path not in OPEN:
            return verb, filled(path)
    raise LookupError(service)


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    for service in SERVICES:
        say(service)
        genuine = target.caller(service)
        method = next(one for name, one in methods() if name == service)

        verb, path = _route(target, service)

        def one(token: str, service: str = service, verb: str = verb, path: str = path) -> None:
            answer = target.send(service, verb, path, token, json={}, patient=False)
            tally.check(answer.status_code in REFUSED, f"{service}: {answer.status_code} for {token[:80]}")

        def over_rpc(token: str, service: str = service, method: object = method) -> None:
            code = asked(target, service, method, b"", token)
            refused = code in ("UNAUTHENTICATED", "RESOURCE_EXHAUSTED")
            tally.check(refused, f"{service} over gRPC: {code} for {token[:80]}")

        trying(forged(genuine), one, 40 * scale)
        trying(forged(genuine).filter(lambda token: len(token) < 8_000), over_rpc, 20 * scale)
