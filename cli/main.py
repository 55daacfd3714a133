"""The command line: one parser for every subcommand; the work of each stands in its own file of cli/commands/."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from cli import programs
from cli.layout import ROOT, SERVICES, NoPlatform
from cli.local import words as local
from kernel.core.faults import Fault
from kernel.runtime.loops import loop_factory

DATA = Path(os.environ.get("DANDELION_DATA") or ROOT / ".data")


def main() -> None:
    """Parses and runs; the exit code is the command's. Files that it makes are its own user's (umask)."""
    os.umask(0o077)
    try:
        if program := programs.module_of(sys.argv[1:]):
            programs.run(*program)
            return
        given = parser().parse_args()
        raise SystemExit(given.run(given))
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "tools":
            raise
        sys.stderr.write("this command runs from the project's source: it is no part of the image\n")
        raise SystemExit(2) from missing
    except FileNotFoundError as missing:
        sys.stderr.write(
            f"{missing.strerror if isinstance(missing, NoPlatform) else f'{missing.filename} is not there'}\n"
        )
        raise SystemExit(2) from missing
    except Fault as fault:
        sys.stderr.write(f"{fault}\n")
        raise SystemExit(1) from fault


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments; those of PROGRAMS are listed alone."""
    made = argparse.ArgumentParser("dandelion", description="Run, try and look after a Dandelion platform.")
    commands = made.add_subparsers(required=True, metavar="command")
    local.add(commands, _about_data, _stores)
    _demo(commands)
    _operate(commands)
    _programs(commands)
    serve = commands.add_parser("serve", help="run all services in this process, on the ports of platform.json")
    serve.add_argument("--data", type=Path, default=DATA)
    serve.add_argument("--console", action="store_true", help="the console too")
    serve.set_defaults(run=_serve)
    migrate = commands.add_parser("migrate", help="make or upgrade every service's database, and the topics")
    migrate.add_argument("--data", type=Path, default=DATA)
    migrate.set_defaults(run=_migrate)
    return made


def _programs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """For the list of commands alone: `main` hands them over before anything is parsed."""
    for word, (_, what) in programs.PROGRAMS.items():
        commands.add_parser(word, help=what)
    commands.add_parser(programs.SERVICE, help=programs.SERVICE_HELP).set_defaults(run=lambda _: programs.no_service())


