"""The process of discovery: erasures (domain/erasure.py), caused by compliance."""

from kernel.core.personal import ERASURE, erasure_of
from kernel.processors.processes import Process
from services.discovery.domain.erasure import ERASURES
from services.discovery.subscribe import TOPICS

COMPLIANCE = tuple(one for one in TOPICS if one.service == "compliance")
PROCESSES = (Process(ERASURE, ERASURES, erasure_of, own=False, topics=COMPLIANCE),)
