"""`python -m console`: serves the console, one role of the image; settings come from the environment."""

import sys

import uvicorn
from fastapi import FastAPI

from console.app import make_app
from console.assets import NotBuilt
from console.identity.routes import routes
from console.identity.sessions import Sessions
from console.logs import start_logging
from console.page import reader_language
from console.settings import ConsoleSettings, load


def opened(settings: ConsoleSettings) -> FastAPI:
    """The console with sign-in at the provider that the settings name; raises NotBuilt, ValueError, OSError."""
    sessions = Sessions(settings)
    return make_app(settings, sessions, routes(settings, sessions, reader_language))


def main() -> int:
    settings = load()
    start_logging(settings.log_level)
    try:
        app = opened(settings)
    except (NotBuilt, ValueError, OSError) as error:
        sys.stderr.write(f"console: {error}\n")
        return 78
    uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
