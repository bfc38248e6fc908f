"""What the report says about each scheme: the verdict, the segments, their treatments, how pairs differ.

Belongs here: published rows in, plain values for the template out (text, charts, lists).
Does not belong here: HTML, and what concerns no scheme (sections.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from orchestration.report import charts, prospects, tangible, words
from orchestration.report.published import Published, Row

# Segments shown of a scheme with more: 15 fill a page and hold most of the spend; more of them nobody compares by eye.
MOST_SEGMENTS = 15
UNKNOWN = "unknown"
VERDICT_ORDER = list(words.VERDICTS)

Context = dict[str, Any]


def grouped(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, in their order."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def read_schemes(db: Published, as_of: date | None) -> list[Context]:
    """Every scheme that the file says anything about, those with a verdict first, in the order of `VERDICTS`."""
    cards = {row["scheme"]: row for row in db.table("scheme_scorecard", "scheme")}
    described = {row["scheme"]: row for row in db.table("segment_schemes", "scheme")}
    segments = grouped(db.table("segments", "scheme", "segment"), "scheme")
    treatments = grouped(db.table("treatments", "scheme", "segment", "treatment_id"), "scheme")
    distinctness = grouped(db.table("treatment_distinctness", "scheme", "segment_a", "segment_b"), "scheme")
    delivery = grouped(db.table("treatment_delivery", "scheme", "segment_a", "segment_b"), "scheme")
    behaviour = grouped(db.table("segment_behaviour", "scheme", "outcome"), "scheme")
    outcomes = grouped(db.table("treatment_outcomes", "scheme", "segment", "treatment_id", "outcome"), "scheme")
    profiles = grouped(tangible.profile_rows(db), "scheme")
    cells = grouped(tangible.occasion_rows(db), "scheme")
    ties = grouped(tangible.tie_rows(db), "scheme")

    def order(scheme: str) -> tuple[int, float, str]:
        card = cards.get(scheme, {})
        verdict = card.get("verdict")
        rank = VERDICT_ORDER.index(verdict) if verdict in VERDICT_ORDER else len(VERDICT_ORDER)
        return rank, -(card.get("behaviour_effect") or 0.0), scheme

    # Those that have nobody to divide are only named (sections.schemes_without_audience).
    empty = {
        scheme
        for scheme, card in cards.items()
        if scheme not in segments and "coverage" in card and card["coverage"] is None and card.get("members") == 0
    }
    # Prospects have a section of their own.
    names = sorted((set(cards) | set(segments)) - {"all", prospects.SCHEME} - empty, key=order)
    taken: set[str] = set()
    schemes = []
    for name in names:
        shown = Segments(segments.get(name, []))
        schemes.append(
            {
                "scheme": name,
                "name": words.scheme_name(name),
                "anchor": words.anchor(f"scheme-{name}", taken),
                "description": words.clean(described.get(name, {}).get("description")),
                "caution": words.clean(described.get(name, {}).get("caution")),
                "basis": words.clean(described.get(name, {}).get("basis")),
                "audience": words.clean(described.get(name, {}).get("audience")),
                "card": scorecard(cards[name]) if name in cards else None,
                # Named in one line: a page about it would be a page of blanks.
                "is_nothing_known": name in cards and cards[name].get("members") == 0,
                "sizes": sizes(shown),
                "profiles": tangible.profiles(profiles.get(name, []), shown),
                "occasions": tangible.occasions(cells.get(name, []), shown),
                "ties": tangible.ties(ties.get(name, []), shown),
                "behaviour": behaviour_table(behaviour.get(name, [])),
                "has_behaviour": db.has("segment_behaviour"),
                "treatments": treatment_cards(treatments.get(name, []), shown, as_of),
                "has_treatments": db.has("treatments"),
                "paper": paper(distinctness.get(name, []), shown),
                "has_paper": db.has("treatment_distinctness"),
                "log": log(delivery.get(name, []), shown),
                "has_log": db.has("treatment_delivery"),
                "outcomes": outcome_table(outcomes.get(name, []), shown),
            }
        )
    return schemes


class Segments:
    """The segments of one scheme, in the order and number in which the report shows them.

    All of them in the order of their definition where a page holds them; else those with the largest spend. `unknown`
    is no segment to treat: it comes last, and only among sizes.
    """

    def __init__(self, rows: list[Row]) -> None:
        self.by_name = {row["segment"]: row for row in rows}
        known = [row for row in rows if row["segment"] != UNKNOWN]
        self.known = len(known)
        by_spend = sorted(known, key=lambda row: (-float(row.get("spend") or 0), row["segment"]))
        self.cut = len(known) > MOST_SEGMENTS
        if self.cut:
            self.shown = by_spend[:MOST_SEGMENTS]
        else:
            ranks = {row["segment"]: rank for rank, row in enumerate(by_spend)}
            self.shown = sorted(known, key=lambda row: (row.get("sort_order") or 0, ranks[row["segment"]]))
        self.left_out = by_spend[MOST_SEGMENTS:]
        self.unknown = self.by_name.get(UNKNOWN)
        self._labels = dict(
            zip(self.by_name, charts.unique([words.clean(r.get("label") or r["segment"]) for r in rows]), strict=True)
        )

    def label(self, segment: Any) -> str:
        """What people call the segment; its id where nothing else is known."""
        return self._labels.get(segment, words.clean(segment))

    @property
    def names(self) -> list[str]:
        return [row["segment"] for row in self.shown]

    def pairs_names(self, rows: list[Row]) -> list[str]:
        """Segments of a table of pairs, in the order shown; those that have no row of their own any more come last."""
        found = {row[side] for row in rows for side in ("segment_a", "segment_b")}
        old = sorted(found - set(self.by_name))
        return [name for name in [*self.names, *old] if name in found][:MOST_SEGMENTS]


def scorecard(row: Row) -> Context:
    """The three questions and the verdict of one scheme."""
    powered = row.get("well_powered_pairs")
    return {
        "verdict": words.clean(row.get("verdict")),
        "mark": words.mark(words.VERDICTS, row.get("verdict")),
        "why": words.clean(row.get("why")),
        "members": words.count(row.get("members")),
        "coverage": words.share(row.get("coverage")),
        "effect": words.share(row.get("behaviour_effect")),
        "outcome": words.outcome_name(row["behaviour_outcome"]) if row.get("behaviour_outcome") else None,
        "q": words.q(row.get("behaviour_q_value")),
        "beyond": words.share(row.get("behaviour_effect_beyond_spend")),
        "assigned": words.share(row.get("assigned_distinct")),
        "delivered": words.share(row.get("delivered_distinct")),
        "powered": words.counted(powered, "pair") if powered is not None else None,
        "pays": words.clean(row.get("pays")),
        "pays_mark": words.mark(words.PAYS, row.get("pays")),
    }


def sizes(segments: Segments) -> Context | None:
    """Table and chart of the segments' shares; what is left out is counted and summed."""
    if not segments.by_name:
        return None
    shown = [*segments.shown, *([segments.unknown] if segments.unknown else [])]
    # Where the data make the segments, one definition serves all: it is said once.
    definitions = {row.get("definition") for row in segments.shown}
    common = definitions.pop() if len(segments.shown) > 1 and len(definitions) == 1 else None
    bars = [
        charts.SizeBar(
            segments.label(row["segment"]), float(row.get("member_share") or 0), float(row.get("spend_share") or 0)
        )
        for row in shown
    ]
    return {
        "known": words.counted(segments.known, "segment"),
        "definition": words.clean(common) if common else None,
        "left_out": len(segments.left_out),
        "left_out_members": words.share(sum(float(row.get("member_share") or 0) for row in segments.left_out)),
        "left_out_spend": words.share(sum(float(row.get("spend_share") or 0) for row in segments.left_out)),
        "chart": charts.size_chart(bars, "Share of customers and share of spend, by segment"),
        "rows": [
            {
                "label": segments.label(row["segment"]),
                "definition": words.clean(row.get("definition") if row.get("definition") != common else None),
                "evidence": words.clean(row.get("evidence")),
                "members": words.count(row.get("members")),
                "member_share": words.share(row.get("member_share")),
                "spend": words.money(row.get("spend")),
                "spend_share": words.share(row.get("spend_share")),
                "position": words.clean(row.get("market_position")),
                "nearest": segments.label(row["nearest_mass_segment"])
                if row.get("nearest_mass_segment")
                else words.NOTHING,
            }
            for row in shown
        ],
    }


