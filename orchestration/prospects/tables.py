"""The published tables about prospects: who is in which segment and why, how good the models are, who the personas are.

Reads int_attributes, customer_segments and the seeds prospect_schemes, protected_attributes and personas. Every staged
prospect has one row, whatever it says; a segment that cannot be told is `unknown`, and `outcome` says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.accountability.inputs import RefreshSettings
from orchestration.accountability.schemas import table_of
from orchestration.prospects.attributes import (
    ATTRIBUTES,
    Choice,
    allowed,
    divides_by_forbidden,
    fitted_for,
    learnable,
    only_telling,
    read_choices,
    read_forbidden,
    read_members,
    read_profiles,
    said_sets,
    sets_to_fit,
    telling,
)
from orchestration.prospects.personas import nearest_persona

if TYPE_CHECKING:
    from orchestration.prospects.models import Model

UNKNOWN, INFERRED = "unknown", "inferred"
# The scheme of a prospect whose kind has none.
NO_SCHEME = "prospect_persona"
SCORED = "scored"
NOT_CHOSEN = "no scheme for its kind"
PROTECTED = "protected scheme"
SAYS_NOTHING = "says nothing"
NOTHING_SHARED = "nothing in common"
NO_BETTER = "no better than the base rate"
TOO_LOW = "below the threshold"
RARE = "rare segment"
# Segments of which the reason tells the chance.
SEGMENTS_TOLD = 3
# Digits of chances: more than they are worth, fewer than the last bits in which machines differ.
DIGITS = 4


@dataclass
class Scored:
    """What scoring says of one profile."""

    outcome: str
    segment: str = UNKNOWN
    score: float | None = None
    reason: dict[str, Any] = field(default_factory=dict)


@dataclass
class Kind:
    """Everything that was found about the prospects and personas of one kind."""

    choice: Choice | None
    prospects: pd.DataFrame
    personas: pd.DataFrame
    scored: dict[str, Scored]
    scored_personas: dict[str, Scored]
    models: dict[frozenset[str], Model | None]
    users: dict[frozenset[str], int]


def prospect_tables(con: duckdb.DuckDBPyConnection, settings: RefreshSettings) -> dict[str, pa.Table]:
    """prospect_segments, prospect_models and prospect_personas, each in the order of its primary key.

    Args:
        con: sees every dbt table by its bare name; only read.
        settings: as-of date, and the members that a model needs (min_members).
    """
    choices, forbidden = read_choices(con), read_forbidden(con)
    kinds = {kind: _kind(con, kind, choices.get(kind), forbidden, settings) for kind in ATTRIBUTES}
    return {
        "prospect_segments": table_of("prospect_segments", _segment_rows(con, kinds, settings)),
        "prospect_models": table_of("prospect_models", _model_rows(kinds)),
        "prospect_personas": table_of("prospect_personas", _persona_rows(con, kinds)),
    }


def _kind(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    choice: Choice | None,
    forbidden: frozenset[str],
    settings: RefreshSettings,
) -> Kind:
    columns = allowed(kind, forbidden)
    prospects = read_profiles(con, "prospect", kind, columns)
    personas = read_profiles(con, "persona", kind, columns)
    found = Kind(choice, prospects, personas, {}, {}, {}, {})
    if prospects.empty:
        return found
    problem = None
    if choice is None or not choice.is_active:
        problem = NOT_CHOSEN
    elif divides_by_forbidden(con, choice.scheme, forbidden):
        problem = PROTECTED
    if problem is not None or choice is None:
        found.scored = {member: Scored(problem or NOT_CHOSEN) for member in prospects.index}
        found.scored_personas = {member: Scored(problem or NOT_CHOSEN) for member in personas.index}
        return found
    # The rule of the scheme knows the segment of these; only the others need a model.
    ruled = {
        persona
        for (persona,) in con.execute(
            "select persona_id from persona_segments where scheme = ? and segment <> ?", [choice.scheme, UNKNOWN]
        ).fetchall()
    }
    personas = personas.loc[[persona for persona in personas.index if persona not in ruled]]
    members = read_members(con, kind, choice.scheme, columns)
    values = telling(members, columns)
    members = only_telling(members, values)
    everyone = pd.concat([prospects, personas])
    is_persona = [False] * len(prospects) + [True] * len(personas)
    usable = only_telling(everyone, values)
    said = said_sets(everyone, columns)
    wanted = said_sets(usable, list(values))
    shared = {each: learnable(each, members, settings.min_members) for each in dict.fromkeys(wanted)}
    fitted = sets_to_fit(shared[each] for each in wanted)
    used = [fitted_for(shared[each], fitted) for each in wanted]
    for each in fitted:
        found.models[each] = _model(members, sorted(each))
    for each in fitted:
        rows = [place for place, own in enumerate(used) if own == each]
        found.users[each] = sum(not is_persona[place] for place in rows)
        model = found.models[each]
        profiles = usable.iloc[rows]
        results = _score(model, profiles, choice) if model is not None and model.beats_base else None
        for place, row in enumerate(rows):
            outcome = results[place] if results is not None else Scored(NOTHING_SHARED if model is None else NO_BETTER)
            _store(found, is_persona[row], everyone.index[row], outcome)
    for row, own in enumerate(used):
        if not own:
            outcome = Scored(NOTHING_SHARED if said[row] else SAYS_NOTHING)
            _store(found, is_persona[row], everyone.index[row], outcome)
    return found


def _store(found: Kind, is_persona: bool, member: str, outcome: Scored) -> None:
    (found.scored_personas if is_persona else found.scored)[member] = outcome


def _model(members: pd.DataFrame, attributes: Sequence[str]) -> Model | None:
    # Late: only a shop with prospects waits for scikit-learn.
    from orchestration.prospects.models import fit

    return fit(members, attributes)


def _score(model: Model, profiles: pd.DataFrame, choice: Choice) -> list[Scored]:
    """Each profile's result, in their order; equal profiles are scored once."""
    from orchestration.prospects.models import OTHER

    columns = list(model.attributes)
    keys = [tuple(row) for row in profiles[columns].to_numpy(dtype=object)]
    firsts: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(keys):
        firsts.setdefault(key, row)
    places = {key: place for place, key in enumerate(firsts)}
    distinct = profiles.iloc[list(firsts.values())]
    chances = model.chances(distinct)
    best = [int(row.argmax()) for row in chances]
    points = model.reasons(distinct, best, chances)
    results = []
    for key, place in places.items():
        score = round(float(chances[place, best[place]]), DIGITS)
        segment = model.classes[best[place]]
        order = sorted(range(len(model.classes)), key=lambda c: (-chances[place, c], model.classes[c]))
        reason = {
            "model": model.name,
            "because": [
                {"attribute": attribute, "value": dict(zip(columns, key, strict=True))[attribute], "points": added}
                for attribute, added in sorted(points[place].items(), key=lambda item: (-abs(item[1]), item[0]))
            ],
            "chances": {model.classes[c]: round(float(chances[place, c]), DIGITS) for c in order[:SEGMENTS_TOLD]},
            "base_rate": round(float(model.base[best[place]]), DIGITS),
        }
        if segment == OTHER:
            results.append(Scored(RARE, UNKNOWN, score, reason))
        elif score < choice.min_score:
            results.append(Scored(TOO_LOW, UNKNOWN, score, reason))
        else:
            results.append(Scored(SCORED, segment, score, reason))
    return [results[places[key]] for key in keys]


