"""A generated landing zone with every kind of dirt, and what must become of each row, known when the row is planted.

Belongs here: rows with their fate, the many spellings of one value, files of every shape, the account by counting.
Does not belong here: anything that reads what the project makes of it, or the project's own contract or SQL: columns,
keys and closed lists are written down again below, so that a mistake there cannot excuse itself.

A row is planted once, with what it means (Python values), what is wrong with it, and who it shares its key or its
content with. `layout` then deals the rows out to files, by chance, and picks a spelling of each value that the file's
format allows. The account and the quarantine follow from the planted fates and from where the rows came to lie.
"""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

STAGED, QUARANTINED, SUPERSEDED, DUPLICATE = "staged", "quarantined", "superseded", "duplicate"
LAST_DAY = date(2026, 4, 20)
DAYS = 75
SECRETS = ("Ada Planted-Name", "ada@planted-mail.example", "+49-555-planted", "Bo Planted", "bo@planted-mail.example")

# Columns by table, name and kind: t text, n number, i whole number, d date, s timestamp, f flag, k closed list,
# p personal.
_PROFILE = "age_band:t gender:t country:t region:t settlement:t household_size:t household_composition:t children:t"
_PROFILE += " marital_status:t employment:t income_band:t annual_income:n home_ownership:t"
_PERSONAL = "full_name:p email:p phone:p"
_SHAPES = {
    "customers": f"customer_id:t kind:k registered_on:d birth_date:d {_PROFILE} updated_at:s {_PERSONAL}",
    "companies": "company_id:t company_name:t industry:t employees:i annual_revenue:n process_maturity:i"
    " benefit_sought:t country:t region:t settlement:t updated_at:s",
    "company_contacts": f"person_id:t company_id:t job_title:t department:t updated_at:s {_PERSONAL}",
    "products": "product_id:t product_name:t department:t category:t subcategory:t brand:t brand_tier:t list_price:n"
    " unit_margin:n updated_at:s",
    "order_lines": "order_id:t customer_id:t product_id:t ordered_at:s quantity:n amount:n line_number:i"
    " discount_amount:n coupon_amount:n channel:t store_id:t currency:t",
    "touchpoints": "touchpoint_id:t customer_id:t touched_at:s channel:t treatment_id:t message_id:t campaign_id:t"
    " campaign_type:t cost:n",
    "responses": "response_id:t customer_id:t responded_at:s kind:k touchpoint_id:t campaign_id:t amount:n",
    "consents": "customer_id:t channel:t opted_in:f recorded_at:s",
    "assignments": "customer_id:t treatment_id:t arm:k assigned_on:d share_treated:n",
    "prospects": f"prospect_id:t kind:t source:t birth_date:d {_PROFILE} company_name:t industry:t employees:i"
    f" annual_revenue:n process_maturity:i benefit_sought:t updated_at:s {_PERSONAL}",
}
COLUMNS = {table: dict(part.split(":") for part in shape.split()) for table, shape in _SHAPES.items()}
REQUIRED = {
    "customers": ["customer_id"],
    "companies": ["company_id"],
    "company_contacts": ["person_id", "company_id"],
    "products": ["product_id"],
    "order_lines": ["order_id", "product_id", "ordered_at", "quantity", "amount"],
    "touchpoints": ["touchpoint_id", "customer_id", "touched_at", "channel"],
    "responses": ["response_id", "customer_id", "responded_at", "kind"],
    "consents": ["customer_id", "channel", "opted_in", "recorded_at"],
    "assignments": ["customer_id", "treatment_id", "arm", "assigned_on"],
    "prospects": ["prospect_id"],
}
# Columns that a file must have although a row may be without a value.
NEEDED = {"order_lines": ["customer_id"]}
KEYS = {
    "order_lines": ["order_id", "line_number"],
    "consents": ["customer_id", "channel", "recorded_at"],
    "assignments": ["customer_id", "treatment_id", "assigned_on"],
}
LISTS = {
    ("customers", "kind"): ["person", "company"],
    ("responses", "kind"): ["open", "click", "redeem", "purchase", "unsubscribe"],
    ("assignments", "arm"): ["treated", "holdout"],
}
# Of rows that share a key one is taken.
MASTERS = ("customers", "companies", "company_contacts", "products", "prospects")
# The column in which rows that share a key differ.
DIFFERS = {
    "customers": "registered_on",
    "companies": "company_name",
    "company_contacts": "job_title",
    "products": "product_name",
    "order_lines": "amount",
    "touchpoints": "message_id",
    "responses": "campaign_id",
    "consents": "opted_in",
    "assignments": "arm",
    "prospects": "source",
}
# Texts that are no value of their kind. Each is planted once in every column of that kind.
UNTYPABLE = {
    "n": ["abc", "1,5", "1_000", "inf", "1e20", "--1"],
    "i": ["x", "3.5", "1e3"],
    "d": ["31.12.1990", "2026-02-30", "tomorrow"],
    "s": ["yesterday", "2026-01-05T24:00:00", "05.01.2026", "2026-02-30 10:00"],
    "f": ["maybe", "2"],
    "k": ["robot"],
}
REASON = {
    "n": "not a number",
    "i": "not a whole number",
    "d": "not a date",
    "s": "not a timestamp",
    "f": "not yes or no",
}
BLANKS = ["", " ", "\u00a0", "\t"]
# Words that break readers: quotes, commas, line ends, other scripts, a formula.
WORDS = [
    "Käse",
    "日本",
    'the "best"',
    "a, b",
    "line\nbreak",
    "\U0001f600",
    "=1+1",
    "Null Island",
    "O'Neill",
    " padded ",
    "Ωμέγα",
]


