"""`dandelion sandbox` serves the stand-ins. Secrets may come as files `sandbox_*` in the folder SANDBOX_SECRETS_DIR."""

import argparse
import os

import uvicorn

from sandbox.app import make_sandbox
from sandbox.settings import SandboxSettings


def main() -> None:
    """Serves until a signal. Files that the process makes are its own user's (umask)."""
    os.umask(0o077)
    _parser().parse_args()
    settings = SandboxSettings(_secrets_dir=os.environ.get("SANDBOX_SECRETS_DIR"))
    uvicorn.run(make_sandbox(settings).app, host=settings.host, port=settings.port, log_level="warning")


def _parser() -> argparse.ArgumentParser:
    """It takes no arguments; `--help` lists the variables it takes."""
    lines = [
        f"  {f'SANDBOX_{name.upper()}':26} {field.description} ({'unset' if field.default is None else field.default})"
        for name, field in SandboxSettings.model_fields.items()
    ]
    return argparse.ArgumentParser(
        "dandelion sandbox",
        description="Serves stand-ins for a payment provider and a social platform until a signal, as its variables say.",
        epilog="variables, with their defaults:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


if __name__ == "__main__":
    main()
