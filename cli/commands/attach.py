"""`attach`: writes `platform.json` for a platform of docker compose, so that the operator's commands find its ports."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from cli.layout import COMPOSE, HOST, ROOT, SERVICES, Layout, Ports, Stores


def attach(given: argparse.Namespace) -> int:
    """Writes the file beside the keys that were copied out of the volume; FileNotFoundError without them."""
    layout = compose_layout(given.data, compose_ports(ROOT))
    Console(stderr=True).print(f"{layout.folder}: {layout.stores.bus}, {layout.http('discovery')} and so on")
    return 0


def compose_ports(folder: Path) -> dict[str, int]:
    """The `*_PORT` variables as docker compose takes them: environment, else .env, else the defaults in .env.example."""
    found: dict[str, str] = {}
    for name in (".env.example", ".env"):
        if (folder / name).exists():
            lines = (folder / name).read_text().splitlines()
            found |= dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: int(os.environ.get(name, value)) for name, value in found.items() if name.endswith("_PORT")}


def compose_layout(folder: Path, port: Mapping[str, int]) -> Layout:
    """The platform as its databases' owners see it from outside."""
    password = {name: (folder / f"{name}.owner.password").read_text() for name in SERVICES}
    databases = {
        name: f"postgresql+asyncpg://{name}_owner:{password[name]}@{HOST}:{port['POSTGRES_PORT']}/{name}"
        for name in SERVICES
    }
    ports = Ports(
        {name: port[f"{name.upper()}_HTTP_PORT"] for name in SERVICES},
        {name: port[f"{name.upper()}_RPC_PORT"] for name in SERVICES},
        port["SANDBOX_PORT"],
        port["IDENTITY_PORT"],
        port["CONSOLE_PORT"],
    )
    layout = Layout.at(folder, ports, Stores(databases, f"kafka://{HOST}:{port['KAFKA_PORT']}"))
    layout.save(0, COMPOSE)
    return layout