def key_of(table: str) -> list[str]:
    """The columns that identify a row: the first one, where nothing else is said."""
    return KEYS.get(table) or [next(iter(COLUMNS[table]))]


def refuses(table: str, column: str) -> bool:
    """Whether a value of the column that cannot be read refuses its row."""
    return column in REQUIRED[table] or COLUMNS[table][column] == "k"


@dataclass(eq=False)
class Row:
    """A planted row. `content`: equal for rows that are copies of each other. `reasons`: why it is refused, if it is.

    values: what the columns mean; None is blank. bad: texts instead of values. torn: raw fields instead of all of it.
    scans: how often it is written in its file; order lines without a number may be more than once, as many lines.
    """

    table: str
    content: int
    values: dict[str, Any]
    reasons: frozenset[str] = frozenset()
    bad: dict[str, str] = field(default_factory=dict)
    torn: tuple[str, ...] = ()
    scans: int = 1

    @property
    def fate(self) -> str:
        """What becomes of the first of its copies."""
        return QUARANTINED if self.reasons else STAGED


# ---- planting -------------------------------------------------------------------------------------------------------


@dataclass
class Planter:
    """Makes rows; `good` rows for each bad one, so that the share of dirt stays under its limit."""

    chance: random.Random
    good: int
    rows: list[Row] = field(default_factory=list)
    made: int = 0

    def plant(self, table: str) -> None:
        """Every kind of dirt once in the table, and the good rows."""
        columns, before = COLUMNS[table], len(self.rows)
        for column, kind in columns.items():
            for text in UNTYPABLE.get(kind, []):
                # An optional value that cannot be read is as good as none; a closed list takes no other value.
                reasons = {f"{column}: {_reason(table, column)}"} if refuses(table, column) else set()
                self._add(table, {column: None}, {column: text}, reasons)
        for column in REQUIRED[table]:
            for _ in BLANKS:
                self._add(table, {column: None}, reasons={f"{column}: missing"})
        self._plant_rivals(table)
        for fields in ([self._id(), "x"], [self._id(), *["x"] * (len(columns) + 3)]):
            self._torn(table, fields)
            if table in ("customers", "order_lines"):
                self._torn(table, [*fields, SECRETS[1]], copies=2)
        dirt = len(self.rows) - before
        for _ in range(dirt * self.good):
            row = self._add(table)
            if table == "order_lines" and row.values["line_number"] is None:
                row.scans = self.chance.choice([1] * 8 + [2, 3])
            # Sent twice, or three times.
            for _ in range(self.chance.choice([0] * 12 + [1, 2])):
                self.rows.append(Row(table, row.content, row.values, scans=row.scans))

    def _plant_rivals(self, table: str) -> None:
        """Rows that share a key and differ: two good ones, a good and a bad one, three with a copy; for personal tables
        two that differ in personal data alone (and in when they were changed, for their digests have no order)."""
        of_master = table in MASTERS
        shared = set() if of_master else {f"{', '.join(key_of(table))}: shared with a row of different content"}
        column = DIFFERS[table]
        # Without a line number there would be no key to share. Most masters do not say when a row was changed.
        whole: dict[str, Any] = {"line_number": 1} if table == "order_lines" else {}
        if of_master:
            whole = {"updated_at": None}
        first = self._add(table, whole, reasons=shared)
        self._add(table, {**first.values, column: self._other(table, column, first)}, reasons=shared)
        rivals = [self._add(table, whole, reasons=shared)]
        # Of a flag or a list of two there is no third value.
        for _ in range(1 if COLUMNS[table][column] in "fk" else 2):
            values = {**rivals[0].values, column: self._other(table, column, *rivals)}
            rivals.append(self._add(table, values, reasons=shared))
        self.rows.append(Row(table, rivals[1].content, rivals[1].values, rivals[1].reasons))
        if of_master:
            dated = [self._add(table, {"updated_at": self._value(table, "updated_at")})]
            for moment in (None, datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)):
                changed = {"updated_at": moment, column: self._other(table, column, *dated)}
                dated.append(self._add(table, {**dated[0].values, **changed}))
        typed = [c for c, kind in COLUMNS[table].items() if kind in UNTYPABLE and c not in key_of(table)]
        if typed:
            good, bad = self._add(table, whole, reasons=shared), UNTYPABLE[COLUMNS[table][typed[-1]]][0]
            own = {f"{typed[-1]}: {_reason(table, typed[-1])}"} if refuses(table, typed[-1]) else set()
            self._add(table, {**good.values, typed[-1]: None}, {typed[-1]: bad}, {*shared, *own})
        if table == "customers":
            good = self._add(table, {**whole, "kind": "company"})
            self._add(table, {**good.values, "kind": None}, {"kind": "robot"}, {f"kind: {_reason(table, 'kind')}"})
        if "email" in COLUMNS[table]:
            older, newer = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
            named = self._add(table, {"email": SECRETS[1], "updated_at": older}, reasons=shared)
            self._add(table, {**named.values, "email": SECRETS[4], "updated_at": newer}, reasons=shared)

    def _other(self, table: str, column: str, *than: Row) -> Any:
        """A value of the column that none of the rows has."""
        while True:
            value = self._value(table, column)
            if value is not None and all(row.values[column] != value for row in than):
                return value

    def _torn(self, table: str, fields: list[str], copies: int = 1) -> None:
        self.made += 1
        # The header differs from file to file: the reason's second number is filled in when the file is known.
        reason = frozenset({f"torn: {len(fields)} fields"})
        for _ in range(copies):
            self.rows.append(Row(table, self.made, {}, reason, torn=tuple(fields)))

    def _add(
        self,
        table: str,
        values: dict[str, Any] | None = None,
        bad: dict[str, str] | None = None,
        reasons: set[str] | frozenset[str] = frozenset(),
    ) -> Row:
        self.made += 1
        filled = {column: self._value(table, column) for column in COLUMNS[table]}
        row = Row(table, self.made, {**filled, **(values or {})}, frozenset(reasons), bad or {})
        self.rows.append(row)
        return row

    def _id(self) -> str:
        return str(100_000 + self.made)

    def _value(self, table: str, column: str) -> Any:
        """A good value by chance. What is no key and not required is often blank."""
        chance, kind = self.chance, COLUMNS[table][column]
        if column == key_of(table)[0] and table != "order_lines":
            # Customers are planted first, so that the lowest ids are theirs.
            return str(100_000 + self.made % 300) if table == "consents" else self._id()
        if column not in REQUIRED[table] and chance.random() < 0.3:
            return None
        fixed = {
            "order_id": f"o{self.made}",
            "customer_id": str(100_000 + chance.randrange(300)),
            "company_id": f"k{chance.randrange(40)}",
            "product_id": str(100_000 + chance.randrange(200)),
            "category": chance.choice(["pasta", "coffee", "Käse", "fruit", "paper", "tools"]),
            "department": chance.choice(["grocery", "produce", "household"]),
            "channel": chance.choice(["mail", "email", "app", "phone", "store", "web", "sms", "visit"]),
            "gender": chance.choice(["f", "Frau", "male", "M", "diverse", "?"]),
            "age_band": chance.choice(["25-34", "65+", "35-44"]),
            "settlement": chance.choice(["urban", "rural", "suburban"]),
            "children": chance.choice(["0", "1", "3+"]),
            "household_size": chance.choice(["1", "2", "5+"]),
            # Several would be converted, and here are no rates.
            "currency": "EUR",
            "treatment_id": "t1",
            "process_maturity": chance.randint(1, 5),
            "share_treated": Decimal(chance.randrange(1, 10_000)) / 10_000,
            "assigned_on": chance.choice([date(2026, 3, 2), date(2026, 4, 6)]),
            "quantity": Decimal(chance.choice([1, 1, 1, 2, 3, -1, 0])),
        }
        if column in fixed:
            return fixed[column]
        if kind == "n":
            return Decimal(chance.randrange(-200 if column == "amount" else 0, 9_000)) / chance.choice([1, 10, 100])
        if kind == "i":
            return chance.randrange(1, 500)
        if kind == "d":
            return date(1950, 1, 1) + timedelta(days=chance.randrange(20_000))
        if kind == "s":
            day = LAST_DAY - timedelta(days=chance.randrange(DAYS))
            return datetime(day.year, day.month, day.day, chance.randrange(24), chance.randrange(60), tzinfo=UTC)
        if kind == "f":
            return chance.random() < 0.8
        if kind == "k":
            return chance.choice(LISTS[table, column])
        if kind == "p":
            return chance.choice(SECRETS)
        return chance.choice(WORDS)


