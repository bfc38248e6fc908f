"""What every page needs to know of the shop: its tables, dates, currency, labels, and what is too few to tell.

Belongs here: facts that several pages read, and the rule of small cells.
Does not belong here: what one page says (pages/).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from orchestration.accountability.experiments import BY_SEGMENT, UNIFORM, uniform_experiment
from orchestration.audit.told import Told
from orchestration.report import words
from orchestration.report.languages import Foreign, many, name, say
from orchestration.report.published import Published, Row

# Segments shown of a scheme in matrices and charts: 15 fill a page and hold most of the spend.
MOST_SEGMENTS = 15
UNKNOWN = "unknown"
# Where members of migrations and months come from who were not known before: no segment.
NOT_YET_KNOWN = "not_yet_known"
# Where a file is of before the setting.
DEFAULT_LEAST = 5
DEFAULT_WINDOW_DAYS = 365
YEAR = (365, 366)
DEFAULT_MASS, DEFAULT_EDGE = 0.68, 0.95
PROSPECTS = "prospect_persona"


def grouped(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, in their order."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


class Segments:
    """The segments of one scheme, in the order in which the report shows them.

    All of them in the order of their definition where a page holds them; else those with the largest spend. `unknown`
    is no segment to treat: it comes last, and only among sizes.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.by_name = {row["segment"]: row for row in rows}
        # A segment that nobody is in has nothing to say.
        known = [row for row in rows if row["segment"] != UNKNOWN]
        by_spend = sorted(known, key=lambda row: (-float(row.get("spend") or 0), row["segment"]))
        self.by_spend = by_spend
        self.known = len(known)
        self.cut = len(known) > MOST_SEGMENTS
        if self.cut:
            self.shown = by_spend[:MOST_SEGMENTS]
        else:
            ranks = {row["segment"]: rank for rank, row in enumerate(by_spend)}
            self.shown = sorted(known, key=lambda row: (row.get("sort_order") or 0, ranks[row["segment"]]))
        self.left_out = by_spend[MOST_SEGMENTS:]
        self.unknown = self.by_name.get(UNKNOWN)
        labels = [words.item_label(row.get("label") or row["segment"]) for row in rows]
        self._labels = dict(zip(self.by_name, unique([name("segment", label) for label in labels]), strict=True))
        # As they stand in texts that the project wrote into the tables.
        self._labels_of_texts = dict(zip(self.by_name, unique(labels), strict=True))
        # Ids as they stand in the texts of verdicts and advice; plain words would be mistaken for ids.
        self._ids = sorted((name for name in self.by_name if "_" in str(name)), key=len, reverse=True)

    def label(self, segment: Any) -> str:
        """What people call the segment; its id in words where nothing else is known."""
        return self._labels.get(segment) or words.identifier(segment)

    @property
    def names(self) -> list[str]:
        return [row["segment"] for row in self.shown]

    @cached_property
    def _said(self) -> re.Pattern[str] | None:
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self._ids))})(?!\w)") if self._ids else None

    def said(self, text: Any) -> str:
        """A text of the tables with labels in the place of ids, in the language of the tables."""
        told = words.published(text)
        if not self._said:
            return told
        return words.published(self._said.sub(lambda found: self._labels_of_texts[found.group()], told))

    def pairs_names(self, rows: Sequence[Row]) -> list[str]:
        """Segments of a table of pairs, in the order shown; those that have no row of their own any more come last."""
        found = {row[side] for row in rows for side in ("segment_a", "segment_b")}
        old = sorted(found - set(self.by_name))
        return [name for name in [*self.names, *old] if name in found][:MOST_SEGMENTS]


def unique(labels: Sequence[str]) -> list[str]:
    """The labels, with a number behind those that came before: equal labels would be one."""
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        numbered = label if seen[label] == 1 else f"{label} ({seen[label]})"
        result.append(Foreign(numbered, label.lang) if isinstance(label, Foreign) else numbered)
    return result


class Scheme:
    """One scheme: its scorecard, description, segments, and how its segments behaved, outcome by outcome."""

    def __init__(
        self, name: str, card: Row, described: Row, segments: Sequence[Row], behaviour: Sequence[Row] = ()
    ) -> None:
        self.name = name
        self.title = words.scheme_name(name)
        self.card = card
        self.described = described
        self.segments = Segments(segments)
        self.behaviour = behaviour
        self.anchor = ""

    @property
    def is_nothing_known(self) -> bool:
        """Nobody has a segment of it."""
        if self.card:
            return self.card.get("members") == 0
        return not self.segments.by_name

    @property
    def is_of_contacts(self) -> bool:
        """Whether it divides the contact persons of companies, who buy nothing for themselves."""
        return self.described.get("audience") == "company_contact"

    @property
    def verdict(self) -> str:
        return words.clean(self.card.get("verdict"))

    @property
    def order(self) -> tuple[int, float, str]:
        verdicts = list(words.VERDICTS)
        rank = verdicts.index(self.verdict) if self.verdict in verdicts else len(verdicts)
        return rank, -(self.card.get("behaviour_effect") or 0.0), self.name


