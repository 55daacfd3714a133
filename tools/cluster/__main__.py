"""`python -m tools.cluster up | down`: CONTEXT=current uses the cluster that kubectl knows, and leaves it as it is."""

import os
import sys
import time

from tools.cluster.life import down, up
from tools.cluster.place import NoCluster, kubeconfig
from tools.cluster.use import CURRENT, VARIABLE, Failed, chosen
from tools.deploy.wheels import NotToBeHad
from tools.servers import NoServer


def main(arguments: list[str]) -> int:
    """Exit code 1 when there can be no cluster, 2 for other words."""
    if arguments not in (["up"], ["down"]):
        sys.stderr.write("usage: python -m tools.cluster up | down\n")
        return 2
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[cluster {time.monotonic() - started:4.0f} s] {text}", flush=True)

    try:
        if os.environ.get(VARIABLE) == CURRENT:
            say(f"{chosen().run('config', 'current-context').strip()}, which others run")
        elif arguments == ["down"]:
            down(say)
            say("nothing is left")
        else:
            up(say)
            say(f"export KUBECONFIG={kubeconfig()}")
    except (NoCluster, NoServer, NotToBeHad, Failed) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
