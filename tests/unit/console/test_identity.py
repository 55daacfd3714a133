"""Parts of the console's sign-in: which tokens are believed, what a cookie holds, where a sign-in may lead."""

import base64
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from console.identity import cookies
from console.identity.kept import BEGUN_LIMIT, BEGUN_S, Begun, Session, read_begun, written
from console.identity.oidc import Asked
from console.identity.sealing import Seal
from console.identity.tokens import Reader, Tokens, Wrong, name_of, usable
from console.identity.ways import LIMIT_BYTES, own_path
from kernel.edge.tokens.dev_issuer import Issuer
from tests.kit.issuing import Hand

ISSUER, CLIENT = "https://identity.test", "console"


class Provider:
    """Somebody who signs tokens, at a time."""

    def __init__(self, folder: Path) -> None:
        self.clock = Hand()
        self.issuer = Issuer.at(folder, ISSUER, "dandelion", self.clock)
        self.keys = usable(self.issuer.jwks())
        self.reader = Reader(ISSUER, CLIENT, lambda: self.clock().timestamp())

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = self.clock.now
        given = {
            "iss": ISSUER, "aud": CLIENT, "sub": "ann", "nonce": "n", "tenant": "acme", "roles": ["brand"], "iat": now,
            "exp": now + timedelta(seconds=60), **changes,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    def signed(self, key: Any = None, algorithm: str = "EdDSA", headers: Any = None, **changes: Any) -> str:
        told = {"kid": self.issuer.kid, **(headers or {})}
        return jwt.encode(self.claims(**changes), key or self.issuer.key, algorithm=algorithm, headers=told)

    def wrong(self, token: str, nonce: str | None = "n") -> str:
        with pytest.raises(Wrong) as wrong:
            self.reader.id_claims(token, self.keys, nonce)
        return str(wrong.value)


@pytest.fixture
def at(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def test_a_good_id_token_is_believed(at: Provider) -> None:
    assert at.reader.id_claims(at.signed(), at.keys, "n")["sub"] == "ann"
    assert at.reader.id_claims(at.signed(nonce=None), at.keys, None)["sub"] == "ann"
    assert at.reader.id_claims(at.signed(aud=[CLIENT, "other"], azp=CLIENT), at.keys, "n")["sub"] == "ann"


@pytest.mark.parametrize(("changes", "what"), [
    ({"iss": "https://elsewhere.test"}, "issuer"), ({"iss": f"{ISSUER}/"}, "issuer"), ({"iss": None}, "malformed"),
    ({"aud": "another"}, "audience"), ({"aud": None}, "malformed"), ({"aud": [CLIENT, "other"]}, "authorized_party"),
    ({"aud": [CLIENT, "other"], "azp": "other"}, "authorized_party"), ({"nonce": "m"}, "nonce"), ({"nonce": None}, "nonce"),
    ({"sub": None}, "malformed"), ({"exp": None}, "malformed"), ({"iat": None}, "malformed"), ({"exp": "soon"}, "exp"),
    ({"exp": 1e400}, "exp"), ({"iat": True}, "iat"),
])  # fmt: skip
def test_an_id_token_that_says_something_else_is_refused(at: Provider, changes: dict[str, Any], what: str) -> None:
    assert at.wrong(at.signed(**changes)) == what


def test_an_id_token_is_good_in_its_time(at: Provider) -> None:
    token = at.signed()
    at.clock.forward(60 + 31)
    assert at.wrong(token) == "expired"
    at.clock.forward(-60 - 31 - 31)
    assert at.wrong(token) == "from_the_future"


def test_signatures_of_others_and_of_none_are_refused(at: Provider, tmp_path: Path) -> None:
    other = Issuer.at(tmp_path / "other", ISSUER, "dandelion")
    assert at.wrong(at.signed(key=other.key)) == "signature"
    assert at.wrong(at.signed(headers={"kid": other.kid})) == "key"
    hmac_key, unsigned = b"x" * 64, cast("str", None)
    assert at.wrong(at.signed(key=hmac_key, algorithm="HS256")) == "algorithm"
    assert at.wrong(jwt.encode(at.claims(), unsigned, algorithm="none", headers={"kid": at.issuer.kid})) == "algorithm"
    own = {"jwk": other.jwk, "jku": "https://elsewhere.test/keys", "kid": other.kid}
    assert at.wrong(at.signed(key=other.key, headers=own)) == "key"
    rsa_key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    assert at.wrong(at.signed(key=rsa_key, algorithm="RS256")) in ("malformed", "signature")


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a" * 9_000, "....", "\ud800", "é.é.é"])
def test_what_is_no_token_is_refused(at: Provider, token: str) -> None:
    assert at.wrong(token) in ("malformed", "too_large")


def test_an_access_token_is_the_same_person_s_and_says_for_whom(at: Provider) -> None:
    def wrong(**changes: Any) -> str:
        with pytest.raises(Wrong) as found:
            at.reader.access_claims(at.signed(**changes), at.keys, "ann")
        return str(found.value)

    assert at.reader.access_claims(at.signed(aud="dandelion"), at.keys, "ann")["tenant"] == "acme"
    assert wrong(sub="ben") == "subject"
    assert wrong(tenant=None) == wrong(tenant=1) == wrong(tenant="") == "tenant"
    assert wrong(roles=None) == wrong(roles="brand") == wrong(roles=[1]) == wrong(roles=["x"] * 33) == "roles"
    assert wrong(iss="https://elsewhere.test") == "issuer"


def test_a_key_set_gives_the_signing_keys_that_can_be_read(at: Provider) -> None:
    known = at.issuer.jwks()["keys"][0]
    others = [
        {"kty": "RSA"},
        {**known, "use": "enc"},
        {"kty": "oct", "k": "AAAA", "kid": "s"},
        "no",
        {**known, "kid": ""},
    ]
    assert list(usable({"keys": [*others, known]})) == [known["kid"]]
    none: tuple[Any, ...] = (None, [], {}, {"keys": {}})
    for document in none:
        with pytest.raises(ValueError, match="no key set"):
            usable(document)


def test_a_person_is_called_by_what_the_provider_tells() -> None:
    assert name_of({"name": "Ann \u202eB", "sub": "x"}) == "Ann B"
    assert name_of({"name": " ", "preferred_username": "ann", "sub": "x"}) == "ann"
    assert name_of({"sub": "x"}) == "x"
    assert len(name_of({"name": "a" * 5_000})) == 200


def test_keys_change_without_ending_sessions(tmp_path: Path) -> None:
    first, second = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    file = tmp_path / "session.keys"
    file.write_text(f"k1 {first}\n")
    before = Seal.of(file).seal("a", b"plain")
    file.write_text(f"k2 {second}\nk1 {first}\n")
    now = Seal.of(file)
    assert now.open("a", before) == b"plain"
    assert now.seal("a", b"plain").startswith("k2.")
    file.write_text(f"k2 {second}\n")
    assert Seal.of(file).open("a", before) is None
    assert Seal.of(None).open("a", Seal.of(None).seal("a", b"x")) is None, "each process has its own"


@pytest.mark.parametrize(
    "text", ["", "k1", "k1 AAAA", "k1 !!!!", "k1 a b", "k.1 " + "A" * 43 + "=", ("k1 " + "A" * 43 + "=\n") * 2]
)
def test_a_file_of_no_keys_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.keys").write_text(text)
    with pytest.raises(ValueError, match=r"session\.keys|needed"):
        Seal.of(tmp_path / "session.keys")


def test_what_was_sealed_opens_for_its_purpose_alone_and_unchanged() -> None:
    seal = Seal([("k1", bytes(32))])
    text = seal.seal("session", b"plain")
    assert seal.open("session", text) == b"plain"
    assert seal.open("sign-in", text) is None
    for at in range(len(text)):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        # the last sign holds bits that base64 does not use
        assert seal.open("session", changed) in (None, *([b"plain"] if at == len(text) - 1 else []))


@given(st.text(max_size=200))
def test_any_text_is_no_seal(text: str) -> None:
    assert Seal([("k1", bytes(32))]).open("session", text) is None
    assert Seal([("k1", bytes(32))]).open("session", f"k1.{text}") is None


def _jar(response: Response, jar: dict[str, str]) -> dict[str, str]:
    """The browser's cookies after a response."""
    found = dict(jar)
    for line in (value.decode() for name, value in response.raw_headers if name == b"set-cookie"):
        assert len(line) <= 4_096
        name, _, value = line.partition(";")[0].partition("=")
        if "Max-Age=0" in line:
            found.pop(name, None)
        else:
            found[name] = value.strip('"')
    return found


def test_a_long_value_lies_in_several_cookies_and_a_shorter_one_takes_the_rest_away() -> None:
    jar: dict[str, str] = {}
    for length in (10, 9_000, 3_800, 3_801, 15_200, 5):
        response, value = Response(), "x" * length
        cookies.put(response, jar, cookies.SESSION, value, 60)
        jar = _jar(response, jar)
        assert cookies.read(jar, cookies.SESSION) == value
        assert len(jar) == -(-length // 3_800)
    response = Response()
    cookies.drop(response, jar, cookies.SESSION)
    assert _jar(response, jar) == {}
    with pytest.raises(cookies.TooLarge):
        cookies.put(Response(), {}, cookies.SESSION, "x" * 15_201, 60)


@pytest.mark.parametrize("value", ["", "x", "0.x", "5.x", "²", "2.x", "-1.x"])
def test_a_cookie_that_is_not_whole_holds_nothing(value: str) -> None:
    assert cookies.read({cookies.SESSION: value}, cookies.SESSION) == ""


@pytest.mark.parametrize(
    "wanted", ["/", "/campaigns?page=2#x", "/活动/1", "/a//b", "/a?next=//elsewhere.test", "/sign-ins"]
)
def test_a_sign_in_leads_to_a_page_of_the_console(wanted: str) -> None:
    assert own_path(wanted) == wanted


@pytest.mark.parametrize("wanted", [
    "", "campaigns", "//elsewhere.test", "///elsewhere.test", "/\\elsewhere.test", "\\\\elsewhere.test", "https://elsewhere.test/",
    "javascript:alert(1)", "/\t/elsewhere.test", "/\n/elsewhere.test", " //elsewhere.test", "/ /x", "http:/x", "/\x7f",
    "/a\x01b", "/a\tb",
    "/" + "a" * LIMIT_BYTES, "/" + "活" * LIMIT_BYTES, "//[", "/sign-out", "/sign-in?next=/", "/signed-in?code=1", "\ud800",
])  # fmt: skip
def test_a_sign_in_leads_nowhere_else(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_sign_ins_that_were_begun_are_few_and_young() -> None:
    def begun(number: int, at: float) -> Begun:
        return Begun(Asked(f"s{number}", "n" * 43, "v" * 43), "/" + '"' * (LIMIT_BYTES - 1), at)

    plain = written([begun(number, 1_000.0 + number) for number in range(BEGUN_LIMIT + 2)])
    assert [one.asked.state for one in read_begun(plain, 1_010)] == ["s2", "s3", "s4", "s5"]
    assert [one.asked.state for one in read_begun(plain, 1_004 + BEGUN_S)] == ["s4", "s5"]
    cookies.put(Response(), {}, cookies.SIGN_IN, Seal.of(None).seal("x", plain), 60)
    for other in (b"", b"{}", b"[1]", b'[{"asked": {}}]', b"\xff"):
        assert read_begun(other, 1_000) == []


def test_a_session_of_another_version_is_no_session() -> None:
    session = Session("i", 1.0, Tokens("a", "r", "d", 1.0, 2.0, "ann", "Ann 安", "acme", ("brand",)))
    assert Session.read(session.written()) == session
    assert session.person().roles == {"brand"}
    for other in (b"", b"[]", b"{}", b"\xff", session.written().replace(b'"tenant"', b'"other"')):
        with pytest.raises(ValueError):
            Session.read(other)