def _reason(table: str, column: str) -> str:
    kind = COLUMNS[table][column]
    if kind == "k":
        return f"not one of {', '.join(LISTS[table, column])}"
    setting = {"n": "numbers", "i": "numbers", "d": "dates", "s": "dates"}.get(kind)
    hint = f" (written otherwise? set landing_formats.{table}.{setting})" if setting else ""
    return REASON[kind] + hint


def planted(seed: int = 1, good: int = 2, tables: tuple[str, ...] = tuple(COLUMNS)) -> list[Row]:
    """The rows of a zone: every kind of dirt in each of `tables`, `good` good rows for each planted one."""
    planter = Planter(random.Random(seed), good)
    for table in tables:
        planter.plant(table)
    return planter.rows


# ---- spelling -------------------------------------------------------------------------------------------------------


def spelled(table: str, column: str, value: Any, chance: random.Random) -> str:
    """One of the ways in which exports write the value."""
    kind = COLUMNS[table][column]
    if value is None:
        return chance.choice(BLANKS)
    if kind == "n":
        plain = f"{value:f}"
        more = [f"{plain}0" if "." in plain else f"{plain}.00", f" {plain} ", f"{value * 10:f}e-1"]
        return chance.choice([plain, *more])
    if kind == "i":
        return chance.choice([str(value), f"{value}.0", f" {value}"])
    if kind == "d":
        return chance.choice([value.isoformat(), f"{value} 00:00:00", f"{value}T00:00:00"])
    if kind == "s":
        naive, offset = value.replace(tzinfo=None), timezone(timedelta(hours=chance.choice([-3, 2, 5])))
        return chance.choice(
            [
                f"{naive:%Y-%m-%d %H:%M:%S}",
                f"{naive:%Y-%m-%dT%H:%M}",
                f"{naive:%Y-%m-%dT%H:%M:%S.000}Z",
                value.astimezone(offset).isoformat(),
                f"{naive:%Y-%m-%d %H:%M:%S} UTC",
            ]
        )
    if kind == "f":
        return chance.choice(["true", "Yes", "y", "1", "T"] if value else ["false", "No", "n", "0", "F"])
    if kind == "k":
        return chance.choice([str(value), str(value).upper(), f" {str(value).title()} "])
    return str(value)


