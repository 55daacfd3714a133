"""Everything that a forked process of the tests may need, imported once: all modules of the product, and a toy's."""

import pkgutil
import sys
import time
from importlib import import_module

import tests.kit.toy

__all__ = ["tests"]

PACKAGES = ("kernel", "services", "sandbox", "cli")
LEFT_OUT = ("__main__", "migrations", "stream")
"""A program runs when it is imported; a migration is read by Alembic; metrics' stream makes a Faust app at once."""


def preload(name: str) -> None:
    """A package and all below it."""
    package = import_module(name)
    for module in pkgutil.iter_modules(package.__path__, f"{name}."):
        if module.name.rpartition(".")[2] in LEFT_OUT:
            continue
        if module.ispkg:
            preload(module.name)
        else:
            import_module(module.name)


for one in PACKAGES:
    preload(one)
for late in ("alembic.config", "alembic.runtime.environment", "alembic.script", "uvicorn"):
    import_module(late)

if __name__ == "__main__":  # what the fork server costs, once for each test worker
    sys.stdout.write(f"{len(sys.modules)} modules in {time.process_time():.1f} CPU seconds\n")