def _segment_rows(
    con: duckdb.DuckDBPyConnection, kinds: Mapping[str, Kind], settings: RefreshSettings
) -> list[dict[str, Any]]:
    treatments = _treatments(con, settings)
    permissions = _permissions(con)
    rows = []
    for kind, found in kinds.items():
        scheme = found.choice.scheme if found.choice is not None else NO_SCHEME
        least = found.choice.min_persona_share if found.choice is not None else None
        near = _near(found.prospects, found.personas, least)
        for member in found.prospects.index:
            result = found.scored[member]
            persona, share = near[member]
            # That of `unknown` is for members: of a prospect, nothing was told by which to write to them.
            given = treatments.get((scheme, result.segment)) if result.segment != UNKNOWN else None
            treatment, channel = given or (None, None)
            permission, person = permissions.get((member, channel), (None, None))
            rows.append(
                {
                    "scheme": scheme,
                    "prospect_id": member,
                    "kind": kind,
                    "segment": result.segment,
                    "score": result.score,
                    "evidence": UNKNOWN if result.segment == UNKNOWN else INFERRED,
                    "outcome": result.outcome,
                    "reason": json.dumps({"outcome": result.outcome, **result.reason}, ensure_ascii=False),
                    "persona_id": persona,
                    "persona_share": None if share is None else round(share, DIGITS),
                    "treatment_id": treatment,
                    "channel": channel,
                    "permission": permission,
                    "is_contactable": permission in ("consent", "assumed"),
                    "person_id": person,
                    "as_of": settings.as_of,
                }
            )
    return rows