# ---- files ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """A file that each table gets. `narrow`: with required columns alone; `turned`: columns backwards; `extra`: with a
    column that no contract knows."""

    name: str
    form: str
    narrow: bool = False
    bom: bool = False
    newline: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL
    turned: bool = False
    extra: bool = False


SHAPES = (
    Shape("plain.csv", "csv"),
    Shape("früher [1].csv", "csv", bom=True, newline="\r\n", quoting=csv.QUOTE_ALL),
    Shape("loaded_on=2026-04-21/part-0.csv", "csv", turned=True, extra=True),
    Shape("loaded_on=2026-04-21/part-0.parquet", "text parquet", extra=True),
    Shape("loaded_on=2026-04-22/deeper/typed.PARQUET", "naive parquet"),
    Shape("loaded_on=2026-04-22/zoned.parquet", "zoned parquet", turned=True),
    Shape("narrow.CSV", "csv", narrow=True, newline="\r\n"),
)


def header_of(table: str, shape: Shape) -> list[str]:
    """The file's columns of the contract, in its order."""
    needed = [*REQUIRED[table], *NEEDED.get(table, ())]
    columns = [*needed, *(c for c in key_of(table) if c not in needed)] if shape.narrow else None
    names = columns or list(COLUMNS[table])
    return names[::-1] if shape.turned else names


