"""`python -m sandbox.keys FOLDER` makes what an organisation would bring, once: keys, passwords, a token issuer.

For `docker compose` and the dev overlay only. What exists is kept, so data stays readable; whoever reads the folder is anybody.
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from kernel.edge.tokens.dev_issuer import Issuer

TOKEN_ISSUER = "https://issuer.dandelion.local"
TOKEN_AUDIENCE = "dandelion"
OWNER_ONLY, ALL = 0o400, 0o444


def make(folder: Path) -> None:
    """Fills the folder. Passwords of PostgreSQL's users may be read by all, as its container runs as another user."""
    folder.mkdir(parents=True, exist_ok=True)
    _once(folder / "fingerprint.key", OWNER_ONLY, lambda: os.urandom(32))
    _once(folder / "master.keys", OWNER_ONLY, lambda: b"k1 " + base64.b64encode(os.urandom(32)) + b"\n")
    for who in ("postgres", "owner", "app"):
        _once(folder / f"{who}.password", ALL, _text)
    _once(folder / "psp.key", OWNER_ONLY, _text)
    _once(folder / "webhook.secrets", OWNER_ONLY, lambda: b"whsec_" + base64.b64encode(os.urandom(32)))
    # under the names by which the stand-in reads its settings from files
    for name, source in (("sandbox_api_key", "psp.key"), ("sandbox_webhook_secret", "webhook.secrets")):
        _once(folder / name, OWNER_ONLY, (folder / source).read_bytes)
    Issuer.at(folder / "issuer", TOKEN_ISSUER, TOKEN_AUDIENCE)


def _text() -> bytes:
    return secrets.token_hex(24).encode()


def _once(path: Path, mode: int, content: Callable[[], bytes]) -> None:
    """Whole or not at all: a killed run leaves no half key."""
    if not path.exists():
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(content())
        fresh.chmod(mode)
        fresh.replace(path)


def main(arguments: list[str]) -> int:
    """Exit code 2 when there is not exactly one folder. Files are their maker's alone until they get their mode (umask)."""
    os.umask(0o077)
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sandbox.keys FOLDER\n")
        return 2
    make(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
