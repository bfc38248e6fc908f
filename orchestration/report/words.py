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

from orchestration.report.languages import C_, N_, Foreign, dated, digits, joined, many, name, say, term

NOTHING = "–"
# From here on a share is all there is: a sum of shares may miss 1 by rounding.
ALL = 1 - 1e-9

# Scheme ids whose plain form reads badly.
SCHEME_NAMES = {"rfm": "RFM", "job_to_be_done": "Job to be done"}
# The schemes that are shipped, as the catalogues know them; others go by their id.
SHIPPED_SCHEMES = (
    C_("scheme", "RFM"),
    C_("scheme", "Job to be done"),
    C_("scheme", "Life stage"),
    C_("scheme", "Money effort"),
    C_("scheme", "Category interest"),
    C_("scheme", "Spend structure"),
    C_("scheme", "Occasion"),
    C_("scheme", "Gender"),
    C_("scheme", "Age band"),
    C_("scheme", "Location"),
    C_("scheme", "Socioeconomic"),
    C_("scheme", "Purchase motive"),
    C_("scheme", "Lifestyle"),
    C_("scheme", "Industry"),
    C_("scheme", "Company size"),
    C_("scheme", "Process maturity"),
    C_("scheme", "Benefit sought"),
    C_("scheme", "Buying role"),
    C_("scheme", "Prospect persona"),
)
# Closed values of the tables, as words of the page.
BASES = (
    C_("basis", "behavioural"),
    C_("basis", "demographic"),
    C_("basis", "psychographic"),
    C_("basis", "geographic"),
    C_("basis", "firmographic"),
    C_("basis", "socioeconomic"),
    C_("basis", "needs"),
)
EVIDENCE = (
    C_("evidence", "observed"),
    C_("evidence", "declared"),
    C_("evidence", "inferred"),
    C_("evidence", "unknown"),
)
CHANNELS = (
    C_("channel", "app"),
    C_("channel", "email"),
    C_("channel", "mail"),
    C_("channel", "phone"),
    C_("channel", "sms"),
    C_("channel", "store"),
    C_("channel", "visit"),
    C_("channel", "web"),
)
MODELS = (C_("model", "nearest profile"), C_("model", "logistic regression"), C_("model", "gradient boosting"))
# What prospects and customers say of themselves.
ATTRIBUTES = (
    C_("attribute", "age band"),
    C_("attribute", "gender"),
    C_("attribute", "country"),
    C_("attribute", "region"),
    C_("attribute", "settlement"),
    C_("attribute", "household size"),
    C_("attribute", "adults"),
    C_("attribute", "has children"),
    C_("attribute", "marital status"),
    C_("attribute", "employment"),
    C_("attribute", "income band"),
    C_("attribute", "home ownership"),
    C_("attribute", "industry"),
    C_("attribute", "employees"),
    C_("attribute", "annual revenue"),
    C_("attribute", "process maturity"),
    C_("attribute", "benefit sought"),
)
MADE_UP = C_("data", "a simulated merchant of building materials")
UNKNOWN_SEGMENT = C_("segment", "Unknown")

OUTCOMES = {
    "spend": C_("outcome", "spend"),
    "orders": C_("outcome", "number of baskets"),
    "discount_share": C_("outcome", "share of discounts"),
    "private_label_share": C_("outcome", "share of own-label products"),
    "responded": C_("outcome", "response to what was sent"),
}


@dataclass(frozen=True)
class Mark:
    """A closed value as shown: a CSS class, a sign that does without colour, and what it means; where the sign is a
    word, the page says it by `term("sign", …)`."""

    css: str
    sign: str
    meaning: str

    @property
    def said(self) -> str:
        """The meaning in the page's language."""
        return say(self.meaning) if self.meaning else ""


VERDICTS = {
    C_("verdict", "in use"): Mark(
        "good", "✓", N_("segments behave differently, and are treated differently, on paper and in what was sent")
    ),
    C_("verdict", "in the drawer"): Mark(
        "warn", "!", N_("segments behave differently, but are not treated differently")
    ),
    C_("verdict", "superficial"): Mark(
        "bad", "≈", N_("segments do not behave differently, however good they look on a slide")
    ),
    C_("verdict", "unproven"): Mark("open", "?", N_("too little data to say")),
}

