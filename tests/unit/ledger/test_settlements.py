"""A settlement file is booked once, however it is cut, shuffled and repeated: the bank changes by what the sums say."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from kernel.core.ids import derived_id
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import (
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    RequestDeposit,
    RequestRefund,
    stream_of,
)
from services.ledger.domain.events import ChainKind, TransferKind
from services.ledger.domain.reversals import ReverseDeposit
from services.ledger.domain.rows import Transfer
from services.ledger.ports.settlements import COLUMNS, read_settlement
from tests.unit.ledger.files import HEADER, codes, row, upload
from tests.unit.ledger.given import D1, DEPOSIT, REFUND, asked, charged, refund_asked
from tests.unit.ledger.world import AS_BRAND, BRAND, SYSTEM, World, chains, deposit

UNITS = {"line": "a line is numbered by whole digits"}
NOT_WHOLE = ["100.00", "1_000", " 100", "100 ", "+100", "1e3", "0x10", "٣", "1,000", "", "--1", "007", "-0.5", "-0"]


@pytest.mark.parametrize("amount", NOT_WHOLE)
@pytest.mark.parametrize("column", ["gross_minor", "fee_minor", "net_minor", "line"])
def test_an_amount_that_is_not_whole_minor_units_is_a_problem_that_names_the_unit(amount: str, column: str) -> None:
    given = dict(zip(COLUMNS, ["b", "1", D1, "CNY", "100", "0", "100"], strict=True)) | {column: f'"{amount}"'}
    world = World()
    charged(world)
    answer = upload(world, ",".join(given.values()))
    assert (answer.settled, answer.listed, [one.line for one in answer.problems]) == (0, 0, [2])
    assert answer.problems[0].problem.startswith(f"{column}: {UNITS.get(column, 'minor units (fen, cents)')}")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n\n", HEADER.encode(), HEADER.upper().encode() + b"\n1", HEADER.replace(",", ";").encode() + b"\nb;1",
        HEADER.replace(",", "\t").encode(), b"<!DOCTYPE html><html><body>Login</body></html>", b'{"lines": []}',
        HEADER.encode("utf-16"), b"batch,line\nb,1", f"{HEADER},line\nb,1".encode(), b'"batch\nb', b"PK\x03\x04\x00\xff",
        HEADER.replace("batch", " batch").encode() + b"\nb,1",
    ],
    ids=[
        "empty", "blank", "no_line", "upper_case", "semicolons", "tabs", "html", "json", "utf16", "columns_missing",
        "column_twice", "open_quote", "zip", "blank_in_header",
    ],
)  # fmt: skip
def test_what_is_no_settlement_file_is_refused_by_a_sentence(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_settlement(content)
    assert refused.value.code == "settlement.malformed"
    assert str(refused.value.facts["why"]).startswith(("the first line must name", "the file "))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"b,1,{D1},CNY,100,0", "the line has 6 fields"), (f"b,1,{D1},cny,100,0,100", "currency: 'cny' is no currency"),
        (f"b,1,{D1},XAU,100,0,100", "currency: "), (f"b,1, {D1},CNY,100,0,100", "reference"), (f",1,{D1},CNY,1,0,1", "batch"),
        (f"b,0,{D1},CNY,100,0,100", "line: "), (f"b,1,{D1},CNY,100,1,100", "net_minor is not"),
        (f"b,1,{D1},CNY,{10**16},0,{10**16}", "gross_minor: "),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_says_why(line: str, problem: str) -> None:
    world = World()
    charged(world)
    (found,) = upload(world, line, "").problems
    assert found.line == 2
    assert found.problem.startswith(problem)


def test_rows_of_blanks_are_no_lines_and_more_columns_are_no_problem() -> None:
    world = World()
    charged(world)
    answer = upload(world, ",,,,,,,", f"{row('b', 1, D1.upper(), 2_000_000)},CNY", ",,,,,,,", header=f"{HEADER},note")
    assert (answer.settled, answer.problems) == (1, [])
    assert upload(world, f"{row('b', 1, D1, 2_000_000)},,", header=f"{HEADER},,").settled == 1, "a spreadsheet's commas"


def test_the_same_deposit_settled_again_is_booked_once() -> None:
    world = World()
    charged(world)
    first = row("b", 1, D1, 2_000_000, 60)
    answer = upload(world, first, first, row("b", 2, D1, 2_000_000, 60), row("c", 1, D1, 2_000_000, 60))
    assert (answer.settled, answer.listed, [one.line for one in answer.problems]) == (1, 3, [3, 4, 5])
    assert codes(world) == {"settlement.more_than_due"}
    assert world.account(Code.BANK, "psp").balance_minor == 1_999_940
    again = upload(world, first)
    assert (again.settled, again.sums[0].bank_minor, again.sums[0].before_minor) == (1, 0, 1_999_940)


def test_an_absurd_line_voids_nothing_and_invents_nothing() -> None:
    for begin in (asked, charged):
        world = World()
        begin(world)
        id_ = DEPOSIT if begin is asked else D1
        answer = upload(world, row("b", 1, id_, 10**9))
        assert (answer.settled, answer.listed, answer.sums[0].listed_minor) == (0, 1, 10**9)
        assert world.account(Code.SUSPENSE, "psp").balance_minor == world.account(Code.BANK, "psp").balance_minor == 0
        assert world.row("transfers", id_).status == ("pending" if begin is asked else "confirmed")


def test_a_line_before_its_webhook_confirms_and_a_part_of_it_waits() -> None:
    world = World()
    asked(world)
    parts = row("b", 1, DEPOSIT, 2_000), row("b", 2, DEPOSIT, 3_000)
    assert upload(world, parts[0]).listed == 1
    assert world.row("transfers", DEPOSIT).status == "pending"
    answer = upload(world, *parts, row("c", 9, DEPOSIT, 1))
    assert (answer.settled, answer.listed) == (0, 3), "what does not add up to the deposit proves nothing"
    assert upload(world, *parts).settled == 2
    assert codes(world) == {"settlement.more_than_due"}
    assert [one.word for one in world.table("discrepancies").values()] == ["c:9"]
    assert world.run(ConfirmDeposit(DEPOSIT, "CNY", 5_000, "webhook, late")) == []


def test_refunds_are_named_once_and_confirmed_by_their_line() -> None:
    world = World()
    refund_asked(world)
    answer = upload(world, row("b", 1, REFUND, -400_000, 5))
    assert (answer.settled, answer.sums[0].bank_minor, answer.sums[0].before_minor) == (1, -400_005, 0)
    assert world.row("transfers", REFUND).status == "confirmed"
    assert upload(world, row("c", 1, REFUND, -400_000)).listed == 1
    back = upload(world, row("c", 2, REFUND, 400_000))
    assert (back.settled, back.sums[0].bank_minor) == (1, 400_000)
    assert upload(world, row("c", 3, REFUND, 400_000)).listed == 1


def test_what_a_webhook_told_before_has_moved_the_bank_before() -> None:
    world = World()
    refund_asked(world)
    world.run(ConfirmTransfer(TransferKind.REFUND, REFUND, "re", 5))
    answer = upload(world, row("b", 1, REFUND, -400_000, 5))
    assert (answer.settled, answer.sums[0].bank_minor, answer.sums[0].before_minor) == (1, -5, -400_000)


def test_chargebacks_and_fees_are_booked_or_listed() -> None:
    world = World()
    charged(world)
    upload(world, row("b", 1, D1, 2_000_000, 1_000))
    kept = row("b", 2, D1, -2_000_000, 1_500)
    answer = upload(world, kept, row("b", 3, "", 0, 40), row("b", 4, "someone", -70), row("b", 5, "", 0, -3))
    assert (answer.settled, answer.listed) == (1, 3)
    assert codes(world) == {
        "settlement.more_than_owed", "settlement.deduction_unknown", "settlement.fee_out_of_range",
    }  # fmt: skip
    world.run(ReverseDeposit(D1, "cb_1", "CNY", 2_000_000, 1_500))
    upload(world, row("d", 1, "nobody", 9_000_000))
    assert upload(world, kept).settled == 1
    assert "settlement.more_than_owed" not in codes(world)


def test_unknown_money_is_in_suspense_and_in_the_work_list_and_comes_once() -> None:
    world, header = World(), f"{HEADER},provider_ref"
    lines = [f"{row(batch, 1, '?', 900)},ch_9" for batch in ("b", "c")] + [
        row("d", n, DEPOSIT, 700) + "," for n in (1, 2)
    ]
    answer = upload(world, *lines, header=header)
    assert (answer.settled, answer.unmatched, answer.listed) == (2, 2, 2)
    assert world.account(Code.SUSPENSE, "psp").balance_minor == 1_600
    assert codes(world) == {"settlement.unmatched", "settlement.settled_before"}


DEPOSITS = [derived_id("deposit", str(number)) for number in range(3)]
AMOUNT = 10_000
Line = tuple[str, int, str, int, int, str]
LINES = st.lists(
    st.tuples(
        st.sampled_from(["b", "c"]),
        st.integers(1, 6),
        st.sampled_from([*DEPOSITS, *DEPOSITS, REFUND, "nobody", ""]),
        st.sampled_from([AMOUNT, AMOUNT, 4_000, 5_000, 6_000, 1, 10**9, 0, -AMOUNT, -3_000, -1_000, 3_000]),
        st.sampled_from([0, 0, 60, 1_500]),
        st.sampled_from(["CNY", "CNY", "CNY", "USD"]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip
STEPS = st.lists(
    st.one_of(LINES, st.sampled_from(DEPOSITS), st.just("refund"), st.just("dispute")), min_size=1, max_size=6
)


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(steps=STEPS, order=st.randoms(use_true_random=False))
def test_whatever_files_say_the_bank_is_explained_and_no_deposit_is_lost_or_doubled(
    steps: list[list[Line] | str], order: Random
) -> None:
    world, files = World(), list[list[str]]()
    upload(world, row("a", 1, deposit(world, 50_000), 50_000))
    world.run(RequestRefund(REFUND, D1, 3_000), AS_BRAND)
    for id_ in DEPOSITS:
        world.run(RequestDeposit(id_, BRAND, "CNY", AMOUNT, "tok"), AS_BRAND)
    for step in steps:
        if isinstance(step, str):
            _word(world, step)
            continue
        files.append([row(b, n, reference, gross, fee, currency) for b, n, reference, gross, fee, currency in step])
        upload(world, *files[-1])
    for lines in files:
        order.shuffle(lines)
        upload(world, *lines)
    for id_ in DEPOSITS:
        found: Transfer = world.row("transfers", id_)
        assert found.status != "failed"
        assert found.settled_minor + found.due_minor == (AMOUNT if found.status != "pending" else 0)
    kinds = [one.kind for one in chains(world.posted)]
    assert ChainKind.DEPOSIT_FAILED not in kinds
    assert kinds.count(ChainKind.DEPOSIT_CONFIRMED) == 1 + sum(
        world.row("transfers", id_).status != "pending" for id_ in DEPOSITS
    )


WORDS: dict[str, Command] = {
    "refund": ConfirmTransfer(TransferKind.REFUND, REFUND, "re", 5),
    "dispute": ReverseDeposit(DEPOSITS[0], "cb_1", "CNY", AMOUNT, 1_500),
    **{id_: ConfirmDeposit(id_, "CNY", AMOUNT, "ch") for id_ in DEPOSITS},
}
"""Webhooks that may come between two files."""


def _word(world: World, step: str) -> None:
    command = WORDS[step]
    refused = world.tried(stream_of(command), command, SYSTEM)
    assert refused in {"", "deposit.not_confirmed", "deposit.reversal_too_large", "refund.not_pending"}