def behaviour_table(rows: list[Row]) -> Context | None:
    """Question 1, outcome by outcome, the largest effect first."""
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: (-(row.get("effect") or 0.0), row["outcome"]))
    first = rows[0]
    until = first.get("outcome_until")
    return {
        "start": words.day(first.get("evaluated_as_of")),
        "until": words.day(until) if until else None,
        "rows": [
            {
                "outcome": words.outcome_name(row["outcome"]),
                "n": words.count(row.get("n")),
                "effect": words.share(row.get("effect")),
                "q": words.chance(row.get("q_value")),
                "beyond": words.share(row.get("effect_beyond_spend")),
            }
            for row in ordered
        ],
    }


TREATMENT_PARTS = (
    (
        "Positioning",
        (("value_proposition", "Our value for them"), ("proof", "How we bring it"), ("tone_of_voice", "How we talk")),
    ),
    (
        "How we sell",
        (("channel", "Channel"), ("message", "Message"), ("offer", "Offer"), ("offer_item", "Offer is for")),
    ),
    ("What they then use", (("product_adaptation", "Product"), ("service_level", "Service"))),
)


def is_valid(row: Row, as_of: date | None) -> bool:
    """Whether a treatment is valid on the as-of date; an open end is open."""
    if as_of is None:
        return True
    start, end = row.get("valid_from"), row.get("valid_to")
    return (start is None or start <= as_of) and (end is None or as_of <= end)