# Answers to one question of a scheme.
ANSWERS = {
    "yes": Mark("good", "✓", "yes"),
    "no": Mark("bad", "✗", "no"),
    "alike": Mark("warn", "=", "no: treated alike"),
    "seldom": Mark("warn", "~", "seldom: most pairs treated alike"),
    "unknown": Mark("open", "?", "not known yet"),
}

DELIVERY = {
    C_("delivery", "treated differently"): Mark("good", "≠", "what they were sent differs beyond chance"),
    C_("delivery", "treated alike"): Mark("warn", "=", "a medium difference would have been seen, and was not"),
    C_("delivery", "unproven"): Mark("open", "?", "too few members, or too little sent, to tell"),
}

# From the least to the largest difference.
DIFFERENCES = {
    "nothing": Mark("bad", C_("sign", "same"), N_("a customer gets the same")),
    "wording only": Mark("bad", C_("sign", "wording"), N_("only what customers never see, or punctuation, differs")),
    "message": Mark("some", C_("sign", "message"), N_("the message differs")),
    "channel or offer": Mark("more", C_("sign", "offer"), N_("the channel or the offer differs")),
    "product or service": Mark(
        "good", C_("sign", "product"), N_("what the customer uses afterwards differs: product or service")
    ),
    "both journeys": Mark("good", C_("sign", "both"), N_("how we sell and what the customer uses both differ")),
}

POSITIONS = {
    C_("position", "mass"): N_("among the fewest segments that hold {mass} of spend"),
    C_("position", "edge"): N_("among the next, up to {edge} of spend"),
    C_("position", "niche"): N_("among the rest"),
}


@dataclass(frozen=True)
class Metric:
    """A metric of segment profiles: its name, its unit, the format of its values, what is good of it: more (1), less
    (-1), or neither (0), and whether it is a sum over the behaviour window."""

    name: str
    unit: str
    form: str
    good: int
    is_sum: bool = False


# In the order shown.
METRICS = {
    "spend": Metric(C_("metric", "spend"), N_("currency"), "money", 1, is_sum=True),
    "baskets": Metric(C_("metric", "baskets"), "", "decimal", 1, is_sum=True),
    "spend_per_basket": Metric(C_("metric", "spend a basket"), N_("currency"), "money", 1),
    "recency_days": Metric(C_("metric", "days since last basket"), N_("days"), "decimal", -1),
    "discount_share": Metric(C_("metric", "discounts"), N_("share of full prices"), "share", 0),
    "private_label_share": Metric(C_("metric", "own label"), N_("share of spend"), "share", 0),
}

# The roles of a buying committee, in the order of a deal.
ROLES = {
    "initiator": C_("role", "Initiator"),
    "department_head": C_("role", "Head of department"),
    "finance": C_("role", "Finance"),
    "signatory": C_("role", "Signatory"),
}

# What an experiment would settle.
QUESTIONS = {
    "dividend": N_("Does telling segments apart earn more than one treatment for all?"),
    "merge": N_("Which segments may be merged?"),
    "pays": N_("Does what is sent pay?"),
}

# How members are drawn for each question, and what is set for it (`arms` and `why` of experiment_plans).
ARMS = {
    "dividend": N_("a third by segment, a third one treatment for all, a third held out"),
    "merge": N_("half treated, half held out, in every segment"),
    "pays": N_("half treated, half held out"),
}
HOW_TO_RUN = {
    "dividend": N_(
        "Give each of their treatments a new {treatment_id} (who has an arm keeps it), name the one treatment for all "
        "in {uniform} with a {share_uniform} of 0.33, and set {share_treated} to 0.34 in {shares}."
    ),
    "merge": N_(
        "Send one treatment under a new {treatment_id} (who has an arm keeps it) to all segments, with a "
        "{share_treated} of 0.5 in {shares}."
    ),
    "pays": N_(
        "Give each of their treatments a new {treatment_id} (who has an arm keeps it), with a {share_treated} of 0.5 "
        "in {shares}."
    ),
}
# Names that stand in them.
SETTINGS_OF_TESTS = {
    "treatment_id": Foreign("treatment_id", "en"),
    "uniform": Foreign("seeds/uniform_treatments.csv", "en"),
    "share_uniform": Foreign("share_uniform", "en"),
    "share_treated": Foreign("share_treated", "en"),
    "shares": Foreign("seeds/treatment_shares.csv", "en"),
}

