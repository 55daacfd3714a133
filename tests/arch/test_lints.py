"""The tree passes its own lints, and each lint fires on what it forbids."""

from collections.abc import Iterable

import pytest

from tests.arch import lints, tree, whole
from tests.arch.tree import Source


def none(offences: Iterable[str]) -> None:
    """Fails with all of them, one a line."""
    found = list(offences)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("name", lints.PYTHON)
def test_python_files_pass(name: str) -> None:
    none(offence for source in tree.python() for offence in lints.PYTHON[name](source))


@pytest.mark.parametrize("name", lints.TEXT)
def test_text_files_pass(name: str) -> None:
    none(offence for source in tree.texts() for offence in lints.TEXT[name](source))


def test_those_who_may_commit_do() -> None:
    """A permission that is not used is taken back."""
    using = {source.path for source in tree.python() if any(lints.transaction_calls(source))}
    assert using >= lints.MAY_COMMIT


def test_functions_are_short() -> None:
    none(whole.lengths(tree.python()))


def test_no_module_is_dead() -> None:
    none(whole.dead(tree.python()))


def test_links_between_documents_lead_somewhere() -> None:
    documents = [source for source in tree.texts() if source.path.endswith(".md")]
    none(whole.broken_links(documents, set(tree.names())))


LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 50
DOMAIN, APPLY, OPENER = (
    "services/ledger/domain/tax.py",
    "services/metrics/projections/__init__.py",
    "kernel/adapters/database.py",
)
REST = "services/ledger/rest.py"
LATE = "tests/unit/test_a.py"

FORBIDDEN = [
    ("sizes", "kernel/a.py", "x = 1\n" * 301),
    ("sizes", "tests/unit/test_a.py", LONG_FUNCTION),
    ("sizes", "kernel/a.py", LONG_FUNCTION.replace("def", "async def")),
    ("vague_names", "kernel/utils.py", ""),
    ("vague_names", "services/ledger/helpers/tax.py", ""),
    ("vague_names", "services/ledger/service.py", ""),
    ("vague_names", "kernel/a.py", "class ConnectionManager: ..."),
    ("transactions", REST, "async with engine.begin() as tx: ..."),
    ("transactions", REST, "await session.commit()"),
    ("transactions", "kernel/edge/http.py", "await session.rollback()"),
    ("transactions", "kernel/adapters/kafka.py", "await consumer.commit()"),
    ("impure_calls", DOMAIN, "at = datetime.now(UTC)"),
    ("impure_calls", DOMAIN, "at = datetime.datetime.utcnow()"),
    ("impure_calls", APPLY, "at = time.monotonic()"),
    ("impure_calls", DOMAIN, "key = uuid4()"),
    ("impure_calls", DOMAIN, "key = uuid.uuid4()"),
    ("impure_calls", APPLY, "share = 0.1"),
    ("impure_calls", DOMAIN, "def share(a: int) -> float: ..."),
    ("impure_calls", "services/metrics/projections/roi.py", "share = float(a)"),
    ("impure_imports", DOMAIN, "import random"),
    ("impure_imports", DOMAIN, "from os import urandom"),
    ("impure_imports", DOMAIN, "import urllib.request"),
    ("impure_imports", DOMAIN, "from urllib import request"),
    ("impure_imports", DOMAIN, "from kernel.core.clock import system_clock"),
    ("impure_imports", DOMAIN, "from kernel import log"),
    ("impure_imports", APPLY, "import random"),
    ("swallowed", REST, "try: ...\nexcept Exception: log()"),
    ("swallowed", REST, "try: ...\nexcept: pass"),
    ("swallowed", "tests/unit/test_a.py", "try: ...\nexcept (ValueError, BaseException): pass"),
    ("swallowed", REST, "try: ...\nexcept Exception:\n    def later(): raise"),
    ("swallowed", REST, "with contextlib.suppress(Exception): ..."),
    ("store_branches", REST, "if app.database.is_sqlite: ..."),
    ("store_branches", "kernel/processors/projector.py", "if connection.dialect.name == 'postgresql': ..."),
    ("store_branches", "kernel/streams/relay.py", "if dialect.name != 'sqlite': ..."),
    ("store_branches", "kernel/adapters/leases.py", "if isinstance(database, SqliteDatabase): ..."),
    ("store_branches", "kernel/host/app.py", "if isinstance(log, sqlite_log.SqliteLog | PostgresLog): ..."),
    ("store_branches", "kernel/host/app.py", "role = '' if url.startswith('sqlite') else 'writer'"),
    ("prints", REST, "print('here')"),
    ("log_fields", REST, "log.error('kept', extra={'code': 1, 'who': 2})"),
    ("log_fields", REST, "a, extra = 1, {'who': 2}\nlog.exception('kept', extra=extra)"),
    ("log_fields", REST, "log.info('kept', extra=given)"),
    ("log_fields", REST, "log.info('kept', extra={**given})"),
    ("faust_outside_streams", "services/metrics/rest.py", "import faust"),
    ("faust_outside_streams", "services/metrics/rest.py", "from faust.types import AppT"),
    ("bare_deadlines", LATE, "async with asyncio.timeout(5): ..."),
    ("bare_deadlines", LATE, "await asyncio.wait_for(job, LIMIT_S)"),
    ("bare_deadlines", LATE, "await asyncio.wait_for(job, 2 * limit_s)"),
    ("bare_deadlines", LATE, "subprocess.run(command, timeout=toys.GRACE_S)"),
    ("bare_deadlines", LATE, "select.select([pipe], [], [], 10)"),
    ("bare_deadlines", LATE, "thread.join(30)"),
    ("bare_deadlines", "tests/kit/a.py", "await asyncio.to_thread(process.wait, 20)"),
    ("unfinished", "docs/a.md", "TO" + "DO: later"),
    ("unfinished", "kernel/a.py", "# FIX" + "ME"),
    ("machine_paths", "README.md", "cd /" + "home/ann/dandelion"),
    ("machine_paths", "Makefile", "cp '/" + "root/x' ."),
]