def treatment_cards(rows: list[Row], segments: Segments, as_of: date | None) -> Context:
    """One card a treatment, in the order of segments; treatments spelled out from one row are one card, an example."""
    valid = [row for row in rows if is_valid(row, as_of)]
    populated = {name for name, row in segments.by_name.items() if row.get("members") or 0}
    served = [row for row in valid if not row.get("is_idle") and (row["segment"] in populated or not segments.by_name)]
    by_spend = sorted(segments.by_name, key=lambda name: (-float(segments.by_name[name].get("spend") or 0), name))
    spend_rank = {name: rank for rank, name in enumerate(by_spend)}
    rank = {name: place for place, name in enumerate(segments.names)}
    last = len(by_spend)
    families = grouped(
        sorted(
            ({**row, "family": row.get("template_id") or row["treatment_id"]} for row in served),
            key=lambda row: (
                rank.get(row["segment"], last),
                spend_rank.get(row["segment"], last),
                row["segment"],
                row["treatment_id"],
            ),
        ),
        "family",
    )
    cards = [
        {
            "label": segments.label(members[0]["segment"]),
            "others": len({row["segment"] for row in members}) - 1,
            "other_labels": words.listed(segments.label(row["segment"]) for row in members[1:4]),
            "family": words.clean(family),
            "parts": [(heading, treatment_fields(members[0], fields)) for heading, fields in TREATMENT_PARTS],
        }
        for family, members in families.items()
    ]
    treated = {row["segment"] for row in served}
    return {
        "cards": cards[:MOST_SEGMENTS],
        "more": max(0, len(cards) - MOST_SEGMENTS),
        "not_shown": [
            f"{words.counted(number, 'treatment')} {why}"
            for number, why in (
                (len(valid) - len(served), "for segments without members today"),
                (len(rows) - len(valid), "not valid on this day"),
            )
            if number
        ],
        "untreated": [segments.label(name) for name in segments.names if name in populated and name not in treated],
    }


