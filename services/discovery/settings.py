"""What discovery is told from outside."""

from pathlib import Path

from kernel.runtime.settings import Port, Settings


class DiscoverySettings(Settings):
    """Ports by default: HTTP 8101, gRPC 9101. Personal data is kept here, so master keys are needed."""

    master_keys_file: Path

    http_port: Port = 8101
    rpc_port: Port = 9101