def _revoke(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    revoke = _about_data(
        commands.add_parser("revoke", help="refuse a token, or all older tokens of a person or tenant")
    )
    revoke.add_argument("what", choices=("jti", "subject", "tenant"), help="jti: one token by its id")
    revoke.add_argument("name")
    revoke.add_argument("--reason", required=True, help="kept with the revocation")
    revoke.set_defaults(run=_run_revoke)


def _token(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    token = _about_data(
        commands.add_parser("token", help="an access token of the development issuer, to act as anybody")
    )
    token.add_argument(
        "--role", action="append", required=True, help="brand, creator, agency, or staff; may be repeated"
    )
    token.add_argument(
        "--party", default="", help="whom to act for: a creator's id, an organisation's id; staff leaves it out"
    )
    token.add_argument(
        "--for", dest="life", default="8h", metavar="TIME", help="how long it is good: 30m, 8h (default), 1d"
    )
    token.add_argument("--name", default="", help="the person's name in the log")
    token.set_defaults(run=_run_token)


def _dlq(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    dlq = commands.add_parser("dlq", help="dead letters: events that could not be handled, parked by key")
    actions = dlq.add_subparsers(required=True, metavar="action", dest="action")
    _about_data(actions.add_parser("list", help="parked keys with the reason"))
    for name, what in (
        ("show", "one key's events"), ("retry", "handle events again, in order: one key's, or those of --all keys"),
        ("drop", "give up a record whose headers can never be read"),
    ):  # fmt: skip
        one = _about_data(actions.add_parser(name, help=what))
        one.add_argument("service", choices=SERVICES)
        one.add_argument("consumer")
        if name == "retry":
            which = one.add_mutually_exclusive_group(required=True)
            which.add_argument("key", nargs="?", default="")
            which.add_argument("--all", action="store_true", help="every parked key of the consumer, one after another")
        else:
            one.add_argument("key")
        if name == "drop":
            one.add_argument("--reason", required=True, help="why nothing is lost by it; kept with the record")
    dlq.set_defaults(run=_run_dlq)


def _operate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verify = _about_data(
        commands.add_parser("verify", help="check the invariants of logs, consumers and the ledger's books")
    )
    verify.add_argument(
        "--deep",
        action="store_true",
        help="also compare topics, read models and inline tables with a replay of the log",
    )
    verify.set_defaults(run=_run_verify)
    lag = _about_data(
        commands.add_parser("lag", help="how far relays and consumers are behind, and which have stopped")
    )
    lag.set_defaults(run=_run_lag)
    attach = _about_data(commands.add_parser("attach", help="where a platform of docker compose is, by its .env"))
    attach.set_defaults(run=_run_attach)
    rebuild = _about_data(commands.add_parser("rebuild", help="fill a read model's next generation, then swap it in"))
    rebuild.add_argument("service", choices=SERVICES)
    rebuild.add_argument("projection", nargs="?", help="all of the service when left out")
    rebuild.set_defaults(run=_run_rebuild)
    republish = _about_data(commands.add_parser("republish", help="send a topic's messages again from the log"))
    republish.add_argument("service", choices=SERVICES, help="whose log")
    republish.add_argument("--topic", help="<service>.events.v1, or the command topic of another service")
    republish.add_argument("--recreated", action="store_true", help="the topic is new: consumers begin at its start")
    republish.set_defaults(run=_run_republish)
    after_restore = _about_data(
        commands.add_parser(
            "after-restore",
            help="after databases were restored to an earlier moment: recreate the topics, reset consumers and relays",
        )
    )
    after_restore.set_defaults(run=_run_after_restore)
    _revoke(commands)
    _token(commands)
    _dlq(commands)
    creators = _about_data(commands.add_parser("import", help="creators from a CSV file into the running platform"))
    creators.add_argument("file", type=Path)
    creators.set_defaults(run=_run_import)


def _about_data(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--data", type=Path, default=DATA, help="folder of the platform (.data)")
    return command


def _run_verify(given: argparse.Namespace) -> int:
    from cli.commands.verify import verify

    return verify(given)


def _run_lag(given: argparse.Namespace) -> int:
    from cli.commands.lag import lag

    return lag(given)


def _run_rebuild(given: argparse.Namespace) -> int:
    from cli.commands.rebuild import rebuild

    return rebuild(given)


def _run_republish(given: argparse.Namespace) -> int:
    from cli.commands.republish import republish

    return republish(given)


def _run_attach(given: argparse.Namespace) -> int:
    from cli.commands.attach import attach

    return attach(given)


def _run_after_restore(given: argparse.Namespace) -> int:
    from cli.commands.after_restore import after_restore

    return after_restore(given)


def _run_dlq(given: argparse.Namespace) -> int:
    from cli.commands.dlq import dlq

    return dlq(given)


def _run_revoke(given: argparse.Namespace) -> int:
    from cli.commands.revoke import revoke_

    return revoke_(given)


def _run_token(given: argparse.Namespace) -> int:
    from cli.commands.token import token

    return token(given)


def _run_import(given: argparse.Namespace) -> int:
    from cli.commands.import_creators import import_creators

    return import_creators(given)


def _stores(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bus", choices=["local", "kafka"], default="local")
    command.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")


def _demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="one spring of three brands, from brief to payout")
    _stores(demo)
    demo.add_argument("--observations", type=int, default=None, help="engagement observations (1,000,000)")
    demo.add_argument("--numbers", type=Path, help="write the final numbers there as JSON")
    demo.add_argument("--all-creators", action="store_true", help="every creator in the table of returns")
    demo.add_argument("--keep", action="store_true", help="leave the platform running until Ctrl-C")
    demo.set_defaults(run=_run_demo)


def _run_demo(given: argparse.Namespace) -> int:
    from cli.commands.demo import demo

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(demo(given))


def _serve(given: argparse.Namespace) -> int:
    from cli import embedded
    from cli.layout import Layout
    from kernel.runtime import roles

    layout = Layout.load(given.data)
    roles.main(embedded.serve(layout, lambda: None, given.console))


def _migrate(given: argparse.Namespace) -> int:
    from cli import embedded
    from cli.layout import Layout

    layout = Layout.load(given.data)

    async def prepare() -> None:
        await embedded.migrate_all(layout)
        await embedded.make_topics(layout)

    asyncio.run(prepare())
    return 0
