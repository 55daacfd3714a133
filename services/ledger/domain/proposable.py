"""What can be told of a move by hand before anybody approves it: form, currency, country, month.

The accounts are looked at when it is carried out."""

from datetime import datetime

from kernel.core.ids import checked_id
from kernel.core.money import checked_currency
from services.ledger.domain.commands import IdentifyMoney, PayInOwnMoney, RequestDeposit, RequestPayout
from services.ledger.domain.deposits import check_text
from services.ledger.domain.residences import check_rate, check_residence
from services.ledger.domain.set_by_hand import ChangePayoutAccount, ClearTie, SetReferenceRate, SetTaxResidence
from services.ledger.domain.transfers import check_amount


def check_proposable(command: object, at: datetime) -> None:
    """Raises Invalid for what could never be carried out as it stands, with the code of the command itself."""
    match command:
        case SetTaxResidence():
            check_residence(command)
        case SetReferenceRate():
            check_rate(command, at)
        case ClearTie():
            checked_id(command.brand_id)
            checked_id(command.payee_id)
            check_text(command, "reason")
        case ChangePayoutAccount():
            checked_id(command.owner)
            check_text(command, "instrument")
            checked_currency(command.currency)
        case PayInOwnMoney():
            check_text(command, "reference")
            check_amount(command.amount_minor, command.currency)
        case IdentifyMoney():
            checked_id(command.brand_id)
            check_text(command, "reference")
            check_text(command, "reason")
            check_amount(command.amount_minor, command.currency)
        case RequestDeposit() | RequestPayout():
            check_text(command, "instrument")
            check_amount(command.amount_minor, command.currency)
        case _:
            return
