"""Where a task stands: for the last words of a soak whose load does not go on."""

import asyncio
from pathlib import Path
from typing import Any, cast


def frames(task: asyncio.Task[None]) -> str:
    """What a task waits for, from the outside in; what it ended with, if it did."""
    if task.done():
        return repr(task)
    found, awaited = list[str](), cast(Any, task.get_coro())
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            found.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return " > ".join(found)