def _near(
    prospects: pd.DataFrame, personas: pd.DataFrame, least: float | None
) -> dict[str, tuple[str | None, float | None]]:
    if least is None or personas.empty:
        return dict.fromkeys(prospects.index, (None, None))
    found: dict[tuple[object, ...], tuple[str | None, float | None]] = {}
    near = {}
    for member, row in zip(prospects.index, prospects.to_numpy(dtype=object), strict=True):
        key = tuple(None if pd.isna(value) else value for value in row)
        if key not in found:
            found[key] = nearest_persona(key, personas, least)
        near[member] = found[key]
    return near


def _model_rows(kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    rows = []
    for kind, found in kinds.items():
        for attributes, model in found.models.items():
            if model is None or found.choice is None:
                continue
            rows.append(
                {
                    "scheme": found.choice.scheme,
                    "kind": kind,
                    "attributes": ", ".join(sorted(attributes)),
                    "prospects": found.users[attributes],
                    "model": model.name,
                    "segments": len(model.classes),
                    "members_fitted": model.members_fitted,
                    "members_calibrated": model.members_calibrated,
                    "members_judged": model.members_judged,
                    "log_loss": model.quality.log_loss,
                    "base_log_loss": model.base_quality.log_loss,
                    "top1": model.quality.top1,
                    "base_top1": model.base_quality.top1,
                    "calibration_error": model.quality.calibration_error,
                    "base_calibration_error": model.base_quality.calibration_error,
                    "beats_base": model.beats_base,
                    "min_score": found.choice.min_score,
                    "reliability": json.dumps(_rounded(model.reliability)),
                    "candidates": json.dumps(
                        {name: round(loss, DIGITS) for name, loss in model.losses.items()}, ensure_ascii=False
                    ),
                }
            )
    return rows


def _rounded(bins: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    return [{name: round(value, DIGITS) for name, value in row.items()} for row in bins]


def _persona_rows(con: duckdb.DuckDBPyConnection, kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    """Personas by the scheme chosen for their kind: by its rule where a profile alone is enough, else by the model."""
    near: dict[str, int] = {}
    for found in kinds.values():
        least = found.choice.min_persona_share if found.choice is not None else None
        for persona, _ in _near(found.prospects, found.personas, least).values():
            if persona is not None:
                near[persona] = near.get(persona, 0) + 1
    rows = []
    by_rule = {
        (scheme, persona): (segment, evidence)
        for scheme, persona, segment, evidence in con.execute(
            "select scheme, persona_id, segment, evidence from persona_segments"
        ).fetchall()
    }
    personas = con.execute("select persona_id, kind, description from personas order by persona_id").fetchall()
    for persona, kind, description in personas:
        found = kinds[kind]
        if found.choice is None or not found.choice.is_active:
            continue
        segment, evidence = by_rule.get((found.choice.scheme, persona), (UNKNOWN, UNKNOWN))
        score = None
        if segment == UNKNOWN and persona in found.scored_personas:
            result = found.scored_personas[persona]
            segment, score = result.segment, result.score
            evidence = UNKNOWN if segment == UNKNOWN else INFERRED
        rows.append(
            {
                "scheme": found.choice.scheme,
                "persona_id": persona,
                "kind": kind,
                "description": description,
                "segment": segment,
                "score": score,
                "evidence": evidence,
                "prospects_near": near.get(persona, 0),
            }
        )
    return rows


def _treatments(
    con: duckdb.DuckDBPyConnection, settings: RefreshSettings
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(scheme, segment) -> the segment's treatment that is valid, and its channel; of several the first by id."""
    rows = con.execute(
        """
        with valid as (
            select
                scheme, segment, treatment_id, lower(trim(channel)) as channel,
                row_number() over (partition by scheme, segment order by treatment_id) as place
            from treatments
            where coalesce(valid_from <= ?, true) and coalesce(valid_to >= ?, true)
        )
        select scheme, segment, treatment_id, channel from valid where place = 1
        """,
        [settings.as_of, settings.as_of],
    ).fetchall()
    return {(scheme, segment): (treatment, channel) for scheme, segment, treatment, channel in rows}


def _permissions(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str | None], tuple[str, str | None]]:
    """(prospect, channel) -> permission, and whose it is, as contact_permissions says it."""
    rows = con.execute(
        """
        select permissions.member_id, permissions.channel, permissions.permission, permissions.person_id
        from contact_permissions as permissions
        inner join int_attributes as attributes
            on permissions.member_id = attributes.member_id and attributes.population = 'prospect'
        """
    ).fetchall()
    return {(member, channel): (permission, person) for member, channel, permission, person in rows}
