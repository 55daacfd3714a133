"""The command line: every subcommand in one parser; each does its work in a module of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

from cli.layout import SERVICES
from kernel.core.faults import Fault

DATA = Path(".data")


def main() -> None:
    """Parses and runs; the exit code is the command's."""
    given = _parser().parse_args()
    try:
        raise SystemExit(given.run(given))
    except FileNotFoundError as missing:
        sys.stderr.write(f"{missing.filename} is not there\n")
        raise SystemExit(2) from missing
    except Fault as fault:
        sys.stderr.write(f"{fault}\n")
        raise SystemExit(1) from fault


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dandelion", description="Run, try and look after a Dandelion platform.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _up(commands)
    _demo(commands)
    _operate(commands)
    serve = commands.add_parser("serve", help="run all services in this process, on the ports of platform.json")
    serve.add_argument("--data", type=Path, default=DATA)
    serve.set_defaults(run=_serve)
    migrate = commands.add_parser("migrate", help="make or upgrade every service's database, and the topics")
    migrate.add_argument("--data", type=Path, default=DATA)
    migrate.set_defaults(run=_migrate)
    return parser


def _up(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = commands.add_parser("up", help="run a platform here until Ctrl-C or `down`; prints URLs and tokens")
    _stores(up)
    up.add_argument("--data", type=Path, default=DATA, help="folder of keys and data (.data)")
    up.set_defaults(run=_run_up)
    down = commands.add_parser("down", help="end what `up` started")
    down.add_argument("--data", type=Path, default=DATA)
    down.set_defaults(run=_run_down)


def _operate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verify = _about_data(
        commands.add_parser("verify", help="prove that logs, readers and the ledger's books are whole")
    )
    verify.add_argument(
        "--deep", action="store_true", help="and topics, read models and inline tables, made anew to compare"
    )
    verify.set_defaults(run=_run_verify)
    lag = _about_data(commands.add_parser("lag", help="how far relays and readers are behind, and which have stopped"))
    lag.set_defaults(run=_run_lag)
    attach = _about_data(commands.add_parser("attach", help="where a platform of docker compose is, by its .env"))
    attach.set_defaults(run=_run_attach)
    rebuild = _about_data(commands.add_parser("rebuild", help="fill a read model anew beside the live one, and swap"))
    rebuild.add_argument("service", choices=SERVICES)
    rebuild.add_argument("projection", nargs="?", help="all of the service when left out")
    rebuild.set_defaults(run=_run_rebuild)
    refill = _about_data(commands.add_parser("refill", help="send a topic's messages again from the log"))
    refill.add_argument("service", choices=SERVICES, help="whose log")
    refill.add_argument("--topic", help="<service>.events.v1, or the command topic of another service")
    refill.add_argument("--recreated", action="store_true", help="the topic is new: readers begin at its start")
    refill.set_defaults(run=_run_refill)
    restored = _about_data(
        commands.add_parser(
            "restored", help="after databases were restored to an earlier moment: topics are made to follow"
        )
    )
    restored.set_defaults(run=_run_restored)
    dlq = commands.add_parser("dlq", help="events that could not be handled")
    actions = dlq.add_subparsers(required=True, metavar="action", dest="action")
    _about_data(actions.add_parser("list", help="parked keys with the reason"))
    for name, what in (
        ("show", "one key's events"), ("retry", "handle one key's events again, in order"),
        ("drop", "give up a record whose headers can never be read"),
    ):  # fmt: skip
        one = _about_data(actions.add_parser(name, help=what))
        one.add_argument("service", choices=SERVICES)
        one.add_argument("consumer")
        one.add_argument("key")
        if name == "drop":
            one.add_argument("--reason", required=True, help="why nothing is lost by it; kept with the record")
    dlq.set_defaults(run=_run_dlq)
    creators = _about_data(commands.add_parser("import", help="creators from a CSV file into the running platform"))
    creators.add_argument("file", type=Path)
    creators.set_defaults(run=_run_import)


def _about_data(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--data", type=Path, default=DATA, help="folder of the platform (.data)")
    return command


def _run_verify(given: argparse.Namespace) -> int:
    from cli.verify import verify

    return verify(given)


def _run_lag(given: argparse.Namespace) -> int:
    from cli.lag import lag

    return lag(given)


def _run_rebuild(given: argparse.Namespace) -> int:
    from cli.rebuilt import rebuild

    return rebuild(given)


def _run_refill(given: argparse.Namespace) -> int:
    from cli.refilled import refill

    return refill(given)


def _run_attach(given: argparse.Namespace) -> int:
    from cli.attached import attach

    return attach(given)


def _run_restored(given: argparse.Namespace) -> int:
    from cli.restored import restored

    return restored(given)


def _run_dlq(given: argparse.Namespace) -> int:
    from cli.parked import dlq

    return dlq(given)


def _run_import(given: argparse.Namespace) -> int:
    from cli.imported import import_file

    return import_file(given)


def _stores(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bus", choices=["local", "kafka"], default="local")
    command.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")


def _run_up(given: argparse.Namespace) -> int:
    from cli.up import up

    return up(given)


def _run_down(given: argparse.Namespace) -> int:
    from cli.down import down

    return down(given)


def _demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="one spring of three brands, from brief to payout")
    _stores(demo)
    demo.add_argument("--observations", type=int, default=None, help="engagement observations (1,000,000)")
    demo.add_argument("--numbers", type=Path, help="write the final numbers there as JSON")
    demo.add_argument("--all-creators", action="store_true", help="every creator in the table of returns")
    demo.add_argument("--keep", action="store_true", help="leave the platform running until Ctrl-C")
    demo.set_defaults(run=_run_demo)


def _run_demo(given: argparse.Namespace) -> int:
    from cli.demo import demo

    return asyncio.run(demo(given))


def _serve(given: argparse.Namespace) -> int:
    from cli import embedded
    from cli.layout import Layout
    from kernel.runtime import roles

    layout = Layout.load(given.data)
    roles.main(embedded.serve(layout, lambda: None))


def _migrate(given: argparse.Namespace) -> int:
    from cli import embedded
    from cli.layout import Layout

    layout = Layout.load(given.data)

    async def prepare() -> None:
        await embedded.migrate_all(layout)
        await embedded.make_topics(layout)

    asyncio.run(prepare())
    return 0
