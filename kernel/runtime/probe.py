"""`python -m kernel.runtime.probe [URL]`: exit 0 when the process of this container says it is ready; for a HEALTHCHECK.

Without a URL it asks the port of DANDELION_OPS_PORT. It imports nothing of ours, so that it takes tens of milliseconds.
"""

import os
import sys
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_S = 6.0


def main(arguments: list[str]) -> int:
    """0 ready, 1 not; says why on stderr, as `docker inspect` shows it."""
    url = arguments[0] if arguments else f"http://127.0.0.1:{os.environ.get('DANDELION_OPS_PORT', '')}/healthz/ready"
    try:
        with urlopen(url, timeout=TIMEOUT_S) as answer:
            return 0 if answer.status == 200 else 1
    except (URLError, HTTPException, OSError, ValueError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
