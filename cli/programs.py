"""Programs with a command line of their own, as words of `dandelion`: what follows the word is theirs."""

import os
import runpy
import sys
from collections.abc import Sequence

from cli.layout import SERVICES

PROGRAMS = {
    "sandbox": ("sandbox", "the stand-ins for payment provider and social platform; --help lists their settings"),
    "identity": (
        "sandbox.identity",
        "the stand-in for an identity provider, at which people sign in; --help lists its settings",
    ),
    "keys": ("sandbox.keys", "make the keys of a deployment to try things: keys FOLDER"),
    "images": (
        "tools.images",
        "pull or make the images of docker compose; `probe` says whether there can be an engine",
    ),
    "rebuild-job": (
        "tools.deploy.rebuild",
        "print a Job that fills read models anew: OVERLAY SERVICE [READ_MODEL ...]",
    ),
}
"""Module and help by word."""
SERVICE = "service"
SERVICE_HELP = (
    "run roles of one service by its DANDELION_* variables: SERVICE rest|rpc|relay|project|process|stream|migrate ..."
)
USAGE = 2


def module_of(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The program that the words name and the words for it; None for a command of `dandelion` itself."""
    if words[:1] == [SERVICE] and words[1:2] and words[1] in SERVICES:
        return f"services.{words[1]}", list(words[2:])
    if words and words[0] in PROGRAMS:
        return PROGRAMS[words[0]][0], list(words[1:])
    return None


def run(module: str, words: Sequence[str]) -> None:
    """As `python -m module words` from any folder. Files that it makes are its own user's (umask)."""
    os.umask(0o077)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def no_service() -> int:
    """What `dandelion service` says when no service follows."""
    sys.stderr.write(f"usage: dandelion {SERVICE} {'|'.join(SERVICES)} ROLE ...\n")
    return USAGE
