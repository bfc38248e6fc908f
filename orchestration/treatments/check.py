"""The treatment check: what is wrong with the treatments, given segments, members, products and consents.

Belongs here: the rules, their severities, and the words in which a finding is told.
Does not belong here: how two treatments differ (compare.py), and the shape of the file (seeds/treatments.py).

A finding of severity `block` stops a refresh. Where it concerns one scheme, its severity is the scheme's
treatment_check.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from orchestration.seeds.treatments import (
    EVERY_SEGMENT,
    LABEL,
    NOTICED,
    POSITIONING,
    TEXTS,
    UNKNOWN,
    Treatment,
    matches,
    nearest,
    spell_out,
)
from orchestration.seeds.wordings import canonical
from orchestration.treatments.distinctness import Pair, pairs_of, valid_by_segment
from orchestration.treatments.inputs import (
    CheckInput,
    Consents,
    Items,
    Rules,
    Scheme,
    Severity,
    load_candidate,
    records,
    with_places,
    wordings_of,
)

if TYPE_CHECKING:
    import duckdb

SEVERITIES: tuple[Severity, ...] = ("block", "warn", "info")
REQUIRED = (*POSITIONING, "channel", "message")
# What people type to get past a required field; compared in lower case, without spaces and punctuation.
_PLACEHOLDERS = frozenset(["", "tbd", "tba", "todo", "na", "none", "null", "x", "xx", "xxx", "loremipsum"])
# Pairs told one by one; more than these are told as one finding with all their segments.
_PAIRS_TOLD = 10
_SEGMENTS_TOLD = 12
# Valid values told beside one that there is not: all segments of a closed list, not all of 300 categories.
_VALUES_TOLD = 20


@dataclass(frozen=True)
class Finding:
    """One thing to know about the treatments. `scheme` is '' where no single scheme is concerned."""

    severity: Severity
    scheme: str
    segments: tuple[str, ...]
    fields: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return f"{self.severity:<5} {self.message}"


@dataclass(frozen=True)
class CheckReport:
    """The findings, worst first, and what was looked at; `compared` are the `pairs` of segments one by one."""

    findings: list[Finding]
    treatments: int
    pairs: int
    as_of: date
    compared: Sequence[Pair] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing blocks."""
        return not any(finding.severity == "block" for finding in self.findings)

    def summary(self, width: int | None = None) -> str:
        """The findings as lines, after a line that counts them; wrapped where a width is given."""
        counts = Counter(finding.severity for finding in self.findings)
        verdict = "passed" if self.passed else "FAILED"
        head = (
            f"treatment check {verdict} as of {self.as_of}: {self.treatments} treatments, {self.pairs} pairs of "
            f"segments; {counts['block']} blocking, {counts['warn']} warnings, {counts['info']} notes"
        )
        if width is None:
            return "\n".join([head, *map(str, self.findings)])
        lines = textwrap.wrap(head, width, subsequent_indent="  ")
        for finding in self.findings:
            lines += textwrap.wrap(
                str(finding), width, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False
            )
        return "\n".join(lines)


# ---- the check -------------------------------------------------------------------------------------------------------


def check_candidate(
    con: duckdb.DuckDBPyConnection, as_of: date, places: Mapping[str, str] | None = None
) -> CheckReport:
    """The check of what dbt built.

    Args:
        con: a connection in which the tables that dbt built are visible by name.
        as_of: the day on which treatments must be valid.
        places: treatment_id -> file and line where somebody wrote it, as far as that is known.
    """
    inputs = with_places(load_candidate(con, as_of), places or {})
    report = check(inputs)
    drift = list(_published_as_written(con, inputs))
    return CheckReport(worst_first([*drift, *report.findings]), report.treatments, report.pairs, report.as_of)


