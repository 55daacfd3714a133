"""The command `dandelion`: every documented command is one, and it runs from any folder without a word about paths."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli import programs
from cli.layout import ROOT
from cli.main import parser
from cli.platform import Embedded
from tools.speed import patience

PAGES = sorted(
    {ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("services/*/README.md")}
)
FENCED = re.compile(r"^ *```(?:sh|console|bash)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^|\$ |\$\(|\| )(dandelion [^#|)\n]*)", re.MULTILINE)
INLINE = re.compile(r"`(dandelion [^`]+)`")
CLEAN = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "DANDELION_DATA"}}


def documented(found: re.Pattern[str]) -> list[str]:
    """What the pattern finds in the pages: calls in code blocks, or words in the text."""
    texts = [page.read_text() for page in PAGES]
    if found is CALL:
        texts = [block for text in texts for block in FENCED.findall(text)]
    return sorted({one.strip() for text in texts for one in found.findall(text)})


def shell(line: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """In bash, in a folder of its own, with .venv/bin on the PATH and nothing else that leads to this project."""
    seen = CLEAN | {"PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"} | env
    command = ["bash", "-euc", line]
    return subprocess.run(command, cwd=cwd, env=seen, capture_output=True, text=True, timeout=patience(60), check=False)


def typed(*words: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return shell(shlex.join(["dandelion", *words]), cwd, **env)


@pytest.mark.parametrize("command", documented(CALL))
def test_every_documented_command_is_one(command: str) -> None:
    words = shlex.split(command)[1:]
    if not programs.module_of(words):
        parser().parse_args(["x" if word.startswith("<") else word for word in words])


@pytest.mark.parametrize("command", documented(INLINE))
def test_every_command_that_the_text_names_is_one(command: str) -> None:
    assert re.search(rf"^ +{re.escape(command.split()[1])}\b", parser().format_help() + "\n  --help", re.MULTILINE)


def test_nobody_is_told_to_run_a_module_that_is_a_command() -> None:
    told = [
        f"{page.name}: {found}"
        for page in PAGES
        for found in re.findall(r"python -m (?:cli|services|sandbox)[^`\n]*", page.read_text())
    ]
    assert [one for one in told if not one.startswith("0012-")] == [], "a record of what was measured stays as it is"


def test_it_lists_its_commands_in_any_folder(tmp_path: Path) -> None:
    done = typed("--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("up", "down", "reset", "ps", "lag", "verify", *programs.PROGRAMS, programs.SERVICE):
        assert re.search(rf"^ +{word}\b", done.stdout, re.MULTILINE), word


def test_folders_that_look_like_ours_do_not_stand_in_for_ours(tmp_path: Path) -> None:
    for name in ("cli", "kernel", "services"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger')")
    assert typed("--help", cwd=tmp_path).returncode == 0


def test_the_sandbox_says_its_settings_and_a_service_its_roles(tmp_path: Path) -> None:
    assert "SANDBOX_DECLINED_BPS" in typed("sandbox", "--help", cwd=tmp_path).stdout
    usage = typed("service", "campaigns", cwd=tmp_path)
    assert (usage.returncode, "usage: dandelion service campaigns" in usage.stderr) == (2, True)
    nobody = typed("service", cwd=tmp_path)
    assert (nobody.returncode, "discovery|campaigns|ledger" in nobody.stderr) == (2, True)
    assert typed("keys", "made", cwd=tmp_path).returncode == 0
    assert (tmp_path / "made" / "master.keys").exists()


def test_where_there_is_no_source_a_command_that_needs_it_says_so(tmp_path: Path) -> None:
    """As in the image, which has no `tools`."""
    code = "import sys; sys.modules['tools'] = None; sys.argv = ['dandelion', 'up']; from cli.main import main; main()"
    path = f"{ROOT}:{ROOT / 'contracts'}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=CLEAN | {"PYTHONPATH": path}, capture_output=True, text=True,
        timeout=patience(60), check=False,
    )  # fmt: skip
    assert (done.returncode, "runs from the project's source" in done.stderr) == (2, True), done.stderr


async def test_operators_commands_and_a_role_by_hand_run_from_another_folder(tmp_path: Path) -> None:
    with Embedded.start(tmp_path / "platform") as platform:
        await platform.wait()
        data = {"DANDELION_DATA": str(platform.layout.folder)}
        for words in (("lag",), ("verify",), ("dlq", "list")):
            done = typed(*words, cwd=tmp_path, **data)
            assert done.returncode == 0, done.stderr
        settings = typed("env", "ledger", cwd=tmp_path, **data).stdout
        assert f"export DANDELION_DATABASE_URL={platform.layout.stores.databases['ledger']}\n" in settings
        done = shell('eval "$(dandelion env ledger)"; dandelion service ledger migrate', tmp_path, **data)
        assert done.returncode == 0, done.stderr
