"""The Job that fills read models anew: kept like every pod, with the owner's rights and the reader's ways."""

import copy

import pytest

from tests.deploy import rules
from tests.deploy.objects import Object, containers, environment
from tests.deploy.reach import SERVICES, reachable
from tests.deploy.secret_rules import keys
from tools.deploy.kinds import errors
from tools.deploy.rebuild import job


@pytest.mark.parametrize("service", SERVICES)
def test_the_job_fits_its_overlay(service: str, overlay: list[Object]) -> None:
    made = job(overlay, service, ["some"])
    assert list(errors(made)) == []
    made["metadata"]["name"] = f"{service}-rebuild"
    objects = [*overlay, made]
    for rule in (
        rules.restricted,
        rules.references,
        rules.mounts,
        rules.secrets,
        rules.ports,
        rules.one_home,
        keys,
    ):
        assert list(rule(objects)) == []
    container = containers(made)[0]
    assert container["args"][2:] == ["rebuild", "some"]
    assert f"//{service}_owner@{service}-db-rw:" in environment(objects, made, container)["DANDELION_DATABASE_URL"]


def test_the_job_reaches_what_it_fills_from(prod: list[Object]) -> None:
    made = job(prod, "ledger", [])
    made["metadata"]["name"] = "rebuild"
    reached = {(to, port) for who, to, port in reachable([*copy.deepcopy(prod), made]) if who == "rebuild"}
    assert {("ledger-db", 5432), ("kafka-broker", 9093), ("dns", 53)} <= reached
    assert not {to for to, _ in reached} & {"campaigns-db", "internet"}
