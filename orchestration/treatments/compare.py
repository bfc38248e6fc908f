"""How two segments' treatments differ, in the eyes of a customer.

Belongs here: the difference levels of the contract, and what puts a pair at one of them.
Does not belong here: which segments are compared (distinctness.py), and whether a level is good enough (check.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import fsum

from orchestration.seeds.treatments import CONSUMPTION_JOURNEY, DATES, DECISION_JOURNEY, NOTICED, POSITIONING, Treatment
from orchestration.seeds.wordings import Wordings, same_to_the_eye, similarity

NOTHING = "nothing"
WORDING_ONLY = "wording only"
MESSAGE = "message"
CHANNEL_OR_OFFER = "channel or offer"
PRODUCT_OR_SERVICE = "product or service"
BOTH_JOURNEYS = "both journeys"
LEVELS = (NOTHING, WORDING_ONLY, MESSAGE, CHANNEL_OR_OFFER, PRODUCT_OR_SERVICE, BOTH_JOURNEYS)
# Levels that a customer does not notice.
ALIKE = (NOTHING, WORDING_ONLY)
# Ids are not among them: two rows never share one.
_WRITTEN = (*NOTICED, *POSITIONING, *DATES, "owner")
# Names from a list, where a letter makes another thing: near-identical wording is for texts.
_NAMES = ("channel", "offer_item")


@dataclass(frozen=True)
class Difference:
    """`level` is one of LEVELS; `fields` the differing ones, sorted; `message_similarity` 0 to 1, None without
    messages.

    At a level that a customer notices, `fields` are those that he notices; else all in which the letters differ.
    """

    level: str
    fields: tuple[str, ...]
    message_similarity: float | None

    @property
    def is_noticed(self) -> bool:
        return self.level not in ALIKE


def compare(a: Sequence[Treatment], b: Sequence[Treatment], wordings: Wordings) -> Difference:
    """The difference between the treatments of two segments, whatever their order. Symmetric.

    A segment without any treatment differs from one with a treatment in all that the latter says.
    """
    alikeness = _message_similarity(a, b)
    if not a or not b:
        noticed = {field for row in (*a, *b) for field in NOTICED if row.text(field)}
    elif _from_the_same_templates(a, b):
        # What the segment's own label is put into differs by definition, however alike two labels look.
        noticed = {field for row in (*a, *b) for field in NOTICED if field in row.labelled}
    else:
        noticed = _noticed_fields(a, b, wordings)
    level = level_of(noticed)
    if level != NOTHING:
        return Difference(level, tuple(sorted(noticed)), alikeness)
    written = tuple(sorted(field for field in _WRITTEN if _letters(a, field) != _letters(b, field)))
    if written or _rows_of_letters(a) != _rows_of_letters(b):
        return Difference(WORDING_ONLY, written, alikeness)
    return Difference(NOTHING, (), alikeness)


def level_of(noticed: Collection[str]) -> str:
    """The level of a set of fields that a customer notices; `nothing` where it is empty."""
    decision = any(field in DECISION_JOURNEY for field in noticed)
    consumption = any(field in CONSUMPTION_JOURNEY for field in noticed)
    if decision and consumption:
        return BOTH_JOURNEYS
    if consumption:
        return PRODUCT_OR_SERVICE
    if decision:
        return MESSAGE if set(noticed) <= {"message"} else CHANNEL_OR_OFFER
    return NOTHING


def _from_the_same_templates(a: Sequence[Treatment], b: Sequence[Treatment]) -> bool:
    """Whether both segments are served by the same `*` rows (a row of its own has its own id as template_id)."""
    return {row.template_id for row in a} == {row.template_id for row in b} and all(
        row.template_id != row.treatment_id for row in (*a, *b)
    )


def _field_alike(field: str, a: Treatment, b: Treatment, wordings: Wordings) -> bool:
    one, other = a.text(field), b.text(field)
    return same_to_the_eye(one, other) if field in _NAMES else wordings.alike(one, other)


def _differing(a: Treatment, b: Treatment, wordings: Wordings) -> frozenset[str]:
    return frozenset(field for field in NOTICED if not _field_alike(field, a, b, wordings))


def _noticed_fields(a: Sequence[Treatment], b: Sequence[Treatment], wordings: Wordings) -> set[str]:
    """The fields in which two sets of treatments differ.

    Empty where each treatment has one on the other side that a customer would take for the same. Else the fields with a
    value that the other side lacks; and where both sides have the same values in other combinations, those in which the
    two nearest treatments without a counterpart differ.
    """
    differing = {(i, j): _differing(x, y, wordings) for i, x in enumerate(a) for j, y in enumerate(b)}
    lonely_a = [i for i in range(len(a)) if all(differing[i, j] for j in range(len(b)))]
    lonely_b = [j for j in range(len(b)) if all(differing[i, j] for i in range(len(a)))]
    if not lonely_a and not lonely_b:
        return set()
    fields = {
        field
        for field in NOTICED
        if any(all(field in differing[i, j] for j in range(len(b))) for i in range(len(a)))
        or any(all(field in differing[i, j] for i in range(len(a))) for j in range(len(b)))
    }
    if fields:
        return fields
    pairs = [differing[i, j] for i, j in differing if i in lonely_a or j in lonely_b]
    nearest: frozenset[str] = min(pairs, key=_smallest_first)
    return set(nearest)


def _smallest_first(fields: Collection[str]) -> tuple[int, int, list[str]]:
    return len(fields), LEVELS.index(level_of(fields)), sorted(fields)


def _letters(rows: Sequence[Treatment], field: str) -> list[str]:
    return sorted({row.text(field) for row in rows})


def _rows_of_letters(rows: Sequence[Treatment]) -> list[tuple[str, ...]]:
    return sorted({tuple(row.text(field) for field in _WRITTEN) for row in rows})


def _message_similarity(a: Sequence[Treatment], b: Sequence[Treatment]) -> float | None:
    """The mean, over the messages of both sides, of the similarity to the nearest one of the other side (0 to 1)."""
    messages_a, messages_b = ({row.message for row in rows if row.message.strip()} for rows in (a, b))
    if not messages_a or not messages_b:
        return None
    scores = [[similarity(x, y) for y in sorted(messages_b)] for x in sorted(messages_a)]
    nearest = [max(row) for row in scores] + [max(column) for column in zip(*scores, strict=True)]
    return round(fsum(nearest) / len(nearest), 6)
