"""`dandelion service ledger migrate | rest | rpc | relay | project | process ...`"""

from kernel.host.main import main
from services.ledger.settings import LedgerSettings
from services.ledger.wiring import SERVICE

if __name__ == "__main__":
    main(SERVICE, LedgerSettings)
