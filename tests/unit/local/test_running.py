"""Whether a platform runs is told by the pid and the start of its process: a pid may be given to another after a reboot."""

import json
import os
from pathlib import Path

import pytest

from cli.layout import Layout, running


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.at(tmp_path / "platform")
    made.save(os.getpid(), "embedded")
    return made


def test_the_process_that_started_it_is_found(layout: Layout) -> None:
    assert running(layout.folder) == os.getpid()


def test_another_process_under_its_pid_is_not_taken_for_it(layout: Layout) -> None:
    path = layout.folder / "platform.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps({**saved, "since": str(int(saved["since"]) - 1)}))
    assert running(layout.folder) is None


def test_a_process_that_has_ended_is_none(layout: Layout) -> None:
    layout.save(2**22 + 1, "embedded")
    assert running(layout.folder) is None
