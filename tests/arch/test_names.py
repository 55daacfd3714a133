"""No public name of the product is dead, and no private name of another library is used; both lints fire."""

from collections.abc import Iterable

import pytest

from tests.arch import names, tree
from tests.arch.tree import Source

CALLED = "gRPC and the transcoder call it by the name of its method in proto/, which the kernel does not import"
MODEL = "the model that tests hold the projection's SQL against"
UNUSED = {
    (
        "kernel/adapters/vault/personal.py",
        "Personal.rewrap",
    ): "ends the use of an old master key; no operator's command calls it yet",
    ("kernel/host/history/queries.py", "HistoryQueries.GetHistory"): CALLED,
    ("kernel/host/history/queries.py", "HistoryQueries.GetPastState"): CALLED,
    ("kernel/host/operations/queries.py", "OperationsQueries.GetServiceStatus"): CALLED,
    ("kernel/host/operations/queries.py", "OperationsQueries.ListLateDeadlines"): CALLED,
    ("kernel/host/operations/queries.py", "OperationsQueries.ListParkedKeys"): CALLED,
    ("services/metrics/domain/totals.py", "merged_minutes"): MODEL,
    ("services/metrics/domain/totals.py", "merged_snapshots"): MODEL,
}
ENDED = "aiokafka's stop() hangs without a broker and has no deadline: its parts are ended one by one"
ASKED = "aiokafka's consumer has no public way to learn the partitions of a topic it does not subscribe to"
FOREIGN = {
    ("contracts/dandelion_contracts/kafka.py", "_client"): ASKED,
    ("kernel/adapters/kafka.py", "_client"): ASKED,
    ("kernel/adapters/kafka.py", "_coordinator"): ENDED,
    ("kernel/adapters/kafka.py", "_fetcher"): ENDED,
    ("kernel/adapters/kafka.py", "_sender"): ENDED,
    ("kernel/adapters/kafka.py", "_sender_task"): ENDED,
    ("kernel/adapters/kafka.py", "_stop_commit_offsets_refresh_task"): ENDED,
    ("kernel/adapters/kafka.py", "_stop_heartbeat_task"): ENDED,
    (
        "kernel/host/migrate.py",
        "_upgrade_revs",
    ): "Alembic's own upgrade command passes this; its public one needs an env.py",
}


def programs() -> Iterable[Source]:
    return (source for source in tree.python() if source.path.startswith(names.PROGRAMS))


def test_every_public_name_is_used() -> None:
    assert list(names.unused(tree.python(), UNUSED)) == []


def test_no_private_name_of_a_library_is_used() -> None:
    assert [line for source in programs() for line in names.foreign_privates(source, FOREIGN)] == []


def test_a_permission_that_is_not_used_is_taken_back() -> None:
    dead = {line.partition(" no program uses ")[::2] for line in names.unused(tree.python())}
    assert {(place.split(":")[0], name) for place, name in dead} == UNUSED.keys()
    private = {
        (line.split(":")[0], line.split()[1]) for each in programs() for line in names.foreign_privates(each, {})
    }
    assert private == FOREIGN.keys()


DEAD = [
    "def lost() -> None: ...",
    "async def lost() -> None: ...",
    "class Lost: ...",
    "LOST = 1",
    "LOST: int = 1",
    "class _Kept:\n    def lost(self) -> None: ...\n_Kept()",
    "class _Kept:\n    @property\n    def lost(self) -> int: ...\n_Kept()",
    "class _Kept(Generic[T]):\n    def lost(self) -> None: ...\n_Kept()",
    "@contextmanager\ndef lost() -> None: ...",
]
LIVING = [
    "def _lost() -> None: ...",
    "def found() -> None: ...\nfound()",
    "class _Kept(Flask):\n    def called_by_the_library(self) -> None: ...",
    "@router.get('/')\ndef route() -> None: ...",
    "class _Kept:\n    field: int\n_Kept()",
    "def named() -> None: ...\ngetattr(module, 'named')",
]


@pytest.mark.parametrize("text", DEAD)
def test_a_dead_name_is_found(text: str) -> None:
    assert len(list(names.unused([Source("kernel/core/a.py", text)]))) == 1


@pytest.mark.parametrize("text", LIVING)
def test_a_living_name_is_left_alone(text: str) -> None:
    assert list(names.unused([Source("kernel/core/a.py", text)])) == []


def test_a_test_keeps_no_name_alive_but_another_program_does() -> None:
    dead = Source("services/ledger/tax.py", "def lost() -> None: ...")
    assert len(list(names.unused([dead, Source("tests/unit/test_a.py", "lost()")]))) == 1
    assert list(names.unused([dead, Source("cli/a.py", "tax.lost()")])) == []
    assert list(names.unused([Source("cli/a.py", "def lost() -> None: ...")])) == []


PRIVATE = [
    "consumer._client.close()",
    "getattr(producer, '_sender', None)",
    "from aiokafka._internal import Client",
    "from alembic.script import _upgrade",
    "import pydantic._internal",
]
OURS = [
    "self._client.close()",
    "found = row._replace(version=2); row._fields; os._exit(1)",
    "class A:\n    def open(self) -> None:\n        self._is_open = True\n\ndef close(a: A) -> None:\n    a._is_open = False",
    "value.__class__",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_name_of_a_library_is_found(text: str) -> None:
    assert len(list(names.foreign_privates(Source("kernel/adapters/kafka.py", text), {}))) == 1


@pytest.mark.parametrize("text", OURS)
def test_private_names_of_ones_own_are_left_alone(text: str) -> None:
    assert list(names.foreign_privates(Source("kernel/adapters/kafka.py", text), {})) == []
