"""Lines that stand twice, and words of a file that move the bank before its lines do: the sums say what happened."""

from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import ConfirmDeposit, RequestRefund
from tests.unit.ledger.files import codes, row, upload
from tests.unit.ledger.given import D1, DEPOSIT, REFUND, asked, charged, funded, refund_asked
from tests.unit.ledger.world import AS_BRAND, World, chains, check_invariants


def test_a_line_that_stands_twice_in_a_file_confirms_no_deposit_with_itself() -> None:
    world = World()
    asked(world)
    half = row("b", 1, DEPOSIT, 2_500)
    answer = upload(world, half, half)
    assert (answer.settled, answer.listed, world.row("transfers", DEPOSIT).status) == (0, 2, "pending")
    assert upload(world, half, row("b", 2, DEPOSIT, 2_500)).settled == 2


def test_another_line_under_a_number_that_stands_before_is_in_the_work_list() -> None:
    world = World()
    charged(world)
    asked(world)
    first, other = row("b", 1, D1, 2_000_000), row("b", 1, DEPOSIT, 5_000)
    for _ in range(2):
        answer = upload(world, first, first, other)
        assert (answer.settled, answer.listed) == (1, 2)
    (kept,) = world.table("discrepancies").values()
    assert (kept.code, kept.reference, kept.gross_minor) == ("settlement.number_twice", DEPOSIT, 5_000)


def test_what_a_line_confirms_has_left_the_bank_though_the_line_itself_is_not_booked() -> None:
    world = World()
    funded(world)
    world.run(RequestRefund(REFUND, D1, 2_000_000), AS_BRAND)
    answer = upload(world, row("b", 1, REFUND, -2_000_000, 5))
    assert (answer.settled, answer.sums[0].bank_minor, answer.sums[0].listed_minor) == (0, -2_000_000, -5)
    assert codes(world) == {"account.bound_crossed"}


def test_a_part_before_the_whole_of_a_refund_explains_the_bank_once() -> None:
    world = World()
    refund_asked(world)
    answer = upload(world, row("b", 1, REFUND, -100_000), row("b", 2, REFUND, -400_000, 5))
    assert (answer.settled, answer.sums[0].bank_minor, answer.sums[0].listed_minor) == (1, -400_000, -100_005)


def test_a_deposit_that_came_in_another_currency_is_settled_in_that_one() -> None:
    world = World()
    asked(world)
    world.run(ConfirmDeposit(DEPOSIT, "USD", 700, "ch"))
    check_invariants(world)
    assert world.account(Code.SUSPENSE, "psp", "USD").balance_minor == 700
    assert upload(world, row("b", 1, DEPOSIT, 700, 7, "USD"), row("b", 2, DEPOSIT, 5_000)).settled == 1
    assert world.account(Code.BANK, "psp", "USD").balance_minor == 693
    assert codes(world) == {"settlement.currency_differs"}


def test_a_batch_that_comes_again_in_another_order_books_nothing() -> None:
    """Numbers swapped among deposits, among parts of one deposit, and among payments of nobody."""
    world = World()
    charged(world)
    asked(world)
    world.run(ConfirmDeposit(DEPOSIT, "CNY", 5_000))
    said = [(D1, 600_000, 6), (D1, 700_000, 7), (DEPOSIT, 3_000, 3), ("?", 900, 0), ("??", 800, 0), (D1, 600_000, 6)]
    first = [row("b", number, *one) for number, one in enumerate(said, start=1)]
    assert upload(world, *first).settled == 6
    journal = len(chains(world.posted))
    for order in ([1, 0, 2, 3, 4, 5], [2, 1, 0, 4, 3, 5], [5, 4, 3, 2, 1, 0]):
        swapped = [row("b", number, *said[one]) for number, one in enumerate(order, start=1)]
        answer = upload(world, *swapped)
        assert (answer.settled, answer.listed, answer.sums[0].bank_minor) == (6, 0, 0)
    shifted = [row("b", number, *one) for number, one in enumerate(said, start=2)]
    answer = upload(world, *shifted)
    assert (answer.settled, answer.listed, answer.sums[0].bank_minor) == (5, 1, 0)
    assert "settlement.settled_before" in codes(world)
    assert len(chains(world.posted)) == journal


def test_what_is_said_once_more_than_before_is_another_line() -> None:
    world = World()
    charged(world)
    upload(world, row("b", 1, D1, 600_000))
    assert upload(world, row("b", 1, D1, 600_000), row("b", 2, D1, 600_000)).sums[0].bank_minor == 600_000
    assert upload(world, row("c", 1, D1, 600_000)).sums[0].bank_minor == 600_000
