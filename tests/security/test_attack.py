"""`make attack` in small: the attacks on a platform of this process hold, a hole is seen, and no other machine is ever asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from attack import __main__ as program
from attack import redirects, run, strangers
from attack.tally import Tally, table_of
from attack.target import Gone, Target, check_loopback
from cli.commands.demo import address_of
from cli.platform import Embedded
from kernel.core.faults import Refused


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    folder = tmp_path_factory.mktemp("platform")
    with Embedded.start(folder) as platform:
        await platform.wait()
        made = Target(address_of(platform.layout), folder)
        yield made
        made.close()


async def attacked(target: Target, *names: str) -> dict[str, Tally]:
    tallies = await asyncio.to_thread(run.attacked, target, 1, lambda _: None, frozenset(names))
    assert [hole for one in tallies for hole in one.holes] == []
    return {one.name: one for one in tallies}


QUICK = ("tokens", "strangers", "redirects", "files")
"""The others take minutes and are for `make attack`."""


@pytest.mark.parametrize("name", QUICK)
async def test_the_platform_holds(target: Target, name: str) -> None:
    found = await attacked(target, name)
    assert found[name].tried > 15
    assert found["ready afterwards"].tried == 5


def answering(status: int, **headers: str) -> Target:
    """A platform that answers everything alike."""
    answer = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, json={"paths": {"/x": {"get": {}}}}))
    address: Any = SimpleNamespace(
        http=dict.fromkeys(("discovery", "campaigns", "ledger", "compliance", "metrics"), "http://127.0.0.1:1"), rpc={},
        issue=lambda who: "token",
    )  # fmt: skip
    return Target(address, Path(), httpx.Client(transport=answer))


@pytest.mark.parametrize(
    ("attack", "status", "headers"),
    [
        (strangers.attack, 200, {}),
        (strangers.attack, 500, {}),
        (redirects.attack, 302, {"Location": "https://evil.test"}),
    ],
)
def test_a_hole_is_seen(attack: Callable[..., None], status: int, headers: dict[str, str], monkeypatch: Any) -> None:
    monkeypatch.setattr(strangers, "methods", lambda: iter(()))
    tally = Tally("x")
    attack(answering(status, **headers), tally, 1, lambda _: None)
    assert tally.found > 0
    assert len(tally.holes) <= 20
    assert table_of([tally]).row_count == 1


def test_a_platform_that_is_gone_is_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise Gone("metrics GET /x: ConnectError")

    monkeypatch.setattr(run, "ATTACKS", {"gone": gone})
    (tally,) = run.attacked(cast("Target", None), 1, lambda _: None)
    assert (tally.found, tally.holes) == (1, ["metrics GET /x: ConnectError"])


@pytest.mark.parametrize(
    "url",
    ["https://dandelion.example.com", "http://10.0.0.7:8101", "192.168.1.1:9101", "http://127.0.0.1.evil.test", "http://127.0.0.1@evil.test",
     "http://[fe80::1]:80", "http://0.0.0.0:1", ""],
)  # fmt: skip
def test_no_other_machine_is_attacked(url: str) -> None:
    with pytest.raises(Refused, match=r"attack\.not_this_machine"):
        check_loopback(url)
    address: Any = SimpleNamespace(http={"metrics": url}, rpc={})
    with pytest.raises(Refused, match=r"attack\.not_this_machine"):
        Target(address, Path())


def test_without_a_platform_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["attack", "--data", str(tmp_path)])
    assert program.main() == 2
    assert "make up" in capsys.readouterr().out
