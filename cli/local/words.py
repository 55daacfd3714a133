"""The commands for a platform on this machine: `up`, `down`, `reset`, `ps`, `restart`, `env`."""

import argparse
from collections.abc import Callable

from cli.layout import OTHERS, SERVICES

Parser = argparse.ArgumentParser


def add(
    commands: "argparse._SubParsersAction[Parser]",
    about_data: Callable[[Parser], Parser],
    stores: Callable[[Parser], None],
) -> None:
    """Adds them to the parser; what a command needs is imported when it is chosen."""
    up = about_data(
        commands.add_parser("up", help="run a platform here until Ctrl-C or `down`; prints URLs and tokens")
    )
    stores(up)
    up.set_defaults(run=_up)
    down = about_data(commands.add_parser("down", help="end what `up` started; the data stays"))
    down.set_defaults(run=_down)
    reset = about_data(commands.add_parser("reset", help="delete all data and keys of the platform, after asking"))
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.set_defaults(run=_reset)
    ps = about_data(commands.add_parser("ps", help="processes that `up` keeps alive: pid, restarts, log"))
    ps.set_defaults(run=_ps)
    restart = about_data(commands.add_parser("restart", help="end one process in good order; it is started again"))
    restart.add_argument("service", choices=(*SERVICES, *OTHERS))
    restart.add_argument(
        "role",
        help="rest, rpc, relay, project, process or stream; of sandbox, identity and console the same word again",
    )
    restart.set_defaults(run=_restart)
    env = about_data(commands.add_parser("env", help="a service's settings as `export` lines, to run a role by hand"))
    env.add_argument("service", choices=SERVICES)
    env.set_defaults(run=_env)


def _up(given: argparse.Namespace) -> int:
    from cli.local.up import up

    return up(given)


def _down(given: argparse.Namespace) -> int:
    from cli.local.down import down

    return down(given)


def _reset(given: argparse.Namespace) -> int:
    from cli.local.reset import reset

    return reset(given)


def _ps(given: argparse.Namespace) -> int:
    from cli.local.processes import ps

    return ps(given)


def _restart(given: argparse.Namespace) -> int:
    from cli.local.processes import restart

    return restart(given)


def _env(given: argparse.Namespace) -> int:
    from cli.local.processes import env

    return env(given)