def treatment_fields(row: Row, fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name and text of each field that says something."""
    return [(label, words.clean(row[field])) for field, label in fields if row.get(field) not in (None, "")]


def paper(rows: list[Row], segments: Segments) -> Context | None:
    """Question 2 on paper: how the treatments of each two segments differ."""
    if not rows:
        return None
    counts = {difference: 0 for difference in reversed(words.DIFFERENCES)}
    for row in rows:
        counts[row["difference"]] = counts.get(row["difference"], 0) + 1
    names = segments.pairs_names(rows)
    cells = {frozenset((row["segment_a"], row["segment_b"])): row for row in rows}
    same = [row for row in rows if row["difference"] in ("nothing", "wording only")]
    return {
        "pairs": words.counted(len(rows), "pair"),
        "counts": [
            (
                difference,
                words.mark(words.DIFFERENCES, difference),
                words.count(number),
                words.share(number / len(rows)),
            )
            for difference, number in counts.items()
            if number
        ],
        "same": [f"{segments.label(row['segment_a'])} and {segments.label(row['segment_b'])}" for row in same[:10]],
        "more_same": max(0, len(same) - 10),
        "labels": [segments.label(name) for name in names],
        "is_cut": len({row[side] for row in rows for side in ("segment_a", "segment_b")}) > len(names),
        "matrix": [
            (segments.label(name), [_paper_cell(cells.get(frozenset((name, other)))) for other in names[:place]])
            for place, name in enumerate(names)
        ],
    }


def _paper_cell(row: Row | None) -> Context | None:
    if row is None:
        return None
    return {"mark": words.mark(words.DIFFERENCES, row["difference"]), "difference": words.clean(row["difference"])}


def log(rows: list[Row], segments: Segments) -> Context | None:
    """Question 2 in the log: what segments were sent, and how far each two differ."""
    if not rows:
        return None
    powered = [row for row in rows if is_well_powered(row)]
    counts = {verdict: 0 for verdict in words.DELIVERY if verdict != "unproven"}
    for row in powered:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    nevertheless = sum(row["verdict"] == "treated differently" and not is_well_powered(row) for row in rows)
    names = segments.pairs_names(rows)
    place = {name: number for number, name in enumerate(names)}
    cells = []
    for row in rows:
        a, b = row["segment_a"], row["segment_b"]
        if a not in place or b not in place or row.get("divergence") is None:
            continue
        later, earlier = (a, b) if place[a] > place[b] else (b, a)
        sign = words.mark(words.DELIVERY, row["verdict"]).sign
        if row["verdict"] == "treated differently" and not is_well_powered(row):
            sign = f"({sign})"
        cells.append(charts.PairCell(segments.label(later), segments.label(earlier), float(row["divergence"]), sign))
    contacts: dict[str, Context] = {}
    for row in rows:
        for side in ("a", "b"):
            contacts[row[f"segment_{side}"]] = {
                "label": segments.label(row[f"segment_{side}"]),
                "members": words.count(row.get(f"n_{side}")),
                "rate": words.share(row.get(f"contact_rate_{side}")),
                "touches": words.decimals(row.get(f"touches_per_member_{side}"), 2),
            }
    return {
        "pairs": words.counted(len(rows), "pair"),
        "counts": [
            (verdict, words.mark(words.DELIVERY, verdict), words.count(number), words.share(number / len(powered)))
            for verdict, number in counts.items()
            if powered
        ],
        "powered": words.counted(len(powered), "pair"),
        "too_small": words.counted(len(rows) - len(powered), "pair") if len(rows) > len(powered) else None,
        "nevertheless": words.counted(nevertheless, "of them", "of them") if nevertheless else None,
        "chart": charts.pair_chart(
            cells, [segments.label(name) for name in names], "How far what two segments were sent differs"
        )
        if cells
        else None,
        "is_cut": len(contacts) > len(names),
        "contacts": [contacts[name] for name in names],
        "extremes": _extremes(rows, segments),
    }


def is_well_powered(row: Row) -> bool:
    """Whether a pair counts: a medium difference would have been seen. Older versions say it by the power alone."""
    found = row.get("is_well_powered")
    return bool(found) if found is not None else (row.get("power") or 0.0) >= 0.8


def _extremes(rows: list[Row], segments: Segments) -> list[str]:
    """The pair that differs most of those proven different, and the one that differs least of those proven alike, among
    pairs that count."""
    sentences = []
    rows = [row for row in rows if is_well_powered(row)]
    different = [row for row in rows if row["verdict"] == "treated differently" and row.get("divergence") is not None]
    alike = [row for row in rows if row["verdict"] == "treated alike" and row.get("divergence") is not None]
    for found, words_before, sign in ((different, "The most different", -1), (alike, "The most alike", 1)):
        if not found:
            continue
        row = min(found, key=lambda row: (sign * row["divergence"], row["segment_a"], row["segment_b"]))
        a, b = segments.label(row["segment_a"]), segments.label(row["segment_b"])
        rate_a, rate_b = words.share(row.get("contact_rate_a")), words.share(row.get("contact_rate_b"))
        sentences.append(
            f"{words_before}: {a}, of whom {rate_a} were sent anything, and {b}, of whom {rate_b} were "
            f"(divergence {100 * row['divergence']:.0f} of 100)."
        )
    return sentences


def outcome_table(rows: list[Row], segments: Segments | None) -> list[Context]:
    """Question 3: each test against customers held out at random; the largest groups first."""
    ordered = sorted(
        rows,
        key=lambda row: (row["treatment_id"], -(row.get("n_treated") or 0), row["segment"], row["outcome"]),
    )
    return [
        {
            "treatment": words.clean(row["treatment_id"]),
            "segment": "everyone" if row["segment"] == "all" or segments is None else segments.label(row["segment"]),
            "outcome": words.outcome_name(row["outcome"]),
            "treated": words.count(row.get("n_treated")),
            "holdout": words.count(row.get("n_holdout")),
            "uplift": words.decimals(row.get("uplift")),
            "interval": f"{words.decimals(row.get('ci_low'))} to {words.decimals(row.get('ci_high'))}"
            if row.get("ci_low") is not None
            else words.NOTHING,
            "q": words.chance(row.get("q_value")),
            "net": words.decimals(row.get("net_value")),
            "is_void": row.get("srm_p_value") is not None and row["srm_p_value"] < 0.001,
        }
        for row in ordered[: 2 * MOST_SEGMENTS]
    ]
