"""Which persona a prospect is near: the one with which it agrees in most of what both say.

Belongs here: comparing profiles. Does not belong here: who the personas are (seeds/personas.csv), their segments.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

# Attributes that both must say: two people agree in two things by chance.
SHARED_ATTRIBUTES = 3


def nearest_persona(
    prospect: Sequence[object], personas: pd.DataFrame, least_share: float
) -> tuple[str | None, float | None]:
    """The persona that agrees in the largest share of what both say, and that share; (None, None) where none is near.

    Of equal shares the one with more in common, then the first by id.

    Args:
        prospect: the values of the columns of `personas`, in their order; None where nothing is said.
        personas: words by persona id, sorted by it.
    """
    best: tuple[float, int, str] | None = None
    for persona_id, row in zip(personas.index, personas.to_numpy(dtype=object), strict=True):
        both = [pair for pair in zip(prospect, row, strict=True) if _is_said(pair[0]) and _is_said(pair[1])]
        if len(both) < SHARED_ATTRIBUTES:
            continue
        share = sum(mine == theirs for mine, theirs in both) / len(both)
        if share >= least_share and (best is None or (share, len(both)) > best[:2]):
            best = (share, len(both), str(persona_id))
    return (best[2], best[0]) if best else (None, None)


def _is_said(value: object) -> bool:
    """NaN, which is no value of a number, equals nothing."""
    return value is not None and value == value
