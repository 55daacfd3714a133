"""What the services say of a field, as a sentence for the person who filled it in."""

import re
from collections.abc import Mapping

from console.words import mark

TIME = mark("Please give a day and a time.")
AGAIN = mark("Load the page again and send it anew.")
RULES: tuple[tuple[str, str], ...] = (
    (r"It is missing", mark("Please fill this in.")),
    (r"There is no such field|not a parameter here", AGAIN),
    (r"at least (\d+) character", mark("At least {n} characters.")),
    (r"at most (\d+) character", mark("At most {n} characters.")),
    (r"at least (\d+) item", mark("At least {n} of them.")),
    (r"at most (\d+) item", mark("At most {n} of them.")),
    (r"Expected more than (-?[\d.]+)", mark("More than {n}.")),
    (r"Expected less than (-?[\d.]+)", mark("Less than {n}.")),
    (r"(-?[\d.]+) or more", mark("Not less than {n}.")),
    (r"(-?[\d.]+) or less", mark("Not more than {n}.")),
    (r"fewer digits", mark("Please write a smaller number.")),
    (r"(?i)whole number|an integer of", mark("Please write a whole number.")),
    (r"(?i)expected a number|each is a number", mark("Please write a number.")),
    (r"true or false", mark("Please choose yes or no.")),
    (r"(?i)one of ", mark("Please choose one of the list.")),
    (r"Expected a list|an object|a JSON object|Expected null", AGAIN),
    (r"a time|RFC 3339", TIME),
    (r"out of range in UTC", mark("Please give a time from 1970 to 9999.")),
    (r"a day", mark("Please give a day.")),
    (r"a month, such as", mark("Please give a month, such as 2026-10.")),
    (r"not a currency", mark("Please write a currency's three capitals, such as CNY.")),
    (r"(?i)expected a text|each is a text|Expected text$", mark("Please write text.")),
    (r"one line without", mark("One line of text, without a blank before it.")),
    (r"text without control", mark("Please take out signs that cannot be seen.")),
    (r"printable ASCII", mark("Letters, digits and signs, without blanks.")),
    (r"letters, digits and \. _ : -", mark("Letters, digits and . _ : - only.")),
    (r"UUID", mark("Give the id as the platform shows it.")),
    (r"such as food_and_drink", mark("A word of small letters, digits and _, such as food_and_drink.")),
    (r"such as budget_cut", mark("A word of small letters, digits, _ and ., such as budget_cut.")),
    (r"word of small letters and _", mark("A word of small letters and _.")),
    (r"64 hexadecimal digits", mark("64 digits of 0-9 and a-f, as the checksum is shown.")),
    (r"a word of a-z 0-9 _ \.", mark("A word of small letters, digits, _ and .")),
    (r"43 of A-Z", mark("Give the address as it was given to you.")),
    (r"3 to 32 of", mark("3 to 32 of A-Z 0-9 _ -.")),
    (r"4 to 32 of", mark("4 to 32 of A-Z a-z 0-9 _ -.")),
    (r"a name of A-Z a-z 0-9", mark("A name such as shop.example.com.")),
    (r"a mail address such as", mark("A mail address such as mei@example.com.")),
    (r"six digits of the letter", mark("The six digits of the letter.")),
    (r"https address", mark("An address that begins with https://.")),
    (r"country of ISO|2 or 3 capitals", mark("A country's capitals, such as CN.")),
    (r"batch as the provider", mark("The batch as the provider names it.")),
    (r"creator or agency|image, video or audio", mark("Please choose one of the list.")),
    (r"SHA-256", mark("64 digits from 0-9 and a-f.")),
    (r"a number and its unit", AGAIN),
    (r"breaks the rule", mark("This cannot be right.")),
)  # fmt: skip
"""Sentence by a pattern of the services' words (kernel/edge/fields.py); `{n}` is the pattern's number."""


def of_rule(said: str) -> tuple[str, Mapping[str, str]]:
    """A key of the catalogs, and what goes into it, for what a service said of a field; other words as they came."""
    for pattern, told in RULES:
        if found := re.search(pattern, said):
            return told, {"n": found[1]} if found.groups() else {}
    return said, {}
