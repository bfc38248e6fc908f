"""What an edit of the treatments changes, against those that are published: before and after, without a refresh.

Belongs here: which treatments changed and how, whom each reaches, what would be sent, which pairs of segments moved.
Does not belong here: whether that is good enough (check.py), and how two treatments differ (compare.py).
"""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import duckdb

from orchestration.seeds.treatments import COLUMNS, NOTICED, Treatment, from_records, spell_out
from orchestration.storage.sql import first_row
from orchestration.treatments.compare import LEVELS
from orchestration.treatments.distinctness import Pair
from orchestration.treatments.inputs import CheckInput, records

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
# Outcomes of a send that hang on the channel: on another one, the member may be sent to, or not.
BY_CHANNEL = ("sent", "no consent", "refused", "unsubscribed", "no contact person", "no channel")
# What is told one by one; the rest is counted.
TREATMENTS_TOLD = 12
PAIRS_TOLD = 8
_SEGMENTS_TOLD = 4


@dataclass(frozen=True)
class Reach:
    """Whom a treatment reaches through one channel.

    `members` are those of its segments; `reachable` those who may be addressed on the channel, as audiences count them,
    None where that is not counted before the next refresh.
    """

    channel: str
    members: int
    reachable: int | None


@dataclass(frozen=True)
class Effect:
    """What becomes of one row of the treatments.

    `fields` differ, `noticed` are those of them that a customer notices. `before` and `after` are whom it reaches; None
    where it is not there, or not valid. `sent_before` members are sent it by what is published, `sent_after` would be,
    None where that is not known before the next refresh; at most as many where `is_at_most`. `example` is the treatment
    as it is now, spelled out for its first segment.
    """

    kind: str
    scheme: str
    template_id: str
    segments: tuple[str, ...]
    fields: tuple[str, ...]
    before: Reach | None
    after: Reach | None
    sent_before: int
    sent_after: int | None
    example: Treatment
    is_at_most: bool = False

    @property
    def noticed(self) -> tuple[str, ...]:
        return tuple(field for field in self.fields if field in NOTICED)


@dataclass(frozen=True)
class Moved:
    """A pair of segments whose treatments differ otherwise than before; a level is None where there is no such pair."""

    scheme: str
    segment_a: str
    segment_b: str
    before: str | None
    after: str | None


Spelled = dict[tuple[str, str], list[Treatment]]


def has(con: duckdb.DuckDBPyConnection, *tables: str) -> bool:
    """Whether the connection of `open_published` shows all these tables."""
    found = {name for (name,) in con.execute("select view_name from duckdb_views() where temporary").fetchall()}
    return found >= set(tables)


def effects(con: duckdb.DuckDBPyConnection, inputs: CheckInput) -> list[Effect]:
    """What changes of each treatment of the active schemes, by scheme and id; nothing of those that stay as they are.

    A `*` row is one, whatever number of segments it serves. Segments that came with the data are not edits: both sides
    are spelled out for the segments that were published.
    """
    schemes = {scheme.name: scheme for scheme in inputs.active_schemes}
    after: Spelled = defaultdict(list)
    for name, scheme in schemes.items():
        for row in spell_out(
            inputs.rows_by_scheme.get(name, []), scheme.is_data_driven, scheme.labels, scheme.excluded
        ):
            after[name, row.template_id].append(row)
    before: Spelled = defaultdict(list)
    for row in from_records(records(con, "select * from treatments")):
        before[row.scheme, row.template_id].append(row)
    counts = _Counts(con, inputs)
    found = []
    for key in sorted({*before, *after}):
        old, new = ({row.segment: row for row in side.get(key, ())} for side in (before, after))
        columns = [column for column in COLUMNS if column not in ("treatment_id", "scheme", "segment")]
        fields = [
            column
            for column in columns
            if any(old[segment].text(column) != new[segment].text(column) for segment in {*old} & {*new})
        ]
        if old and new and set(old) != set(new):
            fields.insert(0, "segment")
        if old and new and not fields:
            continue
        found.append(_effect(key, old, new, fields, counts, inputs))
    return found


def _effect(
    key: tuple[str, str],
    old: Mapping[str, Treatment],
    new: Mapping[str, Treatment],
    fields: Sequence[str],
    counts: _Counts,
    inputs: CheckInput,
) -> Effect:
    kind = CHANGED if old and new else (ADDED if new else REMOVED)
    valid_old, valid_new = (
        {segment: row for segment, row in side.items() if row.is_valid_on(inputs.as_of)} for side in (old, new)
    )
    before, after = counts.reach(key[0], valid_old), counts.reach(key[0], valid_new)
    ids = {row.treatment_id for row in old.values()}
    sent = counts.sent(ids)
    is_at_most = False
    if after is None:
        sent_after: int | None = 0
    elif before is None or set(valid_old) != set(valid_new):
        sent_after = None
    elif before.channel == after.channel:
        sent_after = sent
    else:
        sent_after = counts.would_be_sent(ids, after.channel)
        is_at_most = bool(sent_after) and not counts.are_touches_known
    shown = new or old
    return Effect(
        kind,
        key[0],
        key[1],
        tuple(sorted(shown)),
        tuple(fields),
        before,
        after,
        sent,
        sent_after,
        shown[min(shown)],
        is_at_most,
    )


