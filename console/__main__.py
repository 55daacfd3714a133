"""`python -m console`: serves the console, one role of the image; settings come from the environment."""

import sys

import uvicorn
from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.app import make_app
from console.assets import NotBuilt
from console.identity.person import Person
from console.logs import start_logging
from console.settings import load


class Nobody:
    """Sessions before there is a sign-in."""

    async def person(self, request: Request) -> Person | None:
        return None

    def write(self, request: Request, response: Response) -> None:
        """Nothing to keep."""

    def end(self, request: Request) -> None:
        """Nothing to end."""


def main() -> int:
    settings = load()
    start_logging(settings.log_level)
    try:
        app = make_app(settings, Nobody(), APIRouter())
    except (NotBuilt, ValueError, OSError) as error:
        sys.stderr.write(f"console: {error}\n")
        return 78
    uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
