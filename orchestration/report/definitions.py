"""What a segment is, in the language of the page: the definition of the seed, and today's cut points behind it.

Belongs here: sentences that the models make of a fixed pattern, told again in another language.
Does not belong here: definitions themselves (seeds/segment_definitions.csv), the sentence of the cut points
(models/intermediate/behaviour/int_rfm_cut_points.sql, whose unit test holds an example of each form; the tests read
those).

What fits no pattern stays as the tables have it, marked as English.
"""

from __future__ import annotations

import re
from typing import Any

from orchestration.report import words
from orchestration.report.languages import C_, current, joined, many, say, term

TODAY = "Today: "
# Of the segment `unknown`, which no seed defines (models/marts/segments/segments.sql).
UNKNOWN = C_("definition", "Nothing is known that decides.")
# `1 day`, `3 to 12 days`.
_RANGE = r"(?:(\d+) to )?(\d+) {}s?"
_BOUGHT = re.compile(
    rf"last bought {_RANGE.format('day')} ago, in {_RANGE.format('basket')} of the last (\d+) days"
    r"(?P<back>, and for the first time before them)?(?P<gone>, or before them only)?"
)
_GONE = re.compile(r"last bought more than (\d+) days ago")
_KINDS = ("persons", "companies")


def definition(text: Any) -> str:
    """A definition of the table `segments`; that of a shop's own seed stays as it is."""
    said = words.clean(text)
    if current().is_source:
        return words.published(said)
    sentence, _, points = said.partition(" " + TODAY)
    known = term("definition", sentence)
    if known == sentence:
        return words.published(said)
    if not points:
        return known
    return joined(" ", [known, today(TODAY + points) or words.published(TODAY + points)])


def today(text: str) -> str | None:
    """The cut points of a segment of rfm; nothing where a part of them fits no pattern."""
    if text == "Today: nobody has such scores.":
        return say("Today: nobody has such scores.")
    parts = text.removeprefix(TODAY).removesuffix(".").split("; ")
    told = [_of_kind(part) for part in parts]
    return say("Today: {parts}.", parts="; ".join(map(str, told))) if all(told) else None


def _of_kind(part: str) -> str | None:
    """The phrase of one kind of customers, which is named where there are both."""
    kind, _, rest = part.partition(" ")
    if kind not in _KINDS:
        return _phrase(part)
    phrase = _phrase(rest)
    if phrase is None:
        return None
    return say("persons: {phrase}", phrase=phrase) if kind == "persons" else say("companies: {phrase}", phrase=phrase)


def _phrase(phrase: str) -> str | None:
    if phrase == "nobody":
        return say("nobody")
    gone = _GONE.fullmatch(phrase)
    if gone:
        return many("last bought more than {n} day ago", "last bought more than {n} days ago", int(gone[1]))
    found = _BOUGHT.fullmatch(phrase)
    if not found:
        return None
    days = _range(found[1], found[2])
    baskets = _range(found[3], found[4])
    said = many(
        "last bought {days} day ago, in {baskets} of the last {window}",
        "last bought {days} days ago, in {baskets} of the last {window}",
        int(found[2]),
        days=days,
        baskets=many("{n} basket", "{n} baskets", int(found[4]), n=baskets),
        window=many("{n} day", "{n} days", int(found[5])),
    )
    if found["back"]:
        said = say("{phrase}, and for the first time before them", phrase=said)
    return say("{phrase}, or before them only", phrase=said) if found["gone"] else said


def _range(least: str | None, most: str) -> str:
    """1, 2 -> 1–2"""
    return f"{words.count(int(least))}–{words.count(int(most))}" if least else words.count(int(most))
