"""What campaigns is told from outside."""

from kernel.runtime.settings import Port, Settings


class CampaignsSettings(Settings):
    """The common settings with the ports of campaigns."""

    http_port: Port = 8102
    rpc_port: Port = 9102