def fits(row: Row, shape: Shape) -> bool:
    """Whether the file can hold the row as it is."""
    if row.torn:
        return shape.form == "csv" and len(row.torn) != len(header_of(row.table, shape)) + int(shape.extra)
    if row.bad and shape.form in ("naive parquet", "zoned parquet"):
        return False
    if shape.narrow:
        kept = header_of(row.table, shape)
        return all(value is None for c, value in row.values.items() if c not in kept) and set(row.bad) <= set(kept)
    return True


Place = tuple[str, str, int]


def layout(rows: list[Row], folder: Path, seed: int = 1) -> dict[Place, Row]:
    """Write the rows to files under `folder`, dealt out and ordered by chance.

    Returns:
        The row at each (table, file relative to the landing zone, row number from 1).
    """
    chance = random.Random(seed)
    dealt: dict[tuple[str, Shape], list[Row]] = {}
    sent: dict[int, list[Shape]] = {}
    for row in chance.sample(rows, len(rows)):
        # A file that is sent again is another file: in one, equal lines without numbers are two lines.
        shape = chance.choice([s for s in SHAPES if fits(row, s) and s not in sent.get(row.content, [])])
        if row.table == "order_lines" and not row.torn and row.values["line_number"] is None:
            sent.setdefault(row.content, []).append(shape)
        dealt.setdefault((row.table, shape), []).extend([row] * row.scans)
    places = {}
    for (table, shape), held in dealt.items():
        chance.shuffle(held)
        path = folder / table / shape.name
        path.parent.mkdir(parents=True, exist_ok=True)
        (_write_csv if shape.form == "csv" else _write_parquet)(path, table, shape, held, chance)
        for number, row in enumerate(held, start=1):
            places[table, f"{table}/{shape.name}", number] = row
    return places


def _text(row: Row, column: str, chance: random.Random) -> str:
    return row.bad[column] if column in row.bad else spelled(row.table, column, row.values[column], chance)


def _write_csv(path: Path, table: str, shape: Shape, rows: list[Row], chance: random.Random) -> None:
    names = header_of(table, shape)
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=shape.quoting, lineterminator=shape.newline)
    extra = ["shoe size"] if shape.extra else []
    # Case and blanks in a header do not count.
    writer.writerow([f" {name.upper()} " if shape.turned else name for name in names] + extra)
    for row in rows:
        cells = list(row.torn) if row.torn else [_text(row, name, chance) for name in names] + ["41"] * len(extra)
        writer.writerow(cells)
        if chance.random() < 0.02:
            out.write(shape.newline)
    path.write_bytes((b"\xef\xbb\xbf" if shape.bom else b"") + out.getvalue().encode())


def _write_parquet(path: Path, table: str, shape: Shape, rows: list[Row], chance: random.Random) -> None:
    columns: dict[str, pa.Array] = {}
    for name in header_of(table, shape):
        kind, values = COLUMNS[table][name], [row.values.get(name) for row in rows]
        if shape.form == "text parquet":
            texts = [_text(row, name, chance) for row in rows]
            columns[name] = pa.array([text if text or chance.random() < 0.5 else None for text in texts], pa.string())
        elif kind == "n":
            # Doubles, as pandas writes them; nothing is lost, for the shortest text of the double is the decimal.
            columns[name] = pa.array([None if v is None else float(v) for v in values], pa.float64())
        elif kind == "i":
            columns[name] = pa.array(values, pa.int64())
        elif kind == "d":
            columns[name] = pa.array(values, pa.date32())
        elif kind == "s":
            zoned = shape.form == "zoned parquet"
            moments = values if zoned else [v and v.replace(tzinfo=None) for v in values]
            columns[name] = pa.array(moments, pa.timestamp("us", "America/New_York" if zoned else None))
        elif kind == "f":
            columns[name] = pa.array(values, pa.bool_())
        elif name == "product_id" and shape.form == "naive parquet":
            # An id that was stored as a number, a float because some were missing.
            columns[name] = pa.array([None if v is None else float(v) for v in values], pa.float64())
        else:
            columns[name] = pa.array(values, pa.string())
    if shape.extra:
        columns["colour"] = pa.array(["red"] * len(rows))
    pq.write_table(pa.table(columns), path)


# ---- what must come of it -------------------------------------------------------------------------------------------