def check(inputs: CheckInput) -> CheckReport:
    """All rules on all treatments, and the comparison of all pairs of segments of active schemes."""
    findings: list[Finding] = [
        *_repeated_ids(inputs),
        *_unknown_schemes(inputs),
        *_inactive_schemes(inputs),
    ]
    pairs: list[Pair] = []
    wordings = wordings_of(inputs)
    for scheme in sorted(inputs.active_schemes, key=lambda scheme: scheme.name):
        rows = inputs.rows_by_scheme.get(scheme.name, [])
        for rule in _ROW_RULES:
            findings += [finding for row in rows for finding in rule(row, scheme, inputs)]
        valid = valid_by_segment(scheme, rows, inputs.as_of)
        findings += _without_treatment(scheme, rows, valid, inputs.as_of)
        findings += _left_out(scheme, rows)
        findings += _unknown_items(scheme, rows, inputs.items)
        findings += _out_of_reach(scheme, valid, inputs)
        scheme_pairs = pairs_of(scheme.name, valid, wordings)
        # Two segments without any treatment are told once, as such.
        findings += _alike(scheme, [p for p in scheme_pairs if valid[p.segment_a] and valid[p.segment_b]], valid)
        pairs += scheme_pairs
    findings += _no_consents(inputs)
    return CheckReport(worst_first(findings), len(inputs.rows), len(pairs), inputs.as_of, pairs)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """What blocks, then warnings, then notes, each by scheme."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.scheme, f.segments, f.message))


def _named(names: Collection[str], limit: int = _SEGMENTS_TOLD) -> str:
    """The names with commas between; of many, the first and how many more."""
    ordered = sorted(names)
    rest = len(ordered) - limit
    return ", ".join(ordered[:limit]) + (f" and {rest} more" if rest > 0 else "")


def where(row: Treatment) -> str:
    """A treatment by its id, and where it is written."""
    place = row.place or (f"line {row.line}" if row.line else "")
    return f"treatment {row.template_id}" + (f" ({place})" if place else "")


# ---- rules for the file as a whole -----------------------------------------------------------------------------------


def _repeated_ids(inputs: CheckInput) -> Iterator[Finding]:
    spelled = [row for scheme in inputs.active_schemes for row in _spelled(scheme, inputs)]
    waiting = [row for row in inputs.rows if row.scheme not in {scheme.name for scheme in inputs.active_schemes}]
    by_id: dict[str, list[Treatment]] = defaultdict(list)
    for row in [*spelled, *waiting]:
        by_id[row.treatment_id].append(row)
    for treatment_id, rows in by_id.items():
        if len(rows) > 1:
            schemes = sorted({row.scheme for row in rows})
            segments = tuple(sorted({row.segment for row in rows}))
            yield Finding(
                "block",
                schemes[0] if len(schemes) == 1 else "",
                segments,
                ("treatment_id",),
                f"{', '.join(schemes)}: treatment_id {treatment_id} is used by {len(rows)} treatments "
                f"(segments {_named(segments)})",
            )


def _spelled(scheme: Scheme, inputs: CheckInput) -> list[Treatment]:
    rows = inputs.rows_by_scheme.get(scheme.name, [])
    return spell_out(rows, scheme.is_data_driven, scheme.labels, scheme.excluded)


def _unknown_schemes(inputs: CheckInput) -> Iterator[Finding]:
    for name, rows in inputs.rows_by_scheme.items():
        if name not in inputs.schemes:
            segments = tuple(sorted({row.segment for row in rows}))
            yield Finding(
                "block",
                name,
                segments,
                ("scheme",),
                f"{name or '(empty)'}: no such scheme{nearest(name, inputs.schemes)}; named by "
                f"{', '.join(where(row) for row in rows[:5])}, segments {_named(segments)}; the schemes are "
                f"{_named(inputs.schemes, _VALUES_TOLD)}",
            )


def _inactive_schemes(inputs: CheckInput) -> Iterator[Finding]:
    waiting = {
        name: len(rows)
        for name, rows in inputs.rows_by_scheme.items()
        if name in inputs.schemes and not inputs.schemes[name].is_active
    }
    if waiting:
        told = ", ".join(f"{name} ({count})" for name, count in sorted(waiting.items()))
        message = f"treatments of schemes that are not active wait unchecked: {told}"
        yield Finding("info", min(waiting) if len(waiting) == 1 else "", (), (), message)


# ---- rules for one treatment -----------------------------------------------------------------------------------------


def _segment_exists(row: Treatment, scheme: Scheme, inputs: CheckInput) -> Iterator[Finding]:
    if row.segment == UNKNOWN or row.segment in scheme.labels or row.segment in scheme.listed:
        return
    if row.segment == EVERY_SEGMENT and scheme.is_data_driven:
        return
    known = {*scheme.listed, *scheme.labels}
    if scheme.is_data_driven and row.segment == _segment_id(row.segment) != "":
        message = f"{scheme.name}: {where(row)} is idle, as nobody is in segment {row.segment} today"
        yield Finding("info", scheme.name, (row.segment,), ("segment",), message + nearest(row.segment, known))
        return
    hint = " (`*` is for schemes whose segments come from the data)" if row.segment == EVERY_SEGMENT else ""
    yield Finding(
        scheme.treatment_check,
        scheme.name,
        (row.segment,),
        ("segment",),
        f"{scheme.name}: {where(row)} names segment {row.segment or '(empty)'}, which the scheme does not have"
        f"{hint or nearest(row.segment, known)}; it has {_named(known - {UNKNOWN}, _VALUES_TOLD) or 'none yet'}",
    )


def _segment_id(name: str) -> str:
    """A segment id as the contract spells it: lower case, runs of anything but letters and digits as `_`."""
    return re.sub(r"[\W_]+", "_", name.lower())


def _channel_is_known(row: Treatment, scheme: Scheme, inputs: CheckInput) -> Iterator[Finding]:
    if row.channel.strip() and row.channel not in inputs.channels:
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            (row.segment,),
            ("channel",),
            f"{scheme.name}: {where(row)} of segment {row.segment} names channel {row.channel}, which "
            f"seeds/channels.csv does not list{nearest(row.channel, inputs.channels)}; it lists "
            f"{_named(inputs.channels, _VALUES_TOLD)}",
        )


def _dates_are_in_order(row: Treatment, scheme: Scheme, inputs: CheckInput) -> Iterator[Finding]:
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            (row.segment,),
            ("valid_from", "valid_to"),
            f"{scheme.name}: {where(row)} of segment {row.segment} ends ({row.valid_to}) before it begins "
            f"({row.valid_from})",
        )


def _says_something(row: Treatment, scheme: Scheme, inputs: CheckInput) -> Iterator[Finding]:
    empty = tuple(column for column in REQUIRED if canonical(row.text(column)).replace(" ", "") in _PLACEHOLDERS)
    if empty:
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            (row.segment,),
            empty,
            f"{scheme.name}: {where(row)} of segment {row.segment} says nothing in {', '.join(empty)}",
        )


def _placeholders_are_filled(row: Treatment, scheme: Scheme, inputs: CheckInput) -> Iterator[Finding]:
    """A customer would read `{name}` as it stands; only `{label}`, and only in a `*` row, is ever filled in."""
    filled = {LABEL} if row.segment == EVERY_SEGMENT and scheme.is_data_driven else set()
    # A brace without its other half too: `{label` is a slip of the pen.
    left = {column: set(re.findall(r"\{[^{}]*\}|\{[^\s{}]*|[^\s{}]*\}", row.text(column))) - filled for column in TEXTS}
    columns = tuple(column for column in TEXTS if left[column])
    if columns:
        names = sorted(set().union(*left.values()))
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            (row.segment,),
            columns,
            f"{scheme.name}: {where(row)} of segment {row.segment} has {', '.join(names)} in {', '.join(columns)}, "
            "which nothing fills in (only {label}, in a `*` row)",
        )


def _subset_is_of_a_template(row: Treatment, scheme: Scheme, inputs: CheckInput) -> Iterator[Finding]:
    if row.subset and not (row.segment == EVERY_SEGMENT and scheme.is_data_driven):
        yield Finding(
            "warn",
            scheme.name,
            (row.segment,),
            ("segment",),
            f"{scheme.name}: {where(row)} of segment {row.segment} has rows in seeds/template_subsets.csv, which are "
            "for `*` rows alone; take them out, or let the row serve `*`",
        )


_RowRule = Callable[[Treatment, Scheme, CheckInput], Iterator[Finding]]
_ROW_RULES: tuple[_RowRule, ...] = (
    _segment_exists,
    _channel_is_known,
    _dates_are_in_order,
    _says_something,
    _placeholders_are_filled,
    _subset_is_of_a_template,
)


# ---- rules for a scheme ----------------------------------------------------------------------------------------------


def _without_treatment(
    scheme: Scheme, rows: Sequence[Treatment], valid: Mapping[str, Sequence[Treatment]], as_of: date
) -> Iterator[Finding]:
    templates = [row for row in rows if row.segment == EVERY_SEGMENT]
    missing: list[str] = []
    for segment in sorted(valid):
        if valid[segment]:
            continue
        label = scheme.labels.get(segment, segment)
        serving = [row for row in templates if not row.subset or matches(label, row.subset)]
        own = [row for row in rows if row.segment == segment] or (serving if scheme.is_data_driven else [])
        if not own:
            missing.append(segment)
            continue
        dates = "; ".join(
            f"{row.treatment_id}: {row.valid_from or 'open'} to {row.valid_to or 'open'}" for row in own[:3]
        )
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            (segment,),
            ("valid_from", "valid_to"),
            f"{scheme.name}: segment {segment} ({scheme.members[segment]} members) has no treatment valid on {as_of} "
            f"({dates})",
        )
    if missing:
        people = sum(scheme.members[segment] for segment in missing)
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            tuple(missing),
            ("segment",),
            f"{scheme.name}: no treatment for segment {_named(missing)} ({people} members)",
        )


def _left_out(scheme: Scheme, rows: Sequence[Treatment]) -> Iterator[Finding]:
    """Segments that no `*` row serves, being made of excluded items, and that have no row of their own."""
    own = {row.segment for row in rows}
    segments = [segment for segment in scheme.known_segments if segment in scheme.excluded - own]
    if EVERY_SEGMENT in own and segments:
        people = sum(scheme.members[segment] for segment in segments)
        yield Finding(
            "info",
            scheme.name,
            tuple(segments),
            ("segment",),
            f"{scheme.name}: no `*` row serves {_named(segments)} ({people} members), as all their items are excluded "
            "(seeds/offer_exclusions.csv); a row of their own would",
        )


def _unknown_items(scheme: Scheme, rows: Sequence[Treatment], items: Items | None) -> Iterator[Finding]:
    """Offers of an item that nobody sells; of a `*` row, told once for all the segments it serves."""
    if items is None:
        return
    wrong: dict[str, list[Treatment]] = defaultdict(list)
    for row in spell_out(rows, scheme.is_data_driven, scheme.labels, scheme.excluded):
        # A template that serves nobody today still holds its placeholder.
        if row.offer_item.strip() and LABEL not in row.offer_item and row.offer_item not in items.names:
            wrong[row.template_id].append(row)
    for bad in wrong.values():
        segments = tuple(sorted({row.segment for row in bad}))
        hint = nearest(bad[0].offer_item, items.names) if len({row.offer_item for row in bad}) == 1 else ""
        if not hint and items.names:
            hint = f"; there are such as {_named(items.names, 3)}"
        told = _named({row.offer_item for row in bad}, 5)
        # Only what was published is known: an item that never met another in a basket is not there.
        severity: Severity = scheme.treatment_check if items.is_complete else "warn"
        yield Finding(
            severity,
            scheme.name,
            segments,
            ("offer_item",),
            f"{scheme.name}: {where(bad[0])} of segment {_named(segments)} offers {told}, which is no {items.level} "
            f"of the products{'' if items.is_complete else ' published so far'}{hint}",
        )


def _out_of_reach(scheme: Scheme, valid: Mapping[str, Sequence[Treatment]], inputs: CheckInput) -> Iterator[Finding]:
    """Treatments on a channel on which none of the segment's members may be addressed.

    A warning, unless var unreachable_treatments says `block`. Then they block from `min_members` members on: in a small
    segment, one customer's opt-out must not stop a refresh. Where nothing is on record and nothing blocks, one warning
    says so of all (_no_consents).
    """
    consents, rules = inputs.consents, inputs.rules
    if consents is None or _is_told_at_once(consents, rules):
        return
    served: dict[str, dict[str, int]] = defaultdict(dict)
    for segment, treatments in valid.items():
        if segment not in scheme.members:
            continue
        for channel in {row.channel for row in treatments} & inputs.channels:
            if not consents.is_counted(channel):
                continue
            key = (scheme.name, segment, channel.strip().lower())
            served[channel][segment] = consents.reachable.get(key, 0)
    for channel, reachable in sorted(served.items()):
        yield from _reach(scheme, channel, reachable, consents, rules)


def _reach(
    scheme: Scheme, channel: str, reachable: Mapping[str, int], consents: Consents, rules: Rules
) -> Iterator[Finding]:
    """What one channel reaches of the segments that a scheme serves through it; `reachable` is by segment."""
    members = sum(scheme.members[segment] for segment in reachable)
    reached = sum(reachable.values())
    if reached:
        least = min(sorted(reachable), key=lambda segment: reachable[segment] / scheme.members[segment])
        yield Finding(
            "info",
            scheme.name,
            tuple(sorted(reachable)),
            ("channel",),
            f"{scheme.name}: {channel} reaches {reached} of {members} members ({reached / members:.0%}) of "
            f"{_named(reachable)}; least in {least} ({reachable[least]} of {scheme.members[least]})",
        )
    on_record = channel.strip().lower() in consents.channels
    why = "none of them has consented" if on_record else "no consent to it is on record from anyone"
    large: Severity = scheme.treatment_check if rules.unreachable_treatments == "block" else "warn"
    out_of_reach: dict[Severity, list[str]] = defaultdict(list)
    for segment in sorted(reachable):
        if not reachable[segment]:
            out_of_reach[large if scheme.members[segment] >= rules.min_members else "warn"].append(segment)
    for severity, segments in out_of_reach.items():
        people = sum(scheme.members[segment] for segment in segments)
        yield Finding(
            severity,
            scheme.name,
            tuple(segments),
            ("channel",),
            f"{scheme.name}: {channel} cannot reach the {people} members of {_named(segments)}, as {why}; "
            "land consents for it, name it in var assume_consent where the law allows, or give them a channel in "
            "seeds/treatments.csv that reaches them",
        )


def _is_told_at_once(consents: Consents, rules: Rules) -> bool:
    return not consents.channels and rules.unreachable_treatments != "block"


def _no_consents(inputs: CheckInput) -> Iterator[Finding]:
    if inputs.consents is None or not _is_told_at_once(inputs.consents, inputs.rules):
        return
    used = {
        row.channel for scheme in inputs.active_schemes for row in inputs.rows_by_scheme.get(scheme.name, [])
    } & inputs.channels
    channels = {channel for channel in used if channel.strip().lower() not in inputs.rules.assume_consent}
    if channels:
        yield Finding(
            "warn",
            "",
            (),
            ("channel",),
            f"no consents are on record, so nothing would be sent by {_named(channels)}; load consents, or name the "
            "channels in var assume_consent where the law allows it",
        )


def _alike(scheme: Scheme, pairs: Sequence[Pair], valid: Mapping[str, Sequence[Treatment]]) -> Iterator[Finding]:
    """Pairs of segments that a customer could not tell apart by how they are treated, and which rows say so."""
    alike = [pair for pair in pairs if not pair.difference.is_noticed]
    if len(alike) > _PAIRS_TOLD:
        segments = tuple(sorted({segment for pair in alike for segment in (pair.segment_a, pair.segment_b)}))
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            segments,
            NOTICED,
            f"{scheme.name}: {len(alike)} pairs among {len(segments)} segments ({_named(segments)}) are treated alike: "
            f"nothing that a customer would notice differs in {', '.join(NOTICED)}"
            + (f"; put {LABEL} into one of them in the `*` row" if scheme.is_data_driven else ""),
        )
        return
    for pair in alike:
        letters = pair.difference.fields
        seen = f"no customer would notice what differs, {pair.difference.level}, in {', '.join(letters)}"
        but = seen if letters else "nothing differs"
        yield Finding(
            scheme.treatment_check,
            scheme.name,
            (pair.segment_a, pair.segment_b),
            letters or NOTICED,
            f"{scheme.name}: {pair.segment_a} and {pair.segment_b} are treated alike: {but}; "
            f"one of {', '.join(NOTICED)} must really differ. Today they get "
            f"{_named({where(row) for segment in (pair.segment_a, pair.segment_b) for row in valid[segment]})}",
        )


# ---- what dbt built --------------------------------------------------------------------------------------------------


def _published_as_written(con: duckdb.DuckDBPyConnection, inputs: CheckInput) -> Iterator[Finding]:
    """Whether the table `treatments` holds what the rows say: dbt and this check spell `*` rows out independently."""
    columns = ["treatment_id", "scheme", "segment", *NOTICED]
    published = {
        tuple(record[column] or "" for column in columns)
        for record in records(con, f"select {', '.join(columns)} from treatments")
    }
    written = {
        tuple(row.text(column) for column in columns)
        for scheme in inputs.active_schemes
        for row in _spelled(scheme, inputs)
    }
    for scheme, segment in sorted({(row[1], row[2]) for row in published ^ written}):
        yield Finding(
            "block",
            scheme,
            (segment,),
            NOTICED,
            f"{scheme}: the published treatments of segment {segment} are not those of seeds/treatments.csv",
        )
