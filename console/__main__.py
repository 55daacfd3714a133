"""`python -m console`: serves the console, one role of the image; settings come from the environment."""

import asyncio
import sys

from console.assets import NotBuilt
from console.logs import start_logging
from console.serving import serve
from console.settings import load


def main() -> int:
    settings = load()
    start_logging(settings.log_level)
    try:
        asyncio.run(serve(settings))
    except (NotBuilt, ValueError, OSError) as error:
        sys.stderr.write(f"console: {error}\n")
        return 78
    return 0


if __name__ == "__main__":
    sys.exit(main())
