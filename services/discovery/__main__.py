"""`dandelion service discovery rest rpc relay project process`, or `migrate`."""

from kernel.host.main import main
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE

if __name__ == "__main__":
    main(SERVICE, DiscoverySettings)
