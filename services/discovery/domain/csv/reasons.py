"""Problems of a row in words: each rule as a sentence, and each field of the domain as the column of the file it came from."""

from collections.abc import Mapping

from kernel.core.faults import Fault

REASONS: Mapping[str, str] = {
    "audience.name_unknown": "this name is not one of the dimension's",
    "audience.sample_empty": "the sample must have somebody in it",
    "audience.share_out_of_range": "a share is more than the whole",
    "audience.shares_over_one": "the shares are more than the whole, also allowing for rounding",
    "category.malformed": "the category is not written as first or first/second",
    "category.unknown": "the platform has no such first-level category",
    "command.id_reused": "the same idempotency key came with another content of this row: send it under a new key",
    "count.out_of_range": "the count is beyond what can be; is it in another unit?",
    "creator.account_id_malformed": "this is no id of an account: 1 to 64 characters of ASCII without blanks",
    "creator.account_id_taken": "another creator is known by this id of the platform",
    "creator.account_not_linked": "the creator has no account on this platform",
    "creator.already_registered": "the creator is registered already with other facts",
    "creator.asked_to_be_forgotten": "this person asked to be forgotten, and is not taken up again",
    "creator.birth_year_out_of_range": "nobody is born in this year who could have an account",
    "creator.country_malformed": "the country is no code of ISO 3166-1, such as CN or GB",
    "creator.display_name_missing": "a display name is required",
    "creator.guardian_consent_missing": "who may be a minor needs a guardian's consent",
    "creator.handle_malformed": "this is no handle: letters, digits and . - _ · in any script, at least one letter or digit",
    "creator.handle_reused": "this handle was another account's: give account_id, or have an operator identify the account",
    "creator.handle_taken": "another creator was verified for this handle: have an operator identify the account",
    "creator.language_malformed": "the language is no tag of BCP 47, such as zh or en-GB",
    "creator.link_malformed": "an example is not an https address",
    "creator.location_incomplete": "a place needs its country",
    "creator.parallel_jobs_out_of_range": "so many jobs at once are beyond the limit",
    "creator.report_out_of_date": "newer figures are known already",
    "creator.virtual_operator_mismatch": "a virtual human and its operator belong together",
    "csv.control_character": "the line contains a control character",
    "csv.duplicate_row": "the same account stands on an earlier line",
    "csv.field_count": "the row has another number of fields than the header",
    "csv.field_too_long": "a field is too long",
    "csv.not_utf8": "the line is not UTF-8 text",
    "csv.quote_not_closed": "a quoted field is not closed",
    "csv.quoting_malformed": 'a quote must stand round the whole field, and be doubled ("") inside it',
    "csv.value_missing": "a value is required here",
    "day.malformed": "this is no day",
    "flag.malformed": "this is neither true nor false",
    "id.malformed": "this is no id",
    "list.repeated_value": "a value stands twice in the list",
    "list.too_long": "the list has too many values",
    "money.unknown_currency": "this is no currency of ISO 4217",
    "number.malformed": "this is no whole number",
    "performance.reads_over_exposures": "nobody reads what was not shown: reads are more than exposures",
    "rate_card.commission_out_of_range": "a commission is more than nothing and less than the whole",
    "rate_card.price_out_of_range": "the price must be more than nothing, and within the limit",
    "ratio.malformed": "this is no ratio",
    "share.malformed": "this is no share",
    "text.empty": "a text of the list is empty",
    "text.malformed": "the text contains control characters",
    "text.too_long": "the text is too long",
    "time.in_the_future": "this day has not begun anywhere yet",
    "value.unknown": "this value is none of the column's",
}
ELSEWHERE = frozenset({"field", "platform", "status", "now", "known", "do"})
"""Facts that the problem or the row itself says, and lists that would stand in every row."""
COLUMNS_OF: Mapping[str, str] = {
    "observed_at": "observed_on",
    "sample_size": "audience_sample",
    "active_bps": "audience_active",
    "commission_bps": "commission",
    "closed": "closed_formats",
    "ages": "audience_ages",
    "locations": "audience_locations",
    "interests": "audience_interests",
    "accounts": "handle",
}
BY_RULE: Mapping[str, str] = {
    "id.malformed": "agency_id",
    "creator.report_out_of_date": "observed_on",
    "creator.handle_taken": "handle",
    "creator.account_id_taken": "account_id",
    "creator.handle_reused": "handle",
    "money.unknown_currency": "currency",
}
"""The column of a rule that names no field."""


def sentence(fault: Fault) -> str:
    """The rule as a sentence with the facts that it has."""
    said = REASONS.get(fault.code, "the row was refused")
    facts = [f"{name.replace('_', ' ')}: {value}" for name, value in fault.facts.items() if name not in ELSEWHERE]
    return f"{said} ({', '.join(facts)})" if facts else said


def column_of(fault: Fault) -> str:
    """The column of the file that a fault is about; "" where it is about the row."""
    field = str(fault.facts.get("field", ""))
    if fault.code.startswith("audience.") and field in {"gender", "ages", "locations", "interests"}:
        return f"audience_{field}"
    if fault.code == "rate_card.price_out_of_range":
        return f"{fault.facts['format']}_minor"
    return COLUMNS_OF.get(field, field) or BY_RULE.get(fault.code, "")
