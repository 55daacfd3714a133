"""Names are asked for together, once a minute, and belong to who may see them."""

from types import SimpleNamespace
from typing import Any

from console.calls.names import BATCH, Names
from kernel.core.ids import derived_id

CREATORS = [derived_id("creator", str(number)) for number in range(BATCH + 1)]


class Services:
    """Stands in for the services: knows every creator but the first, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.discovery = SimpleNamespace(BatchGetCreators=None)

    async def ask(self, method: object, request: Any, token: str) -> Any:
        self.asked.append(list(request.creator_ids))
        known = [one for one in request.creator_ids if one != CREATORS[0]]
        return SimpleNamespace(creators=[SimpleNamespace(creator_id=one, display_name=f"N {one[:4]}") for one in known])


async def test_many_are_asked_in_few_questions_and_remembered() -> None:
    now = [0.0]
    services = Services()
    names = Names(services, lambda: now[0])  # type: ignore[arg-type]
    told = await names.creators([*CREATORS, "", "no-uuid-at-all", CREATORS[1]], "ada", "token")
    assert [len(ids) for ids in services.asked] == [BATCH, 1]
    assert told[CREATORS[0]] == CREATORS[0][:8]
    assert told[CREATORS[1]] == f"N {CREATORS[1][:4]}"
    assert told["no-uuid-at-all"] == "no-uuid-"
    assert "" not in told
    now[0] = 59.0
    await names.creators(CREATORS[1:3], "ada", "token")
    assert len(services.asked) == 2
    now[0] = 61.0
    await names.creators(CREATORS[1:3], "ada", "token")
    assert services.asked[2:] == [CREATORS[1:3]]


async def test_what_one_organisation_sees_tells_nothing_to_another() -> None:
    services = Services()
    names = Names(services, lambda: 0.0)  # type: ignore[arg-type]
    await names.creators(CREATORS[1:2], "ada", "token")
    await names.creators(CREATORS[1:2], "bob", "token")
    assert services.asked == [CREATORS[1:2], CREATORS[1:2]]
