"""The process of discovery: erasures (domain/erasure.py), caused by compliance."""

from kernel.processors.processes import Process
from services.discovery.domain.erasure import CATEGORY, ERASURES, route
from services.discovery.subscribe import TOPICS

COMPLIANCE = tuple(one for one in TOPICS if one.service == "compliance")
PROCESSES = (Process(CATEGORY, ERASURES, route, own=False, topics=COMPLIANCE),)
