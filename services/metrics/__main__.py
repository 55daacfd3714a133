"""`dandelion service metrics rest rpc relay project process stream`, or `migrate`."""

from kernel.host.main import main
from services.metrics.settings import MetricsSettings
from services.metrics.wiring import SERVICE

main(SERVICE, MetricsSettings)
