"""Anchors of a database that is gone accuse no later one."""

from pathlib import Path

from cli.local.anchors import set_aside


def test_anchors_of_an_earlier_database_are_set_aside_and_kept(tmp_path: Path) -> None:
    said = list[str]()
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "ledger.anchors").write_text("7 root -\n")
    set_aside(folder, said.append)
    (aside,) = tmp_path.glob("anchors-until-*")
    assert (aside / "ledger.anchors").read_text() == "7 root -\n"
    assert not folder.exists()
    assert str(aside) in said[0]


def test_where_there_are_none_nothing_is_said(tmp_path: Path) -> None:
    said = list[str]()
    (tmp_path / "anchors").mkdir()
    set_aside(tmp_path / "anchors", said.append)
    set_aside(tmp_path / "absent", said.append)
    assert (said, [path.name for path in tmp_path.iterdir()]) == ([], ["anchors"])
