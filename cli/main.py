"""The command line: every subcommand in one parser; each does its work in a module of its own."""

import argparse
import asyncio
from pathlib import Path

DATA = Path(".data")


def main() -> None:
    """Parses and runs; the exit code is the command's."""
    given = _parser().parse_args()
    raise SystemExit(given.run(given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dandelion", description="Run, try and look after a Dandelion platform.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _up(commands)
    _demo(commands)
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
    from kernel import run

    layout = Layout.load(given.data)
    run.main(embedded.serve(layout, lambda: None))


def _migrate(given: argparse.Namespace) -> int:
    from cli import embedded
    from cli.layout import Layout

    layout = Layout.load(given.data)

    async def prepare() -> None:
        await embedded.migrate_all(layout)
        await embedded.make_topics(layout)

    asyncio.run(prepare())
    return 0