def fates(places: dict[Place, Row]) -> dict[Place, str]:
    """What becomes of each row: the first of equal rows, by file and row, shares the planted fate; the others are
    duplicates. Torn rows are equal where they were torn against equal headers. The n-th of equal order lines without a
    number in a file is equal to the n-th in other files alone. Of the rows of a master's key one is taken."""
    seen: set[tuple[Any, ...]] = set()
    in_file: Counter[tuple[Any, ...]] = Counter()
    taken = _taken(places)
    found = {}
    for place in sorted(places):
        row = places[place]
        identity = (row.table, row.content, *([_header_fields(place)] if row.torn else []))
        if row.table == "order_lines" and (row.torn or row.values["line_number"] is None):
            in_file[place[1], identity] += 1
            identity += (in_file[place[1], identity],)
        fate = row.fate
        if fate == STAGED and row.table in MASTERS and row.content != taken[row.table, _key(row)]:
            fate = SUPERSEDED
        found[place] = DUPLICATE if identity in seen else fate
        seen.add(identity)
    return found


def _key(row: Row) -> Any:
    return row.values[key_of(row.table)[0]]


def _taken(places: dict[Place, Row]) -> dict[tuple[str, Any], int]:
    """The content that is taken of each key of a master table."""
    landed = Counter((row.table, row.content) for row in places.values())
    rivals: dict[tuple[str, Any], dict[int, Row]] = {}
    for row in places.values():
        if row.table in MASTERS and row.fate == STAGED:
            rivals.setdefault((row.table, _key(row)), {})[row.content] = row

    def order(row: Row) -> tuple[Any, ...]:
        moment = row.values["updated_at"]
        since = moment.timestamp() if moment else float("-inf")
        contents = [_meaning(row.table, c, row.values[c]) for c, kind in COLUMNS[row.table].items() if kind != "p"]
        content = [(value is None, 0 if value is None else value) for value in contents]
        # Where the values are the same, what cannot be read comes after what is not there: it says something else.
        return -since, -landed[row.table, row.content], content, not row.bad

    return {key: min(rows.values(), key=order).content for key, rows in rivals.items()}


def account(places: dict[Place, Row]) -> dict[str, tuple[int, int, int, int]]:
    """Rows landed, staged, quarantined (superseded ones too) and duplicate of every table, also without a file."""
    counts = Counter((place[0], fate) for place, fate in fates(places).items())
    split = {
        t: (counts[t, STAGED], counts[t, QUARANTINED] + counts[t, SUPERSEDED], counts[t, DUPLICATE]) for t in COLUMNS
    }
    return {table: (sum(parts), *parts) for table, parts in split.items()}


def equal_lines(places: dict[Place, Row]) -> tuple[int, Decimal]:
    """Staged order lines beyond the first of equal ones, and their amount."""
    kept = [places[p] for p, fate in fates(places).items() if p[0] == "order_lines" and fate == STAGED]
    lines = Counter(row.content for row in kept)
    amounts = {row.content: row.values["amount"] for row in kept}
    return (
        sum(n - 1 for n in lines.values()),
        sum(((n - 1) * amounts[content] for content, n in lines.items()), Decimal(0)),
    )


def unreadable(places: dict[Place, Row]) -> dict[tuple[str, str], Counter[str]]:
    """The texts that could not be read in the rows that are staged, by table and column."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for place, fate in fates(places).items():
        if fate == STAGED:
            for column, text in places[place].bad.items():
                found.setdefault((place[0], column), Counter())[text] += 1
    return found


def quarantine(places: dict[Place, Row]) -> dict[Place, set[str]]:
    """Reasons of each refused or superseded row."""
    refused = {}
    for place, fate in fates(places).items():
        if fate == QUARANTINED:
            row = places[place]
            refused[place] = (
                {f"{reason}, the header has {_header_fields(place)}" for reason in row.reasons}
                if row.torn
                else set(row.reasons)
            )
        elif fate == SUPERSEDED:
            refused[place] = {"superseded"}
    return refused


def staged(places: dict[Place, Row], table: str) -> list[tuple[Any, ...]]:
    """The values of the rows that staging keeps, in the order of the contract, without personal columns."""
    names = [name for name, kind in COLUMNS[table].items() if kind != "p"]
    return [
        tuple(_meaning(table, name, places[place].values[name]) for name in names)
        for place, fate in fates(places).items()
        if place[0] == table and fate == STAGED
    ]


def _meaning(table: str, name: str, value: Any) -> Any:
    if (table, name) == ("customers", "kind") and value is None:
        return "person"
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _header_fields(place: Place) -> int:
    table, file, _ = place
    shape = next(shape for shape in SHAPES if file == f"{table}/{shape.name}")
    return len(header_of(table, shape)) + int(shape.extra)
