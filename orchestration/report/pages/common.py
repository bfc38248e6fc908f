"""Cells, badges and links as every page makes them.

Belongs here: how one value becomes one cell.
Does not belong here: which values a page shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from orchestration.accountability.inputs import SIGNIFICANCE
from orchestration.report import words
from orchestration.report.blocks import Cell, Text
from orchestration.report.languages import C_, many, mark, plain, say, term
from orchestration.report.published import Row
from orchestration.report.shop import Scheme, Shop

# Effect from which on a difference between segments counts, as in the verdict of a scheme.
LEAST_EFFECT = 0.01
# Chance to have seen a difference from which on that none was seen says that there is none, as in the verdict.
ENOUGH_POWER = 0.8
# Answers to one of the three questions, said by `answer`.
YES, NO = C_("answer", "yes"), C_("answer", "no")
NOT_KNOWN, NOT_ALL, SELDOM = C_("answer", "not known"), C_("answer", "not all"), C_("answer", "seldom")


def badge(word: Text, shown: words.Mark) -> Markup:
    """A word with the sign and colour of its value."""
    sign = Markup('<span aria-hidden="true">{}</span> ').format(shown.sign) if shown.sign else Markup("")
    return Markup('<span class="badge {}">{}<span class="w">{}</span></span>').format(shown.css, sign, mark(word))


def link(anchor: str, text: Text) -> Markup:
    return Markup('<a href="#{}">{}</a>').format(anchor, mark(text))


def label(text: Text, note: Text = "", title: str = "") -> Cell:
    """The heading of a row; names may be of any script."""
    return Cell(mark(text), sort=plain(text).casefold(), note=mark(note), css="label", title=plain(title))


def number(value: Any, said: str | None = None, bar: float | None = None, note: Text = "", css: str = "") -> Cell:
    """A number as said, sorted by its value; what is not known is sorted last."""
    return Cell(
        words.count(value) if said is None else said,
        sort=float(value) if value is not None else float("-inf"),
        bar=min(max(bar, 0.0), 1.0) if bar is not None else None,
        note=note,
        css=f"n {css}".strip(),
    )


def members(shop: Shop, value: Any, bar: float | None = None) -> Cell:
    """A number of members; too few are withheld, and sorted as the smallest."""
    if shop.is_few(value):
        return Cell(shop.members(value), sort=0.5, css="n")
    return number(value, bar=bar)


def share(value: Any, bar: bool = False) -> Cell:
    return number(value, words.share(value), bar=float(value) if bar and value is not None else None)


def money(value: Any) -> Cell:
    """An amount; its currency stands in the heading."""
    return number(value, words.amount(value))


def text(value: Any, css: str = "") -> Cell:
    return Cell(mark(value) if isinstance(value, str) and value else words.clean(value), css=css)


# The three questions


def told_outcome(scheme: Scheme) -> Row:
    """The outcome that question 1 is answered by, with its effect and q: of those that differ beyond chance and enough
    to count the one with the largest effect, which the verdict goes by; where none does, that of the scorecard."""
    proven = [row for row in scheme.behaviour if is_proven(row)]
    if proven:
        return min(proven, key=lambda row: (-row["effect"], row["outcome"]))
    return {name: scheme.card.get(f"behaviour_{name}") for name in ("effect", "outcome", "q_value")}


def is_proven(row: Row) -> bool:
    """Whether a difference between segments is beyond chance, and large enough to count."""
    effect, q = row.get("effect"), row.get("q_value")
    return effect is not None and q is not None and q < SIGNIFICANCE and effect >= LEAST_EFFECT


def behaves(scheme: Scheme) -> tuple[words.Mark, str, str]:
    """Question 1: mark, a word, and a few words more."""
    outcome = told_outcome(scheme)
    if outcome["effect"] is None:
        return words.ANSWERS["unknown"], NOT_KNOWN, say("nothing to compare")
    detail = say(
        "{share} of differences in {outcome}",
        share=words.percent(outcome["effect"]),
        outcome=words.outcome_name(outcome["outcome"]),
    )
    if is_proven(outcome):
        return words.ANSWERS["yes"], YES, detail
    # A verdict may be open for another reason: nothing was sent.
    if scheme.verdict == "superficial" or would_have_shown(scheme):
        return words.ANSWERS["no"], NO, detail
    return words.ANSWERS["unknown"], NOT_KNOWN, say("too few to tell")


def would_have_shown(scheme: Scheme) -> bool:
    """Whether of some outcome a difference worth the name would have been seen."""
    return any((row.get("power") or 0.0) >= ENOUGH_POWER for row in scheme.behaviour)


def is_nothing_to_compare(scheme: Scheme) -> bool:
    """Whether there were members, and nothing to compare: one segment only, or no outcome that differs between them."""
    return told_outcome(scheme)["effect"] is None and any(
        (row.get("n") or 0) > (row.get("k") or 0) for row in scheme.behaviour
    )


def waiting_for_consent(shop: Shop) -> tuple[int, int]:
    """Members with a message that only the lack of consent keeps back, and messages that consent does not: they are
    sent, or wait for their turn (frequency cap, sent recently, lower priority)."""
    if not shop.db.has("audience_decisions", "outcome", "member_id"):
        return 0, 0
    row = shop.db.rows(
        "select count(distinct member_id) filter (outcome = 'no consent') as waiting, count(*) filter (outcome in "
        "('sent', 'frequency cap', 'sent recently', 'lower priority')) as otherwise from audience_decisions"
    )[0]
    return row["waiting"], row["otherwise"]


def pairs_sent(scheme: Scheme) -> tuple[int, int] | None:
    """Of the pairs of segments that can be judged by what they were sent: those sent different things, and all."""
    distinct, powered = scheme.card.get("delivered_distinct"), scheme.card.get("well_powered_pairs")
    if distinct is None or not powered:
        return None
    return round(float(distinct) * int(powered)), int(powered)


def is_alike_on_paper(scheme: Scheme) -> bool:
    """Whether some pair of its segments has the same treatment, as it is written."""
    assigned = scheme.card.get("assigned_distinct")
    return assigned is not None and assigned < 1


def is_mostly_sent_alike(scheme: Scheme) -> bool:
    """Whether most pairs that can be judged were sent the same; exactly half is not most."""
    pairs = pairs_sent(scheme)
    return pairs is not None and 2 * pairs[0] < pairs[1]


def treated(scheme: Scheme) -> tuple[words.Mark, str, str]:
    """Question 2: mark, a word, and a few words more."""
    pairs, assigned = pairs_sent(scheme), scheme.card.get("assigned_distinct")
    if is_alike_on_paper(scheme):
        return words.ANSWERS["alike"], NOT_ALL, say("{share} of pairs differ on paper", share=words.percent(assigned))
    if pairs is None:
        return words.ANSWERS["unknown"], NOT_KNOWN, say("no pair can be judged")
    detail = many("{some} of {n} pair", "{some} of {n} pairs", pairs[1], some=words.count(pairs[0]))
    if scheme.verdict == "in use" or (scheme.verdict != "in the drawer" and not is_mostly_sent_alike(scheme)):
        return words.ANSWERS["yes"], YES, detail
    return (words.ANSWERS["seldom"], SELDOM, detail) if pairs[0] else (words.ANSWERS["alike"], NO, detail)


def pays(scheme: Scheme) -> tuple[words.Mark, str, str]:
    """Question 3: mark, a word, and a few words more."""
    said = words.clean(scheme.card.get("pays"))
    if said in ("yes", "no"):
        return words.ANSWERS[said], said, say("against customers held out")
    return words.ANSWERS["unknown"], NOT_KNOWN, say("not tested, or too few or too close to tell")


def answer(found: tuple[words.Mark, str, str], is_short: bool = False) -> Cell:
    """A question's answer as a cell; the short one keeps its detail for a pointer."""
    found_mark, word, detail = found
    return Cell(
        badge(term("answer", word), found_mark),
        sort=found_mark.sign,
        note="" if is_short else detail,
        title=detail if is_short else "",
        css="answer",
    )


def is_well_powered(row: Row) -> bool:
    """Whether a pair counts: a medium difference would have been seen. Older versions say it by the power alone."""
    found = row.get("is_well_powered")
    return bool(found) if found is not None else (row.get("power") or 0.0) >= ENOUGH_POWER


def largest(number: int) -> str:
    """That only some segments are shown."""
    return many("The {n} segment with the largest spend.", "The {n} segments with the largest spend.", number)


def links(parts: Sequence[Markup]) -> Markup:
    """Links in a row: a, b, c."""
    return Markup(", ").join(parts)


def members_heading(scheme: Scheme) -> str:
    """Whom the scheme divides, as the heading of a column."""
    return say("Contact persons") if scheme.is_of_contacts else say("Customers")


def verdict(scheme: Scheme) -> Markup:
    """The badge of a scheme's verdict."""
    return badge(words.value("verdict", scheme.verdict), words.mark(words.VERDICTS, scheme.verdict))
