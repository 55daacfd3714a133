"""`dandelion service compliance rest rpc relay project process`, or `migrate`."""

from kernel.host.main import main
from services.compliance.settings import ComplianceSettings
from services.compliance.wiring import SERVICE

if __name__ == "__main__":
    main(SERVICE, ComplianceSettings)