ALLOWED = [
    ("sizes", "kernel/a.py", "def f():\n    '''One.\n" + "\n" * 60 + "    '''\n" + "    x = 1\n" * 40),
    ("vague_names", "services/ledger/rest.py", "class Managed: ..."),
    ("transactions", OPENER, "async with engine.begin() as tx: ..."),
    ("transactions", "tests/unit/test_a.py", "session.commit()"),
    ("transactions", "kernel/adapters/kafka.py", "await consumer.commit(offsets)"),
    ("impure_calls", DOMAIN, "at = context.at; day = at.date(); key = uuid5(space, name); share_bps = 10 // 3"),
    ("impure_calls", REST, "timeout_s = 0.1"),
    (
        "impure_imports",
        DOMAIN,
        "from kernel.core.money import share_down\nfrom kernel.core import faults\nfrom urllib.parse import urlsplit",
    ),
    ("impure_imports", APPLY, "from kernel.processors.projector import Batch"),
    ("swallowed", REST, "try: ...\nexcept Exception as error:\n    if not last: raise\n    park(error)"),
    ("swallowed", REST, "try: ...\nexcept ValueError: pass"),
    ("store_branches", "kernel/adapters/schema.py", "kind = Text() if dialect.name == 'sqlite' else JSONB()"),
    ("store_branches", "kernel/eventlog/opening.py", "if isinstance(database, PostgresDatabase): ..."),
    ("store_branches", REST, "await database.upsert(c, t, rows); name = service.name; isinstance(x, Database)"),
    ("prints", "cli/demo.py", "print('hello')"),
    ("log_fields", REST, "extra = {'code': 1}\nlog.error('kept', extra=extra); log.info('x', extra={'transfer': 2})"),
    ("log_fields", "tests/unit/test_a.py", "log.info('x', extra={'who': 2})"),
    ("faust_outside_streams", "services/metrics/stream.py", "import faust"),
    (
        "bare_deadlines",
        LATE,
        "async with asyncio.timeout(patience(5)): await asyncio.wait({job}, timeout=0.1)\n"
        "run(command, timeout=None); child.wait(timeout); await asyncio.wait_for(job, patience(LIMIT_S)); ';'.join('ab' * 3)",
    ),
    ("bare_deadlines", "kernel/a.py", "await asyncio.wait_for(job, STOP_S)"),
    ("unfinished", "docs/a.md", "A mastodon is no to-do."),
    ("machine_paths", "README.md", "GET /v1/root/x, https://example.org/home/a and frame/work/x"),
]


def offences(name: str, path: str, text: str) -> list[str]:
    return list({**lints.PYTHON, **lints.TEXT}[name](Source(path, text)))


@pytest.mark.parametrize(("name", "path", "text"), FORBIDDEN)
def test_a_lint_fires(name: str, path: str, text: str) -> None:
    assert len(offences(name, path, text)) == 1


@pytest.mark.parametrize(("name", "path", "text"), ALLOWED)
def test_a_lint_lets_pass(name: str, path: str, text: str) -> None:
    assert offences(name, path, text) == []


def test_every_lint_has_both_fixtures() -> None:
    every = {*lints.PYTHON, *lints.TEXT}
    assert {name for name, _, _ in FORBIDDEN} == every == {name for name, _, _ in ALLOWED}


def body(lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([9] * 9, ["median"]),
        ([2] * 9 + [40] * 3, ["every tenth"]),
        ([8] * 9 + [25], []),
        ([9] * 9 + [30] * 3, ["median", "every"]),
    ],
)
def test_lengths_are_judged_together(counts: list[int], told: list[str]) -> None:
    sources = [Source(f"kernel/m{n}.py", body(count)) for n, count in enumerate(counts)]
    found = list(whole.lengths(sources))
    assert len(found) == len(told)
    assert all(word in line for word, line in zip(told, found, strict=True))


def test_a_module_nobody_imports_is_dead() -> None:
    sources = [
        Source("services/ledger/__main__.py", "from services.ledger import rest"),
        Source("services/ledger/rest.py", "from .codec import CODEC"),
        Source("services/ledger/codec.py", "import services.ledger.codec"),
        Source("services/ledger/left_over.py", "from services.ledger import left_over"),
        Source("services/ledger/only_tested.py", ""),
        Source("services/ledger/rules/__init__.py", "import pkgutil\npkgutil.iter_modules"),
        Source("services/ledger/rules/found.py", ""),
        Source("tests/unit/given.py", ""),
        Source("tests/unit/test_it.py", "from services.ledger import only_tested"),
    ]
    names = {line.partition(":")[0] for line in whole.dead(sources)}
    assert names == {"services/ledger/left_over.py", "services/ledger/only_tested.py", "tests/unit/given.py"}


def test_links_are_followed() -> None:
    text = """
# A word
[here](#a-word) [file](b.md#second) [folder](../docs) [up](../kernel/eventlog/log.py) [web](https://example.org)
```
[code](is/no/link.md)
```
[lost](nowhere.md) [no heading](b.md#third) ![picture](p.png)
"""
    documents = [Source("docs/a.md", text), Source("docs/b.md", "## Second\n")]
    files = {"docs/a.md", "docs/b.md", "kernel/eventlog/log.py"}
    lost = [line.split(": ")[1].split()[0] for line in whole.broken_links(documents, files)]
    assert lost == ["nowhere.md", "b.md#third", "p.png"]