class Shop:
    """Everything that several pages read.

    Args:
        db: the published or candidate file.
        audit: what the checks of the refresh said; None where nobody asked.
        before: the file that was published before this one; None where there is none.
    """

    def __init__(self, db: Published, audit: Told | None = None, before: Published | None = None) -> None:
        self.db = db
        self.audit = audit
        self.before = before

    @cached_property
    def refresh(self) -> Row:
        """The refresh that made the file: the last one by id, which sorts by time. Empty where none is noted."""
        rows = self.db.table("refreshes", "refresh_id")
        return rows[-1] if rows else {}

    @cached_property
    def settings(self) -> Row:
        rows = self.db.table("refresh_settings", "as_of")
        return rows[-1] if rows else {}

    @cached_property
    def as_of(self) -> date | None:
        """The day the file describes."""
        found: date | None = self.refresh.get("as_of") or self.settings.get("as_of")
        if found is None and self.db.has("customer_segments", "as_of"):
            found = self.db.rows("select max(as_of) as as_of from customer_segments")[0]["as_of"]
        return found

    @property
    def data_label(self) -> str:
        """What the data are called where they are made up as a whole, to stand on every page; else empty."""
        label = self.settings.get("data_label")
        return name("data", words.clean(label)) if label else ""

    @property
    def currency(self) -> str | None:
        return self.settings.get("reporting_currency") or None

    @property
    def window_days(self) -> int:
        """Days before the as-of date whose purchases are counted (var behaviour_window_days)."""
        return int(self.settings.get("rfm_window_days") or DEFAULT_WINDOW_DAYS)

    @property
    def in_window(self) -> str:
        """When what is counted was bought, as a sentence says it."""
        if self.window_days in YEAR:
            return say("in the last year")
        return many("in the last {n} day", "in the last {n} days", self.window_days)

    @property
    def a_window(self) -> str:
        """In how long it is bought or earned, as it stands behind an amount; in a young shop the days there are."""
        days = self.window_days
        if self.as_of and self.first_order_on:
            days = min(days, (self.as_of - self.first_order_on).days)
        return say("a year") if days in YEAR else many("in {n} day", "in {n} days", days)

    @cached_property
    def first_order_on(self) -> date | None:
        """The day of the first order of a member; None where the file does not say."""
        if not self.db.has("customer_profiles", "first_order_on"):
            return None
        found: date | None = self.db.rows("select min(first_order_on) as day from customer_profiles")[0]["day"]
        return found

    @property
    def positions(self) -> dict[str, str]:
        """What each market position means, by the shares of spend that hold in this file."""
        shares = {
            "mass": words.percent(self.settings.get("mass_spend_share") or DEFAULT_MASS),
            "edge": words.percent(self.settings.get("edge_spend_share") or DEFAULT_EDGE),
        }
        return {position: say(meaning, **shares) for position, meaning in words.POSITIONS.items()}

    @property
    def least(self) -> int:
        """Members below which a cell is merged or withheld."""
        return int(self.settings.get("min_cell_members") or DEFAULT_LEAST)

    @cached_property
    def schemes(self) -> list[Scheme]:
        """Every scheme that somebody is in, those with a verdict first, in the order of `VERDICTS`."""
        return [scheme for scheme in self._all if not scheme.is_nothing_known]

    @cached_property
    def nothing_known(self) -> list[Scheme]:
        """Schemes of an audience that has members, of whom none has a segment."""
        return [scheme for scheme in self._all if scheme.is_nothing_known and not _is_without_audience(scheme)]

    @cached_property
    def without_audience(self) -> list[Scheme]:
        """Schemes that have nobody to divide: those of companies, where there are none."""
        return [scheme for scheme in self._all if scheme.is_nothing_known and _is_without_audience(scheme)]

    @cached_property
    def _all(self) -> list[Scheme]:
        cards = {row["scheme"]: row for row in self.db.table("scheme_scorecard", "scheme")}
        described = {row["scheme"]: row for row in self.db.table("segment_schemes", "scheme")}
        segments = grouped(self.db.table("segments", "scheme", "segment"), "scheme")
        # Prospects are no members: they have a page of their own.
        names = (set(cards) | set(segments)) - {"all", PROSPECTS}
        behaviour = grouped(self.db.table("segment_behaviour", "scheme", "outcome"), "scheme")
        found = [
            Scheme(n, cards.get(n, {}), described.get(n, {}), segments.get(n, []), behaviour.get(n, [])) for n in names
        ]
        found.sort(key=lambda scheme: scheme.order)
        taken: set[str] = set()
        for scheme in found:
            scheme.anchor = words.anchor(f"scheme-{scheme.name}", taken)
        return found

    def scheme(self, name: Any) -> Scheme:
        """The scheme of that name; one without anything known of it where there is none."""
        return self._by_name.get(name) or Scheme(str(name), {}, {}, [])

    @cached_property
    def _by_name(self) -> dict[str, Scheme]:
        return {scheme.name: scheme for scheme in self._all}

    # Money, labels, small numbers

    def money(self, value: Any) -> str:
        """An amount with its currency, for sentences and large type."""
        return words.money(value, self.currency)

    def in_currency(self, heading: str) -> str:
        """A heading of a column of amounts."""
        return f"{heading} ({words.clean(self.currency)})" if self.currency else heading

    @cached_property
    def offer_level(self) -> str:
        """The level of the catalogue that offers are made on."""
        rows = self.db.table("offer_level", "item_level")
        return str(rows[0]["item_level"]) if rows else "category"

    @cached_property
    def _item_labels(self) -> Mapping[tuple[str, str], str]:
        if not self.db.has("item_names", "item_level", "item", "label"):
            return {}
        rows = self.db.table("item_names", "item_level", "item")
        return {(row["item_level"], row["item"]): row["label"] for row in rows if row["label"]}

    def item(self, level: Any, item: Any) -> str:
        """What people call an item of the catalogue: the label given to it, else its name as a title."""
        return Foreign(words.clean(self._item_labels.get((level, item)) or words.item_label(item)))

    @cached_property
    def _treatment_labels(self) -> dict[str, str]:
        rows = self.db.table("treatments", "treatment_id")
        found = {}
        for row in rows:
            segment = self.scheme(row["scheme"]).segments.label(row["segment"])
            found[row["treatment_id"]] = (
                say(
                    "The treatment of {segment}, by {channel}",
                    segment=segment,
                    channel=words.value("channel", row["channel"]),
                )
                if row.get("channel")
                else say("The treatment of {segment}", segment=segment)
            )
        return found

    def treatment(self, treatment: Any) -> str:
        """What a treatment is in words: whom it was written for, and its channel. Experiments bring their own ids."""
        if treatment in (None, "none"):
            return say("Nothing sent")
        return self._treatment_labels.get(treatment) or words.identifier(treatment)

    def arm(self, experiment: Any, treatment: Any) -> str:
        """What an arm of an experiment is sent, in words: those of a scheme's uniform experiment are no treatments."""
        beginning = uniform_experiment("")
        if treatment in (BY_SEGMENT, UNIFORM) and str(experiment).startswith(beginning):
            title = self.scheme(str(experiment).removeprefix(beginning)).title
            if treatment == BY_SEGMENT:
                return say("{scheme}: each segment its own treatment", scheme=title)
            return say("{scheme}: one treatment for all", scheme=title)
        return self.treatment(treatment)

    def is_few(self, members: Any) -> bool:
        """Whether a cell is too small to tell."""
        return members is not None and 0 < float(members) < self.least

    def members(self, number: Any) -> str:
        """How many; too few to tell is said so."""
        return say("fewer than {n}", n=words.count(self.least)) if self.is_few(number) else words.count(number)

    def withheld(self, parts: Sequence[float], kept: Collection[int] = ()) -> set[int]:
        """Places of the parts of a known whole that are not told: those too small, and the smallest others, until what
        is withheld is together large enough, so that no single one of the small can be had. Where all others are at
        `kept`, it stays too small, and the whole may not be told."""
        places = {place for place, part in enumerate(parts) if self.is_few(part)}
        spare = sorted(
            (place for place, part in enumerate(parts) if part and place not in {*places, *kept}),
            key=parts.__getitem__,
        )
        while spare and self.is_few(sum(parts[place] for place in places)):
            places.add(spare.pop(0))
        return places

    def merged(self, rows: Sequence[Row], count: Callable[[Row], float]) -> tuple[list[Row], list[Row]]:
        """Rows that may be told, and those that are told as one.

        A single row too small to tell could be had by subtraction, so the smallest others join until what is merged is
        large enough. Rows of nobody are told: there is nobody to recognise.
        """
        told = [row for row in rows if not self.is_few(count(row))]
        small = [row for row in rows if self.is_few(count(row))]
        if not small:
            return told, []
        spare = sorted((row for row in told if count(row)), key=count)
        while sum(map(count, small)) < self.least and spare:
            small.append(spare.pop(0))
        kept = {id(row) for row in small}
        return [row for row in rows if id(row) not in kept], small


def _is_without_audience(scheme: Scheme) -> bool:
    return not scheme.segments.by_name and "coverage" in scheme.card and scheme.card["coverage"] is None
