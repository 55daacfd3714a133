"""The provider's settlement file: CSV, amounts as whole minor units; what it is not is said in a sentence."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kernel.core.faults import Invalid
from kernel.core.ids import is_id
from kernel.core.money import DIGITS, LIMIT_MINOR
from services.ledger.domain.lines import said_by

FILE_LINES = 10_000
SETTLEMENT_BYTES = 4 * 1024 * 1024
COLUMNS = ("batch", "line", "reference", "currency", "gross_minor", "fee_minor", "net_minor")
"""The columns that a file must have, in any order; it may have more."""
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,15}").fullmatch
UNIT = "minor units (fen, cents) are written as whole digits without point, separator, blank or plus sign"
Numbered = tuple[int, "SettlementLine | str"]


def _whole(value: object) -> int:
    if not isinstance(value, str) or not WHOLE(value):
        raise ValueError(f"{UNIT}: {str(value)[:40]!r} is not")
    return int(value)


def _number(value: object) -> int:
    if not isinstance(value, str) or not WHOLE(value):
        raise ValueError(f"a line is numbered by whole digits: {str(value)[:40]!r} is not")
    return int(value)


def _known(value: str) -> str:
    if value not in DIGITS:
        raise ValueError(f"{value[:8]!r} is no currency of ISO 4217")
    return value


def _spelled(value: str) -> str:
    """Ids are spelled in lower case, so that one deposit is one reference."""
    return value.lower() if is_id(value.lower()) else value


Minor = Annotated[int, BeforeValidator(_whole), Field(ge=-LIMIT_MINOR, le=LIMIT_MINOR)]
Name = Annotated[str, Field(max_length=100, pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$")]


class SettlementLine(BaseModel):
    """One line of the settlement file; net = gross - fee. A negative gross was kept from us, no gross is a bare fee."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    batch: Name
    line: Annotated[int, BeforeValidator(_number), Field(ge=1, le=10**9)]
    reference: Annotated[Literal[""] | Name, AfterValidator(_spelled)]
    currency: Annotated[str, BeforeValidator(_known)]
    gross_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    provider_ref: Literal[""] | Name = ""


def read_settlement(content: bytes) -> list[Numbered]:
    """Numbered lines of a provider's file: read, or why not. Invalid `settlement.malformed` for no such file at all."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next(rows, [])
        _check_header(header)
        found = list(_lines(header, rows))
    except UnicodeDecodeError as error:
        raise _no_file("the file must be UTF-8 text") from error
    except csv.Error as error:
        raise _no_file(f"the file is not CSV: {str(error)[:80]}") from error
    if not found:
        raise _no_file("the file has a header and no line, so there is nothing to book")
    return found


def _no_file(why: str) -> Invalid:
    return Invalid("settlement.malformed", why=why)


def _check_header(header: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    named = [name for name in header if name]
    if missing or len(set(named)) != len(named):
        found = ",".join(header)[:80]
        raise _no_file(f"the first line must name the columns {','.join(COLUMNS)}, once each; it is {found!r}")


def _lines(header: list[str], rows: Any) -> Iterator[Numbered]:
    for row in rows:
        if not any(row):
            continue
        if rows.line_num > FILE_LINES + 1:
            raise Invalid("settlement.too_long", limit=FILE_LINES)
        if len(row) != len(header):
            yield rows.line_num, f"the line has {len(row)} fields and the header {len(header)}"
        else:
            yield rows.line_num, _line(dict(zip(header, row, strict=True)))


def _line(row: Mapping[str, str]) -> SettlementLine | str:
    try:
        line = SettlementLine.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"[:200]
    if line.net_minor != line.gross_minor - line.fee_minor:
        return "net_minor is not gross_minor less fee_minor"
    return line


def occurrences(lines: Iterable[SettlementLine]) -> dict[tuple[str, int], int]:
    """Of each line, by batch and number: the how many-th it is in its batch to say just that."""
    found: dict[tuple[str, int], int] = {}
    counts = Counter[tuple[str, ...]]()
    for line in lines:
        said = said_by(line.reference, line.currency, line.gross_minor, line.fee_minor, line.provider_ref)
        counts[line.batch, *said] += 1
        found[line.batch, line.line] = counts[line.batch, *said]
    return found


def charged(lines: Iterable[SettlementLine]) -> dict[tuple[str, str], int]:
    """What a whole file settles of each transfer, by reference and currency: partial lines together may be all of it."""
    found: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.gross_minor > 0:
            key = (line.reference, line.currency)
            found[key] = found.get(key, 0) + line.gross_minor
    return found
