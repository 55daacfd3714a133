"""`python -m sandbox` serves the stand-ins."""

import uvicorn

from sandbox.app import make_sandbox
from sandbox.settings import SandboxSettings


def main() -> None:
    """Serves until a signal."""
    settings = SandboxSettings()
    uvicorn.run(make_sandbox(settings).app, host=settings.host, port=settings.port, log_level="warning")


if __name__ == "__main__":
    main()
