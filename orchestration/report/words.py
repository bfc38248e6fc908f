"""How the report says things: numbers, dates, names and verdicts as text.

Belongs here: formatting of one value. Every function takes null and gives `NOTHING`.
Does not belong here: which values a section shows.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

NOTHING = "–"

# Scheme ids whose plain form reads badly.
SCHEME_NAMES = {"rfm": "RFM", "job_to_be_done": "Job to be done"}

OUTCOMES = {
    "spend": "spend",
    "orders": "number of baskets",
    "discount_share": "share of discounts",
    "private_label_share": "share of own-label products",
    "responded": "response to what was sent",
}


@dataclass(frozen=True)
class Mark:
    """A closed value as shown: a CSS class, a sign that does without colour, and what it means."""

    css: str
    sign: str
    meaning: str


VERDICTS = {
    "in use": Mark(
        "good", "✓", "segments behave differently, and are treated differently, on paper and in what was sent"
    ),
    "in the drawer": Mark("warn", "!", "segments behave differently, but are not treated differently"),
    "superficial": Mark("bad", "≈", "segments do not behave differently, however good they look on a slide"),
    "unproven": Mark("open", "?", "too little data to say"),
}

PAYS = {
    "yes": Mark("good", "✓", "spend rose by more than the cost, against customers held out at random"),
    "no": Mark("bad", "✗", "spend did not rise by more than the cost, against customers held out at random"),
    "unproven": Mark("open", "?", "not tested, or the test cannot say; only customers held out at random can"),
}

# Answers to one question of a scheme.
ANSWERS = {
    "yes": Mark("good", "✓", "yes"),
    "no": Mark("bad", "✗", "no"),
    "alike": Mark("warn", "=", "no: treated alike"),
    "unknown": Mark("open", "?", "not known yet"),
}

DELIVERY = {
    "treated differently": Mark("good", "≠", "what they were sent differs beyond chance"),
    "treated alike": Mark("warn", "=", "a medium difference would have been seen, and was not"),
    "unproven": Mark("open", "?", "too few members, or too little sent, to tell"),
}

# From the least to the largest difference.
DIFFERENCES = {
    "nothing": Mark("bad", "same", "a customer gets the same"),
    "wording only": Mark("bad", "wording", "only what customers never see, or punctuation, differs"),
    "message": Mark("some", "message", "the message differs"),
    "channel or offer": Mark("more", "offer", "the channel or the offer differs"),
    "product or service": Mark("good", "product", "what the customer uses afterwards differs: product or service"),
    "both journeys": Mark("good", "both", "how we sell and what the customer uses both differ"),
}

POSITIONS = {
    "mass": "among the fewest segments that hold 68 % of spend",
    "edge": "among the next, up to 95 % of spend",
    "niche": "among the rest",
}


@dataclass(frozen=True)
class Metric:
    """A metric of segment profiles: its name, its unit, and the format of its values."""

    name: str
    unit: str
    form: str


# In the order shown.
METRICS = {
    "spend": Metric("spend", "currency, a year", "money"),
    "baskets": Metric("baskets", "a year", "decimal"),
    "spend_per_basket": Metric("spend a basket", "currency", "money"),
    "recency_days": Metric("days since last basket", "days", "decimal"),
    "discount_share": Metric("discounts", "share of full prices", "share"),
    "private_label_share": Metric("own label", "share of spend", "share"),
}

# The roles of a buying committee, in the order of a deal.
ROLES = {
    "initiator": "Initiator",
    "department_head": "Head of department",
    "finance": "Finance",
    "signatory": "Signatory",
}

# What an experiment would settle.
QUESTIONS = {
    "dividend": "Does telling segments apart earn more than one treatment for all?",
    "merge": "Which segments may be merged?",
    "pays": "Does what is sent pay?",
}

ADVICE = {
    "keep apart": Mark("good", "≠", "they differ in what they do, or in what works for them"),
    "merge": Mark("warn", "=", "they are alike in what they do and in what works for them: one treatment serves both"),
    "test": Mark("open", "?", "nobody can tell yet: leave them as they are, and test"),
}

DIVIDENDS = {
    "segmenting pays": Mark("good", "✓", "treating segments differently earns more than the best single treatment"),
    "one treatment serves all": Mark("warn", "=", "the best single treatment earns as much"),
    "nothing pays": Mark("bad", "✗", "no treatment earns more than sending nothing"),
    "unproven": Mark("open", "?", "too few members, or too short, to tell"),
}

# Why a treatment is sent or not, in the order in which the reasons are asked.
DECISIONS = {
    "sent": "to be sent",
    "no channel": "the treatment names no channel",
    "holdout": "drawn into the group that gets nothing, so that it can be told whether sending pays",
    "no contact person": "no contact person of the company is known, and a company itself is never addressed",
    "unsubscribed": "the member unsubscribed",
    "refused": "the member's latest record opts out",
    "no consent": "no record of the member's consent for the channel; without one nothing is sent",
    "frequency cap": "the member got as much as they may lately",
    "sent recently": "the member got this treatment lately",
    "lower priority": "another scheme's treatment goes to the member first",
}


def mark(marks: dict[str, Mark], value: Any) -> Mark:
    """The mark of a value; one that is not known is shown without a colour."""
    return marks.get(str(value), Mark("open", "", ""))


def clean(value: Any) -> str:
    """Text of a label or message: control characters, which no page may hold, become spaces; blank is `NOTHING`."""
    if value is None:
        return NOTHING
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in str(value)).strip()
    return text or NOTHING


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def count(value: Any) -> str:
    """1234567 -> 1,234,567"""
    number = _number(value)
    return NOTHING if number is None else f"{number:,.0f}"


def counted(value: Any, noun: str, plural: str | None = None) -> str:
    """1 -> 1 basket; 2 -> 2 baskets"""
    number = _number(value)
    return f"{count(value)} {noun if number == 1 else plural or noun + 's'}"


def short(value: Any) -> str:
    """1234567 -> 1.2 M; 45678 -> 45,678. What people can say aloud."""
    number = _number(value)
    if number is None:
        return NOTHING
    for size, sign in ((1e9, "bn"), (1e6, "M")):
        # What rounds up to the next unit is said in it.
        if abs(number) >= size * 0.99995:
            return f"{number / size:,.1f}\u00a0{sign}"
    return f"{number:,.0f}"


def money(value: Any, currency: str | None = None) -> str:
    """964615.57 -> 964,616; 4169616.7, EUR -> 4.2 M EUR; amounts below 100 keep cents."""
    number = _number(value)
    if number is None:
        return NOTHING
    said = f"{number:,.2f}" if abs(number) < 100 and number != 0 else short(number)
    return f"{said}\u00a0{clean(currency)}" if currency else said


def share(value: Any) -> str:
    """0.1234 -> 12.3 %; what would round to nothing says so."""
    number = _number(value)
    if number is None:
        return NOTHING
    if 0 < number < 0.0005:
        return "<\u00a00.1\u00a0%"
    # z: what rounds to nothing from below has no sign.
    return f"{100 * number:z.1f}\u00a0%"


def times(value: Any) -> str:
    """16.415 -> 16 times; 9.46 -> 9.5 times"""
    number = _number(value)
    if number is None:
        return NOTHING
    return f"{number:,.0f} times" if number >= 10 else f"{number:.1f} times"


def times_short(value: Any) -> str:
    """16.415 -> 16 ×; 9.46 -> 9.5 ×"""
    number = _number(value)
    if number is None:
        return NOTHING
    return f"{number:,.0f}\u00a0×" if number >= 10 else f"{number:.1f}\u00a0×"


def decimals(value: Any, places: int = 2) -> str:
    number = _number(value)
    return NOTHING if number is None else f"{number:,.{places}f}"


def formed(value: Any, form: str) -> str:
    """A value of a metric: `money`, `share`, or a mean to one decimal."""
    if form == "money":
        return money(value)
    return share(value) if form == "share" else decimals(value, 1)


def percent(value: Any) -> str:
    """0.5813 -> 58 %; 0.0234 -> 2.3 %. For sentences."""
    number = _number(value)
    return share(value) if number is None or abs(number) < 0.1 else f"{100 * number:.0f}\u00a0%"


def chance(value: Any) -> str:
    """q- and p-values: 0.0342 -> 0.034; 1e-9 -> < 0.001"""
    number = _number(value)
    if number is None:
        return "untested"
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


def q(value: Any) -> str:
    """0.0342 -> q = 0.034, kept on one line"""
    text = chance(value)
    return text if text == "untested" else f"q {text if text.startswith('<') else '= ' + text}".replace(" ", "\u00a0")


def day(value: date | datetime | None) -> str:
    """2017-12-31 -> 31 December 2017"""
    return NOTHING if value is None else f"{value.day} {value:%B %Y}"


def span(days: int) -> str:
    """45 -> 45 days; 400 -> 13 months; 3253 -> 8.9 years. For ages."""
    if days < 90:
        return counted(days, "day")
    if days < 730:
        return counted(round(days / 30.44), "month")
    return f"{days / 365.25:.1f} years"


def month(value: date) -> str:
    """2017-12-01 -> December 2017"""
    return f"{value:%B %Y}"


def moment(value: datetime | None) -> str:
    """A timestamp in UTC, to the minute."""
    return NOTHING if value is None else f"{day(value)}, {value:%H:%M} UTC"


def scheme_name(scheme: str) -> str:
    """life_stage -> Life stage"""
    name = SCHEME_NAMES.get(scheme) or clean(scheme).replace("_", " ")
    return name[:1].upper() + name[1:]


# Letters that make a word one that can be spoken; a run of capitals without any is taken for an abbreviation.
VOWELS = frozenset("aeiouyаеёиоуыэюяіїєαεηιουωͺ")
SMALL_WORDS = frozenset(
    {"and", "or", "of", "for", "with", "the", "in", "to", "by", "on", "und", "et", "de", "y", "и", "для"}
)


def item_label(item: Any) -> str:
    """Raw capitals as a title: FRZN MEAT/MEAT DINNERS -> FRZN Meat/Meat Dinners.

    Names with any lower-case letter are left as they are written. Of capitals, a word becomes a title unless it is an
    abbreviation: no vowel in it (HBC, TV), a digit beside its letters (12PK), or dots between letters (U.S.).
    """
    text = clean(item)
    if text == NOTHING or text != text.upper() or text == text.lower():
        return text
    words = re.split(r"([^\w'’.]+)", text)
    return "".join(_titled(word, place == 0) for place, word in enumerate(words))


def _titled(word: str, is_first: bool) -> str:
    letters = [c for c in unicodedata.normalize("NFD", word.lower()) if c.isalpha()]
    if not letters or any(c.isdigit() for c in word) or "." in word.strip("."):
        return word
    if word.lower() in SMALL_WORDS and not is_first:
        return word.lower()
    is_vowelled = any(c in VOWELS for c in letters)
    has_vowels_known = any("LATIN" in unicodedata.name(c, "") or "CYRILLIC" in unicodedata.name(c, "") for c in letters)
    if has_vowels_known and not is_vowelled and len(letters) > 1:
        return word
    return word[:1] + word[1:].lower()


def identifier(text: Any) -> str:
    """late_evening -> Late evening"""
    said = clean(text).replace("_", " ").strip()
    return capital(said)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def outcome_name(outcome: Any) -> str:
    return OUTCOMES.get(str(outcome), clean(outcome))


def anchor(text: str, taken: set[str]) -> str:
    """An id for a place in the page, not among `taken`, to which it is added."""
    stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def listed(parts: Iterable[str]) -> str:
    """a, b and c"""
    words = list(parts)
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
