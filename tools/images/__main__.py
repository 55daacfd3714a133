"""`dandelion images`: pulls or makes the images of docker-compose.yml and builds ours, in the engine that answers.

`dandelion images probe` only says whether there can be an engine here.
"""

import sys

from tools.images.engine import bring, probe
from tools.images.make import ready
from tools.servers.run import NoServer


def main() -> int:
    """Exit code 1 when there is no engine, or an image can neither be pulled nor made."""
    try:
        if sys.argv[1:] == ["probe"]:
            print(f"{probe(print)} runs containers")
            return 0
        engine = bring(print)
    except NoServer as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    try:
        for image, origin in ready(engine, print, "dandelion:dev").items():
            print(f"{image}: {origin}")
    except NoServer as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