class _Counts:
    """Members of segments, those of them who may be addressed, and what was decided of each."""

    def __init__(self, con: duckdb.DuckDBPyConnection, inputs: CheckInput) -> None:
        self._con, self._inputs = con, inputs
        self._there = {channel.strip().lower() for channel in inputs.channels}
        self._reachable: dict[tuple[str, str, str], int] = {}
        self._channels: set[str] = set()
        if has(con, "segment_reach"):
            rows = con.execute("select scheme, segment, channel, reachable_members from segment_reach").fetchall()
            self._reachable = {(scheme, segment, channel): n for scheme, segment, channel, n in rows}
            self._channels = {channel for _, _, channel, _ in rows}

    def reach(self, scheme: str, rows: Mapping[str, Treatment]) -> Reach | None:
        """Whom valid treatments of one template, by segment, reach; None for no treatment."""
        if not rows:
            return None
        channel = next(iter(rows.values())).channel.strip().lower()
        members = self._inputs.schemes[scheme].members
        total = sum(members.get(segment, 0) for segment in rows)
        if channel in self._there and channel not in self._channels:
            return Reach(channel, total, None)
        return Reach(channel, total, sum(self._reachable.get((scheme, segment, channel), 0) for segment in rows))

    def sent(self, ids: Collection[str]) -> int:
        """Members whom the published decisions send one of these treatments."""
        if not has(self._con, "audience_decisions"):
            return 0
        return self._number(
            """
            select count(distinct member_id) from audience_decisions
            where treatment_id in (select unnest($ids)) and outcome = 'sent'
            """,
            ids=sorted(ids),
        )

    @property
    def are_touches_known(self) -> bool:
        """Whether the touchpoints can be seen, by which the frequency cap and `sent recently` go."""
        return has(self._con, "stg_touchpoints")

    def would_be_sent(self, ids: Collection[str], channel: str) -> int | None:
        """Those who would be sent them on another channel; None where the members' permissions cannot be seen.

        Arms, frequency cap and the other schemes stay what they are. Who was not permitted so far was not held against
        the cap, the last days and the schemes before: here they are, as in audience_decisions. A person is sent one
        treatment, for whichever members they stand. Where touches cannot be seen, nobody is taken to have had any.
        """
        if channel not in self._there:
            return 0
        if channel not in self._channels or not has(self._con, "contact_permissions"):
            return None
        if not has(self._con, "audience_decisions"):
            return 0
        rules, as_of = self._inputs.rules, self._inputs.as_of
        touches = "select customer_id, treatment_id, touched_on from stg_touchpoints where touched_on < $as_of"
        none = "select '' as customer_id, '' as treatment_id, $as_of as touched_on where false"
        return self._number(
            f"""
            with touches as ({touches if self.are_touches_known else none}),
            candidates as (
                select decisions.member_id, decisions.treatment_id, decisions.priority, permissions.person_id
                from audience_decisions as decisions
                inner join contact_permissions as permissions on decisions.member_id = permissions.member_id
                where
                    decisions.treatment_id in (select unnest($ids))
                    and decisions.outcome in (select unnest($outcomes))
                    and permissions.channel = $channel
                    and permissions.is_permitted
            ),
            sent as (
                select person_id, member_id, priority
                from audience_decisions
                where outcome = 'sent' and treatment_id not in (select unnest($ids))
            )
            select count(distinct person_id)
            from candidates
            where
                not exists (
                    from sent
                    where
                        sent.person_id = candidates.person_id
                        and (sent.priority, sent.member_id) < (candidates.priority, candidates.member_id)
                )
                and $cap > (
                    select count(*) from touches
                    where touches.customer_id = candidates.person_id and touches.touched_on >= $cap_from
                )
                and not exists (
                    from touches
                    where
                        touches.customer_id = candidates.person_id
                        and touches.treatment_id = candidates.treatment_id
                        and touches.touched_on >= $repeat_from
                )
            """,
            ids=sorted(ids),
            outcomes=list(BY_CHANNEL),
            channel=channel,
            as_of=as_of,
            cap=rules.contact_cap,
            cap_from=as_of - timedelta(days=rules.contact_cap_days),
            repeat_from=as_of - timedelta(days=rules.repeat_after_days),
        )

    def _number(self, query: str, **values: object) -> int:
        row = first_row(self._con.execute(query, values))
        return int(row[0]) if row else 0


