"""`dandelion identity` serves the stand-in for an identity provider, as its variables `IDENTITY_*` say."""

import argparse
import os

import uvicorn

from sandbox.identity.app import make_identity
from sandbox.identity.settings import IdentitySettings


def main() -> None:
    """Serves until a signal. Files that the process makes are its own user's (umask)."""
    os.umask(0o077)
    _parser().parse_args()
    settings = IdentitySettings()
    uvicorn.run(
        make_identity(settings), host=settings.host, port=settings.port, log_level="warning", server_header=False
    )


def _parser() -> argparse.ArgumentParser:
    """It takes no arguments; `--help` lists the variables it takes."""
    lines = [
        f"  {f'IDENTITY_{name.upper()}':26} {field.description} ({'unset' if field.default is None else field.default})"
        for name, field in IdentitySettings.model_fields.items()
    ]
    return argparse.ArgumentParser(
        "dandelion identity",
        description="Serves a stand-in for an identity provider until a signal: whoever reaches it can be anybody.",
        epilog="variables, with their defaults:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


if __name__ == "__main__":
    main()
