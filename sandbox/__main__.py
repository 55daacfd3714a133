"""`python -m sandbox` serves the stand-ins. Secrets may come as files `sandbox_*` in the folder SANDBOX_SECRETS_DIR."""

import os

import uvicorn

from sandbox.app import make_sandbox
from sandbox.settings import SandboxSettings


def main() -> None:
    """Serves until a signal. Files that the process makes are its own user's (umask)."""
    os.umask(0o077)
    settings = SandboxSettings(_secrets_dir=os.environ.get("SANDBOX_SECRETS_DIR"))
    uvicorn.run(make_sandbox(settings).app, host=settings.host, port=settings.port, log_level="warning")


if __name__ == "__main__":
    main()