def moved(con: duckdb.DuckDBPyConnection, pairs: Iterable[Pair]) -> list[Moved]:
    """The pairs of segments whose difference is not the published one, by scheme, the least distinct first."""
    before = {
        (scheme, a, b): level
        for scheme, a, b, level in con.execute(
            "select scheme, segment_a, segment_b, difference from treatment_distinctness"
        ).fetchall()
    }
    after = {(pair.scheme, pair.segment_a, pair.segment_b): pair.difference.level for pair in pairs}
    found = [
        Moved(*key, before.get(key), after.get(key)) for key in {*before, *after} if before.get(key) != after.get(key)
    ]
    return sorted(found, key=lambda pair: (pair.scheme, _rank(pair.after), pair.segment_a, pair.segment_b))


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


# ---- in words --------------------------------------------------------------------------------------------------------


def told(version: str, found: Sequence[Effect], pairs: Sequence[Moved], width: int) -> list[str]:
    """Lines: each changed treatment with whom it reaches, what is sent and how it reads; then the pairs that moved."""
    kinds = Counter(effect.kind for effect in found)
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in (ADDED, CHANGED, REMOVED) if kinds[kind])
    if not found and not pairs:
        return [f"against {version}: no treatment differs"]
    head = f"against {version}: " + (f"of the treatments, {counts}" if counts else "no treatment differs")
    lines = [*_wrapped(head, width, ""), ""]
    for effect in found[:TREATMENTS_TOLD]:
        lines += _effect_lines(effect, width)
    if len(found) > TREATMENTS_TOLD:
        lines.append(f"  and {len(found) - TREATMENTS_TOLD} treatments more")
    for scheme, group in groupby(pairs, key=lambda pair: pair.scheme):
        lines += _pair_lines(scheme, list(group), width)
    return lines


def _effect_lines(effect: Effect, width: int) -> list[str]:
    what = f": {', '.join(effect.fields)}" if effect.fields else ""
    is_unseen = bool(effect.fields) and not effect.noticed and "segment" not in effect.fields
    unseen = " (nothing that a customer notices)" if is_unseen else ""
    segments = ", ".join(effect.segments[:_SEGMENTS_TOLD])
    if len(effect.segments) > _SEGMENTS_TOLD:
        segments += f" and {len(effect.segments) - _SEGMENTS_TOLD} more"
    lines = _wrapped(f"{effect.kind:<8} {effect.scheme} / {effect.template_id}{what}{unseen}", width, "  ")

    def say(name: str, text: str) -> None:
        lines.extend(_wrapped(f"{name:<8} {text}", width, "    ", 9))

    reach = effect.after or effect.before
    if reach is None:
        say("reaches", f"nobody yet, as it is not valid on this day ({segments})")
    else:
        members = f"{reach.members:,} {'member' if reach.members == 1 else 'members'} of {segments}"
        say("reaches", members if effect.kind != REMOVED else f"{members}, no more")
        if effect.kind != REMOVED and effect.after is None:
            say("", "not valid on this day any more")
    if is_unseen and effect.before == effect.after:
        return [*lines, ""]
    say("may send", _arrow(_permitted(effect.before), _permitted(effect.after) or "nothing"))
    after = "counted at the next refresh" if effect.sent_after is None else f"{effect.sent_after:,}"
    if effect.is_at_most:
        after = f"at most {after}"
    say("sent", _arrow(f"{effect.sent_before:,}" if effect.before else None, after))
    if effect.kind != REMOVED and (effect.kind == ADDED or effect.noticed):
        for column in NOTICED:
            text = " ".join(effect.example.text(column).split())
            if text and (effect.kind == ADDED or column in effect.noticed) and column != "channel":
                say(column.split("_")[0], textwrap.shorten(text, 240, placeholder=" …"))
    return [*lines, ""]


def _permitted(reach: Reach | None) -> str | None:
    if reach is None:
        return None
    if not reach.channel:
        return "no channel"
    if reach.reachable is None:
        return f"{reach.channel} to a number that the next refresh counts"
    return f"{reach.channel} to {reach.reachable:,}"


def _arrow(before: str | None, after: str) -> str:
    if before == after:
        return after
    return after if before is None else f"{before} -> {after}"


def _pair_lines(scheme: str, pairs: Sequence[Moved], width: int) -> list[str]:
    lines = _wrapped(f"pairs of segments of {scheme} told apart otherwise: {len(pairs):,}", width, "  ")
    if len(pairs) > PAIRS_TOLD:
        steps = Counter((pair.before, pair.after) for pair in pairs)
        for (before, after), number in sorted(steps.items(), key=lambda step: (_rank(step[0][1]), -step[1])):
            lines += _wrapped(f"{number:,} pairs: {_level(before)} -> {_level(after)}", width, "    ")
        pairs = [pair for pair in pairs if pair.after in LEVELS[:2]]
    for pair in pairs[:PAIRS_TOLD]:
        lines += _wrapped(
            f"{pair.segment_a} / {pair.segment_b}: {_level(pair.before)} -> {_level(pair.after)}", width, "    "
        )
    return [*lines, ""]


def _level(level: str | None) -> str:
    return level or "not compared"


def _wrapped(text: str, width: int, indent: str, hang: int = 2) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
