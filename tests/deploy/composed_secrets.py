"""What each container of docker compose is given, held against the one table of secret files (sandbox/secret_files.py)."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.keys import FOREIGN
from sandbox.secret_files import TABLE, containers, files_of

KEPT, DEALT = "/run/dandelion", "/run/dealt"
Services = Mapping[str, Mapping[str, Any]]


def wrong(services: Services) -> Iterator[str]:
    """What differs from the table, in a file that is read as it stands or in what `docker compose config` made of it."""
    dealt = containers()
    for name, one in services.items():
        mounted = {target: (source, is_kept) for source, target, is_kept in _volumes(one)}
        secret = {target: source for target, (source, _) in mounted.items() if source.startswith("keys")}
        if name == "keys":
            wanted = {KEPT: "keys"} | {f"{DEALT}/{each}": f"keys-{each}" for each in dealt}
        else:
            wanted = {KEPT: f"keys-{name}"} if name in dealt else {}
        if secret != wanted:
            yield f"{name} is given {sorted(secret.items())}, not {sorted(wanted.items())}"
        yield from (f"{name} may write {target}" for target in secret if name != "keys" and not mounted[target][1])
        yield from _untold(name, one)
    yield from (f"nobody is {each}" for each in dealt if each not in services)


def _untold(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    """Files that the container's roles read and that it is not told of where they are, or is not dealt."""
    module, roles = _command(one)
    if not module:
        return
    files, told = files_of(module, roles), one["environment"]
    if files != containers()[name]:
        yield f"{name} runs {sorted(roles)} and is dealt {sorted(containers()[name])}"
    for each in TABLE:
        is_told = told.get(f"DANDELION_{each.setting.upper()}") == f"{KEPT}/{each.name}"
        if each.concerns(module, roles) and not is_told and not each.is_optional:
            yield f"{name} is not told where {each.name} is"


def _command(one: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """The service that a container runs, and its roles."""
    words = [str(word) for word in one.get("command") or ()]
    module = next((word for word in words if word.startswith("services.")), "")
    return module.removeprefix("services."), frozenset(words[words.index(module) + 1 :] if module else ())


def _volumes(one: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Source, target and whether it is read-only."""
    for volume in one.get("volumes") or ():
        if isinstance(volume, str):
            source, target, *rest = volume.split(":")
            yield source, target, rest == ["ro"]
        else:
            yield volume["source"], volume["target"], bool(volume.get("read_only"))


def modes(name: str) -> dict[str, int]:
    """The mode of each file that a container finds below KEPT."""
    return dict.fromkeys(containers()[name], 0o444 if name in FOREIGN else 0o400)