ADVICE = {
    C_("advice", "keep apart"): Mark("good", "≠", N_("they differ in what they do, or in what works for them")),
    C_("advice", "merge"): Mark(
        "warn", "=", N_("they are alike in what they do and in what works for them: one treatment serves both")
    ),
    C_("advice", "test"): Mark("open", "?", N_("nobody can tell yet: leave them as they are, and test")),
}

DIVIDENDS = {
    C_("dividend", "segmenting pays"): Mark(
        "good", "✓", "treating segments differently earns more than the best single treatment"
    ),
    C_("dividend", "one treatment serves all"): Mark("warn", "=", "the best single treatment earns as much"),
    C_("dividend", "nothing pays"): Mark("bad", "✗", "no treatment earns more than sending nothing"),
    C_("dividend", "unproven"): Mark("open", "?", "too few members, or too short, to tell"),
}

# Why a treatment is sent or not, in the order in which the reasons are asked.
DECISIONS = {
    C_("decision", "sent"): N_("to be sent"),
    C_("decision", "no channel"): N_("the treatment names no channel"),
    C_("decision", "programme"): N_(
        "drawn into the group that gets nothing of any scheme, so that it can be told what the whole programme brings"
    ),
    C_("decision", "not valid"): N_("the one treatment for all is gone from the treatments, or not valid today"),
    C_("decision", "holdout"): N_(
        "drawn into the group that gets nothing, so that it can be told whether sending pays"
    ),
    C_("decision", "no contact person"): N_(
        "no contact person of the company is known, and a company itself is never addressed"
    ),
    C_("decision", "unsubscribed"): N_("the member unsubscribed"),
    C_("decision", "refused"): N_("the member's latest record opts out"),
    C_("decision", "no consent"): N_("no record of the member's consent for the channel; without one nothing is sent"),
    C_("decision", "frequency cap"): N_("the member got as much as they may lately"),
    C_("decision", "sent recently"): N_("the member got this treatment lately"),
    C_("decision", "lower priority"): N_("another scheme's treatment goes to the member first"),
}


def value(context: str, found: Any) -> str:
    """A closed value of the tables in the page's language: a verdict, a reason, a channel; others stay as they are."""
    said = clean(found)
    return said if said == NOTHING else name(context, said)


def sentence(context: str, text: Any) -> str:
    """A text of the tables that the project ships, in the page's language where the catalogue has it."""
    said = clean(text)
    found = term(context, said)
    return published(said) if found == said else found


def published(text: Any) -> Foreign:
    """A text that the project wrote into the tables, which stays in their language."""
    return Foreign(clean(text), "en")


def table(name_of_it: str) -> Foreign:
    """The name of a published table, a column, a seed or a setting: it is the same in every language."""
    return Foreign(name_of_it, "en")


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
    return NOTHING if number is None else digits(f"{number:,.0f}")


def short(value: Any) -> str:
    """1234567 -> 1.2 M; 45678 -> 45,678. What people can say aloud."""
    number = _number(value)
    if number is None:
        return NOTHING
    for size, sign in ((1e9, C_("unit", "bn")), (1e6, C_("unit", "M"))):
        # What rounds up to the next unit is said in it.
        if abs(number) >= size * 0.99995:
            return digits(f"{number / size:,.1f}") + f"\u00a0{term('unit', sign)}"
    return digits(f"{number:,.0f}")


def amount(value: Any) -> str:
    """964615.57 -> 964,616; 4169616.7 -> 4,169,617: for columns, in which one unit is compared."""
    number = _number(value)
    return money(value) if number is None or abs(number) < 100 else count(value)


def money(value: Any, currency: str | None = None) -> str:
    """964615.57 -> 964,616; 4169616.7, EUR -> 4.2 M EUR; amounts below 100 keep cents."""
    number = _number(value)
    if number is None:
        return NOTHING
    said = digits(f"{number:,.2f}") if abs(number) < 100 and number != 0 else short(number)
    return f"{said}\u00a0{clean(currency)}" if currency else said


