"""What discovery is told from outside."""

from kernel.runtime.settings import Port, Settings


class DiscoverySettings(Settings):
    """Ports by default: HTTP 8101, gRPC 9101."""

    http_port: Port = 8101
    rpc_port: Port = 9101
