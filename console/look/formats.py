"""How numbers, money and times are written for one reader: by language, and times in the reader's zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from google.protobuf.timestamp_pb2 import Timestamp
from iso4217 import Currency

LOCALES = {"zh-CN": Locale("zh", "CN", script="Hans"), "en": Locale("en", "GB")}
ZONES = frozenset(available_timezones())
DEFAULT_ZONE = "Asia/Shanghai"
DIGITS = {one.code: one.exponent for one in Currency if one.exponent is not None}
NEAR = timedelta(days=7)
"""Times nearer than this are told relative to now, with the exact time behind them."""
Moment = Timestamp | datetime


def digits_of(currency: str) -> int:
    """Digits of the currency's minor unit (ISO 4217); 2 where the currency is not known."""
    return DIGITS.get(currency, 2)


def at(moment: Moment) -> datetime:
    """A moment of a message as a time of Python, in UTC."""
    return moment.ToDatetime(UTC) if isinstance(moment, Timestamp) else moment


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes for one reader. `now` is the time of the request."""

    lang: str
    zone: str
    now: datetime

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def locale(self) -> Locale:
        return LOCALES[self.lang]

    def money(self, minor: int, currency: str) -> str:
        """An amount in minor units with its currency, `¥1,234.50`."""
        amount, pattern = Decimal(minor).scaleb(-digits_of(currency)), "¤#,##0" + _fraction(currency)
        return format_currency(amount, currency, pattern, self.locale, currency_digits=False)

    def amount(self, minor: int, currency: str) -> str:
        """The same without the currency, for a column that names the currency in its head, or a form's field."""
        return format_decimal(Decimal(minor).scaleb(-digits_of(currency)), "#,##0" + _fraction(currency), self.locale)

    def number(self, number: float, digits: int = 0) -> str:
        return format_decimal(number, "#,##0" + ("." + "#" * digits if digits else ""), self.locale)

    def short(self, number: float) -> str:
        """A count in few signs: 12万, 120K."""
        return format_compact_decimal(number, locale=self.locale, fraction_digits=1)

    def ratio(self, ratio: float, digits: int = 1) -> str:
        """A measured ratio (0..1) as percents."""
        return format_percent(ratio, "#,##0" + ("." + "0" * digits if digits else "") + "%", self.locale)

    def share(self, basis_points: int) -> str:
        """An agreed share (basis points) as percents."""
        return format_percent(basis_points / 10_000, "#,##0.##%", self.locale)

    def day(self, moment: Moment, zone: str = "") -> str:
        return format_date(at(moment).astimezone(ZoneInfo(zone or self.zone)), "medium", self.locale)

    def exact(self, moment: Moment, zone: str = "") -> str:
        """Day and minute in the reader's zone or in `zone`, which is named then."""
        local = at(moment).astimezone(ZoneInfo(zone or self.zone))
        told = format_datetime(local, "medium" if self.lang == "en" else "yyyy年M月d日 HH:mm", locale=self.locale)
        return f"{told} ({zone})" if zone and zone != self.zone else told

    def relative(self, moment: Moment) -> str:
        """`in 3 days`, `2 hours ago`; further off than a week the day."""
        away = at(moment) - self.now
        if abs(away) > NEAR:
            return self.day(moment)
        return format_timedelta(away, add_direction=True, threshold=1.2, locale=self.locale)

    def field(self, moment: Moment, zone: str = "") -> str:
        """As `<input type="datetime-local">` wants it."""
        return at(moment).astimezone(ZoneInfo(zone or self.zone)).strftime("%Y-%m-%dT%H:%M")


def _fraction(currency: str) -> str:
    digits = digits_of(currency)
    return "." + "0" * digits if digits else ""
