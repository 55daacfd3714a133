"""What discovery is told from outside."""

from pathlib import Path

from kernel.runtime.settings import Port, Settings
from services.discovery.domain.authenticity.commands import Holds


class DiscoverySettings(Settings):
    """Ports by default: HTTP 8101, gRPC 9101. Personal data is kept here, so master keys are needed."""

    master_keys_file: Path
    authenticity_holds: Holds = Holds.BOTH
    """What a judgement `fraud` holds from when it is made: nothing, offers, payouts or both."""

    http_port: Port = 8101
    rpc_port: Port = 9101
