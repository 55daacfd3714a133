"""Ports are drawn once: one that nobody listens on yet is not given to a second process."""

import pytest

from tools.servers.places import DRAWN_LIMIT, SHARE, free_port


def test_no_port_is_drawn_twice_though_nobody_listens_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARE, "0/10")
    drawn = [free_port() for _ in range(DRAWN_LIMIT // 2)]
    assert len(set(drawn)) == len(drawn)
