"""Probe for a container's HEALTHCHECK, `python -m kernel.runtime.probe [URL]`: exit 0 when the process says that it is ready.

Without a URL the probe asks the port of DANDELION_OPS_PORT. It imports no module of ours, to start in tens of milliseconds.
"""

import os
import sys
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_S = 6.0


def main(arguments: list[str]) -> int:
    """Exit code 0 for ready and 1 for not ready, with the reason on stderr, which `docker inspect` shows."""
    url = arguments[0] if arguments else f"http://127.0.0.1:{os.environ.get('DANDELION_OPS_PORT', '')}/healthz/ready"
    try:
        with urlopen(url, timeout=TIMEOUT_S) as answer:
            return 0 if answer.status == 200 else 1
    except (URLError, HTTPException, OSError, ValueError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