def share(value: Any) -> str:
    """0.1234 -> 12.3 %; what would round to nothing, or to all, says so."""
    number = _number(value)
    if number is None:
        return NOTHING
    if 0 < number < 0.0005:
        return digits("<\u00a00.1") + "\u00a0%"
    # z: what rounds to nothing from below has no sign.
    said = f"{100 * number:z.1f}"
    if said == "100.0" and number < ALL:
        return digits(">\u00a099.9") + "\u00a0%"
    return digits(said) + "\u00a0%"


def times(value: Any) -> str:
    """16.415 -> 16 times; 9.46 -> 9.5 times"""
    number = _number(value)
    if number is None:
        return NOTHING
    return say("{n} times", n=digits(f"{number:,.0f}" if number >= 10 else f"{number:.1f}"))


def times_short(value: Any) -> str:
    """16.415 -> 16 ×; 9.46 -> 9.5 ×"""
    number = _number(value)
    if number is None:
        return NOTHING
    return digits(f"{number:,.0f}" if number >= 10 else f"{number:.1f}") + "\u00a0×"


def decimals(value: Any, places: int = 2) -> str:
    number = _number(value)
    return NOTHING if number is None else digits(f"{number:z,.{places}f}")


def formed(value: Any, form: str) -> str:
    """A value of a metric: `money`, `share`, or a mean to one decimal."""
    if form == "money":
        return amount(value)
    return share(value) if form == "share" else decimals(value, 1)


def percent(value: Any) -> str:
    """0.5813 -> 58 %; 0.0234 -> 2.3 %; 0.9952 -> 99.5 %, as it is not all. For sentences."""
    number = _number(value)
    if number is None or abs(number) < 0.1:
        return share(value)
    said = f"{100 * number:.0f}"
    return share(value) if said == "100" and number < ALL else f"{said}\u00a0%"


def chance(value: Any) -> str:
    """q- and p-values: 0.0342 -> 0.034; 1e-9 -> < 0.001"""
    number = _number(value)
    if number is None:
        return say("untested")
    return digits("< 0.001" if number < 0.001 else f"{number:.3f}")


def q(value: Any) -> str:
    """0.0342 -> q = 0.034, kept on one line"""
    text = chance(value)
    return text if text == "untested" else f"q {text if text.startswith('<') else '= ' + text}".replace(" ", "\u00a0")


def day(value: date | datetime | None) -> str:
    """2017-12-31 -> 31 December 2017"""
    return NOTHING if value is None else dated(value, C_("date", "d MMMM y"))


def span(days: int) -> str:
    """45 -> 45 days; 400 -> 13 months; 3253 -> 8.9 years. For ages."""
    if days < 90:
        return many("{n} day", "{n} days", days)
    if days < 730:
        return many("{n} month", "{n} months", round(days / 30.44))
    return say("{n} years", n=digits(f"{days / 365.25:.1f}"))


def month(value: date) -> str:
    """2017-12-01 -> December 2017"""
    return dated(value, C_("date", "MMMM y"))


def month_short(value: date) -> str:
    """2017-12-01 -> Dec 2017"""
    return dated(value, C_("date", "MMM y"))


def moment(value: datetime | None) -> str:
    """A timestamp in UTC, to the minute."""
    return NOTHING if value is None else f"{day(value)}, {value:%H:%M} UTC"


def scheme_name(scheme: str) -> str:
    """life_stage -> Life stage"""
    return name("scheme", capital(SCHEME_NAMES.get(scheme) or clean(scheme).replace("_", " ")))


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
    return Foreign(capital(said))


def capital(text: str) -> str:
    said = text[:1].upper() + text[1:]
    return Foreign(said, text.lang) if isinstance(text, Foreign) else said


def outcome_name(outcome: Any) -> str:
    found = OUTCOMES.get(str(outcome))
    return term("outcome", found) if found else Foreign(clean(outcome))


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
        return words[0] if words else ""
    return say("{several} and {last}", several=joined(", ", words[:-1]), last=words[-1])
