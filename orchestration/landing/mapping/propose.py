"""A mapping file for a folder of exports that nobody has mapped: a proposal that a person reads and edits.

What a column is called decides first (headers.yml), what its values look like second. What cannot be known, such as
whether 03/04/2025 is in March or in April, is not guessed: it is a question in the file.

Belongs here: proposals, the file's text. Does not belong here: obeying it (apply.py).
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import secrets
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestration.landing.contract import Table, contract
from orchestration.landing.errors import LandingError
from orchestration.landing.mapping.files import ENDINGS, HIDDEN, Dialect, as_day, find_dialect, read_rows, sheet_names
from orchestration.landing.mapping.model import Entry, Join, Source, as_yaml

HEADERS_FILE = Path(__file__).with_name("headers.yml")
# Rows of a file that are looked at.
SAMPLE = 2_000
# A format, a delimiter or a key is proposed where all values that are there agree.
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?")
_SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{2}|\d{4})( .*)?")
_WHOLE = re.compile(r"\d+([.]0)?")
_DECIMAL_COMMA = re.compile(r"[^\d-]*-?(\d{1,3}([. \u00a0]\d{3})+|\d+),\d{1,4}\D*")
_SIGNED_MONEY = re.compile(r"^\(.*\d.*\)$|[$€£¥₽]")
_THOUSANDS = re.compile(r"[^\d-]*-?\d{1,3}(,\d{3})+([.]\d+)?\D*")
_POINT_GROUPS = re.compile(r"[^\d-]*-?[1-9]\d{0,2}([.]\d{3})+\D*")

# What must be known of an order, by its lines or by a file of orders beside them.
OF_AN_ORDER = ("ordered_at", "customer_id", "status")

Names = Mapping[str, Mapping[str, list[str]]]


@dataclass(frozen=True)
class Export:
    """A file of the export, or a sheet of one: its header and the first of its rows."""

    path: Path
    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dialect: Dialect | None = None
    sheet: str | None = None

    def column(self, name: str) -> list[str]:
        """The values of a column in the rows that were looked at."""
        place = self.header.index(name)
        return [as_day(row[place]).strip() for row in self.rows]


@dataclass
class Proposal:
    """What is proposed: entries by table, settings, what a person must decide, what stays unmapped by file."""

    entries: list[Entry] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    unmapped: dict[str, list[str]] = field(default_factory=dict)
    salt: str = ""


@dataclass
class _Written:
    """How the entries so far write values, where a setting is needed: numbers by table, dates by table and column."""

    numbers: dict[str, set[str]] = field(default_factory=dict)
    dates: dict[str, dict[str, set[str]]] = field(default_factory=dict)


@functools.cache
def known_headers() -> dict[str, Any]:
    """headers.yml."""
    found: dict[str, Any] = yaml.safe_load(HEADERS_FILE.read_text(encoding="utf-8"))
    for headers in [found, *(each for each in found.values() if isinstance(each, dict))]:
        headers |= {name: [plain(each) for each in known] for name, known in headers.items() if isinstance(known, list)}
    return found


def plain(header: str) -> str:
    """A header without what its spelling adds: lower case, letters and digits alone, without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", header.casefold()) if char.isalnum())


def read_exports(folder: Path, passed_over: list[str] | None = None) -> list[Export]:
    """The files of a folder, and the sheets of its workbooks.

    Args:
        passed_over: gets why a sheet beside others, or a folder below, cannot be read, one sentence each; an empty
            sheet is no mistake.

    Raises:
        LandingError: the folder or a file cannot be read, or there is none.
    """
    found = []
    for path in _files(folder, [] if passed_over is None else passed_over):
        sheets: list[str | None] = [*sheet_names(path)] if path.suffix.lower() == ".xlsx" else [None]
        for sheet in sheets:
            try:
                found.append(_read(path, path.relative_to(folder).as_posix(), sheet))
            except LandingError as error:
                if len(sheets) == 1:
                    raise
                if passed_over is not None and "empty, without a header" not in str(error):
                    passed_over.append(str(error))
    if not found:
        raise LandingError(f"FROM={folder}: no file that could be an export (.csv, .tsv, .txt, .parquet, .xlsx)")
    return found


def _files(folder: Path, passed_over: list[str]) -> list[Path]:
    """The files below a folder whose names could be those of an export, in order."""
    unread: list[OSError] = []
    found: list[Path] = []
    for at, subfolders, names in os.walk(folder, onerror=unread.append):
        subfolders[:] = [name for name in subfolders if not name.startswith(HIDDEN)]
        found += [Path(at, name) for name in names if not name.startswith(HIDDEN)]
    for error in unread:
        if Path(error.filename) == folder:
            raise LandingError(f"FROM={folder}: folder cannot be read ({error.strerror})")
        inside = Path(error.filename).relative_to(folder).as_posix()
        passed_over.append(f"{inside}: folder cannot be read ({error.strerror}); what it holds is not mapped")
    return sorted(path for path in found if path.suffix.lower() in ENDINGS and path.is_file())


def _read(path: Path, name: str, sheet: str | None) -> Export:
    dialect = None if path.suffix.lower() in (".parquet", ".xlsx") else find_dialect(path)
    rows = read_rows(path, dialect, sheet)
    header = tuple(cell.strip() for cell in next(rows, []))
    sample = tuple(tuple(row) for row in itertools.islice(rows, SAMPLE) if len(row) == len(header))
    return Export(path, name, header, sample, dialect, sheet)


def propose(exports: Sequence[Export], tables: Mapping[str, Table]) -> Proposal:
    """A mapping of what the files hold.

    Args:
        tables: the contract.

    Raises:
        LandingError: no file holds order lines.
    """
    proposal = Proposal(salt=secrets.token_hex(8))
    lines = [export for export in exports if _is_lines(export)]
    if not lines:
        seen = "; ".join(f"{export.name}: {', '.join(export.header[:12])}" for export in exports)
        raise LandingError(
            "no file holds order lines: an order, a product and a quantity or amount a row. "
            f"Write the mapping by hand (docs/map-an-export.md). Found: {seen}"
        )
    used: dict[str, set[str]] = {export.name: set() for export in exports}
    for export in lines:
        entry = _order_lines(export, exports, proposal, used)
        proposal.entries.append(entry)
        proposal.entries += _masters_in_lines(export, exports, used)
    for export in exports:
        if export in lines or _is_joined(export, proposal.entries):
            continue
        proposal.entries += _other_tables(export, exports, tables, _ids(proposal.entries, exports), used)
    written = _Written()
    for entry in proposal.entries:
        by_name = {export.name: export for export in exports}
        _formats(entry, by_name, tables[entry.table], proposal, written)
    for export in exports:
        left = [name for name in export.header if name and name not in used[export.name]]
        for place, name in enumerate(export.header):
            if not name and any(row[place].strip() for row in export.rows):
                left.append(f"column {place + 1} (without a name)")
        for name in sorted({name for name in export.header if name and export.header.count(name) > 1}):
            proposal.questions.append(
                f"{export.name}: {export.header.count(name)} columns are called {name}; give each a name of its own in "
                "the export, or it cannot be mapped"
            )
        if left:
            proposal.unmapped[export.name] = left
    return proposal


# ---- which file is what -------------------------------------------------------------------------------------------


def _match(export: Export, table: str, column: str, taken: Collection[str] = ()) -> str | None:
    """The export's column for a column of the contract, by its header."""
    spelled = {plain(name): name for name in reversed(export.header) if name}
    for header in [plain(column), *known_headers()[table].get(column, ())]:
        name = spelled.get(header)
        if name and name not in taken and any(export.column(name)):
            return name
    return None


def _contract_columns(table: str) -> list[str]:
    """The columns of a table whose headers are known, and which it has."""
    there = {column.name for column in contract()[table].columns}
    return [name for name in known_headers()[table] if name in there]


def _key(export: Export, table: str, column: str, ids: Collection[str]) -> str | None:
    """The export's column for an id: of those whose header says so, the one that holds most of the ids of the lines."""
    spelled = {plain(name): name for name in reversed(export.header) if name}
    named = [spelled[header] for header in [plain(column), *known_headers()[table][column]] if header in spelled]
    met = {name: len(set(ids) & set(export.column(name))) for name in named}
    best = max(named, key=lambda name: met[name], default=None)
    return best if best is not None and met[best] else _match(export, table, column)


def _one_of(export: Export, headers: str) -> str | None:
    spelled = {plain(name): name for name in reversed(export.header) if name}
    return next((spelled[header] for header in known_headers()[headers] if header in spelled), None)


def _is_lines(export: Export) -> bool:
    order, product = _match(export, "order_lines", "order_id"), _match(export, "order_lines", "product_id")
    measured = (
        _match(export, "order_lines", "quantity")
        or _match(export, "order_lines", "amount")
        or _one_of(export, "prices")
    )
    return bool(order and product and order != product and measured)


def _ids(entries: Sequence[Entry], exports: Sequence[Export]) -> dict[str, set[str]]:
    """The ids that the order lines name: of customers, of products."""
    by_name = {export.name: export for export in exports}
    found: dict[str, set[str]] = {"customer_id": set(), "product_id": set()}
    for entry in entries:
        joined = {join.name: by_name[join.file] for join in entry.joins}
        for column, ids in found.items():
            source = entry.columns.get(column)
            if entry.table == "order_lines" and source is not None and source.column is not None:
                ids |= set(_values(source.column, by_name[entry.file], joined))
    return found


def _is_joined(export: Export, entries: Sequence[Entry]) -> bool:
    return any(
        join.file == export.name and _match(export, "order_lines", "order_id") for e in entries for join in e.joins
    )


def _order_lines(export: Export, exports: Sequence[Export], proposal: Proposal, used: dict[str, set[str]]) -> Entry:
    columns: dict[str, Source] = {}
    joins: list[Join] = []
    taken: set[str] = set()
    for name in _contract_columns("order_lines"):
        found = _match(export, "order_lines", name, taken)
        if found and not (name == "store_id" and found == columns.get("order_id", Source()).column):
            columns[name] = Source(column=found)
            taken.add(found)
    is_woocommerce = "productnetrevenue" in map(plain, export.header)
    if is_woocommerce and "coupon_amount" in columns and "discount_amount" not in columns:
        # WooCommerce's coupons are the shop's own, and off the net revenue already.
        columns["discount_amount"] = columns.pop("coupon_amount")
    order = columns["order_id"].column or ""
    header = _header_of(export, order, exports, columns)
    if header is not None:
        other, theirs = header
        stem = re.sub(r"\W+", "_", Path(other.name).stem if other.sheet is None else other.sheet)
        joins.append(_join(stem, other, order, theirs))
        used[other.name].add(theirs)
        for name in ("ordered_at", "customer_id", "status", "channel", "store_id", "currency"):
            is_open = name not in columns and name in _contract_columns("order_lines")
            theirs_too = _match(other, "order_lines", name) if is_open else None
            if theirs_too:
                columns[name] = Source(column=f"{stem}.{theirs_too}")
                used[other.name].add(theirs_too)
    _who(export, columns, proposal)
    _when(export, columns)
    _how_much(export, columns)
    _without_signs(export, columns)
    fill = _filled_down(export, order, columns)
    for name in ("customer_id", "ordered_at", "quantity", "amount"):
        if name not in columns:
            proposal.questions.append(f"{export.name}: which column is order_lines.{name}?")
    used[export.name] |= {name for source in columns.values() for name in source.columns()} & set(export.header)
    return _entry("order_lines", export, columns, joins, fill_by=order if fill else None, fill_down=fill)


def _header_of(
    export: Export, order: str, exports: Sequence[Export], columns: Mapping[str, Source]
) -> tuple[Export, str] | None:
    """The file with a row an order that says what the lines do not: when, whose, or whether it counts."""
    if all(name in columns for name in OF_AN_ORDER):
        return None
    wanted = {value for value in export.column(order) if value}
    for other in exports:
        key = _match(other, "order_lines", "order_id") if other is not export else None
        key = key or (next((n for n in other.header if plain(n) == "id"), None) if other is not export else None)
        if key is None or _is_lines(other):
            continue
        values = other.column(key)
        says = [n for n in OF_AN_ORDER if n not in columns and _match(other, "order_lines", n)]
        if says and len(set(values)) == len(values) and wanted & set(values):
            return other, key
    return None


def _join(name: str, other: Export, ours: str, theirs: str) -> Join:
    dialect = other.dialect or Dialect()
    return Join(
        name, other.name, ours, theirs, other.sheet, None if dialect.delimiter == "," else dialect.delimiter,
        None if dialect.encoding == "utf-8-sig" else dialect.encoding,
    )  # fmt: skip


def _who(export: Export, columns: dict[str, Source], proposal: Proposal) -> None:
    email = _one_of(export, "emails")
    if "customer_id" not in columns and email:
        columns["customer_id"] = Source(digest=email)
        proposal.questions.append(
            f"{export.name}: customers are told apart by a digest of {email}; name a column of ids if there is one"
        )


def _when(export: Export, columns: dict[str, Source]) -> None:
    """A day and a time of day in two columns are one moment."""
    day, time = columns.get("ordered_at", Source()).column, _one_of(export, "times")
    if (
        day in export.header
        and time
        and time != day
        and not any(" " in v or "T" in v for v in export.column(day or ""))
    ):
        columns["ordered_at"] = Source(template=f"{{{day}}} {{{time}}}")


def _how_much(export: Export, columns: dict[str, Source]) -> None:
    price = _one_of(export, "prices")
    if "amount" in columns:
        return
    if price is not None:
        factors = [name for name in (columns.get("quantity", Source()).column, price) if name]
        share = _one_of(export, "discount_shares")
        is_share = share is not None and all(0 <= _float(v) <= 1 for v in export.column(share) if v)
        columns["amount"] = Source(
            product=tuple(factors),
            one_minus=(share,) if share and is_share else (),
            less=_one_of(export, "line_discounts"),
        )
        if is_share or columns["amount"].less:
            columns.pop("discount_amount", None)
    if "quantity" not in columns and "amount" in columns:
        # A row an item, as tills and marketplaces write them.
        columns["quantity"] = Source(constant="1")


def _without_signs(export: Export, columns: dict[str, Source]) -> None:
    """Money with its sign or in brackets becomes a number: the currency of a line is a column of its own."""
    for name in ("amount", "discount_amount", "coupon_amount"):
        column = columns.get(name, Source()).column
        if column in export.header and any(_SIGNED_MONEY.search(value) for value in export.column(column or "")):
            columns[name] = Source(product=(column or "",))


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _filled_down(export: Export, order: str, columns: Mapping[str, Source]) -> tuple[str, ...]:
    """Columns that are filled on an order's first line alone, as Shopify writes them."""
    orders = export.column(order)
    names = {name for source in columns.values() for name in source.columns()} - {order}
    found = []
    for name in sorted(names & set(export.header), key=export.header.index):
        values = export.column(name)
        later = [v for v, this, before in zip(values[1:], orders[1:], orders, strict=False) if this == before]
        first = [v for v, this, before in zip(values, orders, [None, *orders], strict=False) if this != before]
        if later and not any(later) and any(first):
            found.append(name)
    return tuple(found)


def _masters_in_lines(export: Export, exports: Sequence[Export], used: dict[str, set[str]]) -> Iterator[Entry]:
    """Products, and countries of customers, that stand beside the lines and in no file of their own."""
    product, name = _match(export, "order_lines", "product_id"), _match(export, "products", "product_name")
    if product and not any(_is_products(other) for other in exports if other is not export):
        columns = _columns(export, "products", {"product_id": Source(column=product)}, ("list_price",))
        if name is None and len(columns) == 1:
            return
        if "department" not in columns and "category" in columns:
            columns["department"] = columns["category"]
        used[export.name] |= {c for s in columns.values() for c in s.columns()}
        yield _entry("products", export, columns, one_per="product_id")
    customer = _match(export, "order_lines", "customer_id")
    country = _match(export, "customers", "country")
    if customer and country and not any(_is_customers(other) for other in exports if other is not export):
        used[export.name].add(country)
        yield _entry(
            "customers",
            export,
            {"customer_id": Source(column=customer), "country": Source(column=country)},
            one_per="customer_id",
        )


def _is_products(export: Export) -> bool:
    return bool(
        not _is_lines(export)
        and _match(export, "products", "product_id")
        and (_match(export, "products", "product_name") or _match(export, "products", "category"))
        and not _match(export, "order_lines", "customer_id")
    )


def _is_customers(export: Export) -> bool:
    profile = [n for n in known_headers()["customers"] if n not in ("customer_id", "registered_on")]
    return bool(
        not _is_lines(export)
        and _match(export, "customers", "customer_id")
        and any(_match(export, "customers", name) for name in profile)
        and not _match(export, "order_lines", "order_id", {_match(export, "customers", "full_name") or ""})
    )


def _other_tables(
    export: Export,
    exports: Sequence[Export],
    tables: Mapping[str, Table],
    ids: Mapping[str, set[str]],
    used: dict[str, set[str]],
) -> Iterator[Entry]:
    """The tables that a file without order lines becomes; none where it fits none."""
    own = _by_its_name(export, tables)
    if own is not None:
        used[export.name] |= {c for s in own.columns.values() for c in s.columns()}
        yield own
        return
    if _match(export, "companies", "company_name") and _match(export, "companies", "company_id"):
        company = _key(export, "companies", "company_id", ids["customer_id"])
        whose = {"company_id": Source(column=company)} if company else {}
        found = [_entry("companies", export, _columns(export, "companies", whose))]
        title = _match(export, "company_contacts", "job_title")
        if title and company:
            person = _match(export, "company_contacts", "person_id")
            who = Source(column=person) if person else Source(template=f"{{{company}}}-contact")
            columns = _columns(export, "company_contacts", {"person_id": who, "company_id": Source(column=company)})
            found.append(_entry("company_contacts", export, columns))
    elif _is_products(export):
        found = [_products(export, exports, ids["product_id"], used)]
    elif _is_customers(export):
        customer = _key(export, "customers", "customer_id", ids["customer_id"])
        who_is_it = {"customer_id": Source(column=customer)} if customer else {}
        found = [_entry("customers", export, _columns(export, "customers", who_is_it))]
    else:
        found = []
    for entry in found:
        used[export.name] |= {c for s in entry.columns.values() for c in s.columns()} & set(export.header)
        yield entry


def _by_its_name(export: Export, tables: Mapping[str, Table]) -> Entry | None:
    """A file that is a table of the contract by its own name and columns."""
    stem = plain(Path(export.name).stem)
    for table in tables.values():
        spelled = {name.lower(): name for name in export.header}
        columns = {c.name: Source(column=spelled[c.name]) for c in table.columns if c.name in spelled}
        if plain(table.name) == stem and all(c.name in columns for c in table.columns if c.required):
            return _entry(table.name, export, columns)
    return None


def _products(export: Export, exports: Sequence[Export], ids: Collection[str], used: dict[str, set[str]]) -> Entry:
    """Products, with the names of their categories where another file holds them."""
    own = _key(export, "products", "product_id", ids)
    columns = _columns(export, "products", {"product_id": Source(column=own)} if own else {})
    joins = []
    key = next((name for name in export.header if plain(name) in ("categoryid", "productcategoryid")), None)
    if key:
        for other in exports:
            theirs = next((name for name in other.header if plain(name) == plain(key)), None)
            label = next((n for n in other.header if plain(n) in ("categoryname", "category", "name")), None)
            if other is not export and theirs and label and not _match(other, "products", "product_id"):
                stem = re.sub(r"\W+", "_", Path(other.name).stem if other.sheet is None else other.sheet)
                joins.append(_join(stem, other, key, theirs))
                columns["category"] = Source(column=f"{stem}.{label}")
                used[other.name] |= {theirs, label}
                used[export.name].add(key)
                break
    if "department" not in columns and "category" in columns:
        columns["department"] = columns["category"]
    return _entry("products", export, columns, joins)


def _columns(export: Export, table: str, columns: dict[str, Source], but: Collection[str] = ()) -> dict[str, Source]:
    """The columns of a table that the export has, beside those that are given."""
    found = dict(columns)
    taken = {name for source in columns.values() for name in source.columns()}
    for name in _contract_columns(table):
        match = _match(export, table, name, taken) if name not in found and name not in but else None
        if match:
            found[name] = Source(column=match)
            taken.add(match)
    return found


def _entry(
    table: str,
    export: Export,
    columns: Mapping[str, Source],
    joins: Sequence[Join] = (),
    fill_by: str | None = None,
    fill_down: tuple[str, ...] = (),
    one_per: str | None = None,
) -> Entry:
    dialect = export.dialect or Dialect()
    return Entry(
        table,
        export.name,
        columns,
        export.sheet,
        None if dialect.delimiter == "," else dialect.delimiter,
        None if dialect.encoding == "utf-8-sig" else dialect.encoding,
        tuple(joins),
        fill_by,
        fill_down,
        one_per,
    )


# ---- how values are written ---------------------------------------------------------------------------------------


def _formats(entry: Entry, exports: Mapping[str, Export], table: Table, proposal: Proposal, written: _Written) -> None:
    """Settings by which staging reads the dates and numbers of an entry; what is ISO and plain needs none.

    Args:
        written: of the entries so far, which share the settings of their tables.
    """
    types = {column.name: column.type for column in table.columns}
    joined = {join.name: exports[join.file] for join in entry.joins if join.file in exports}
    dates = written.dates.setdefault(entry.table, {})
    numbers = written.numbers.setdefault(entry.table, set())
    for name, source in entry.columns.items():
        for column in source.columns():
            values = _values(column, exports[entry.file], joined)
            if types[name] in ("date", "timestamp"):
                found = date_format(values)
                if found == "?":
                    proposal.questions.append(
                        f"{entry.file}: are the dates of {column} {_either(values[0])} ({values[0]})? "
                        f"Write it into settings: landing_formats: {{{entry.table}: {{dates: …}}}}"
                    )
                elif found and found not in dates.setdefault(name, set()):
                    dates[name].add(found)
                    if len(dates[name]) > 1:
                        proposal.questions.append(
                            f"{entry.file}: the dates of {entry.table}.{name} are {found} here and "
                            f"{', '.join(sorted(dates[name] - {found}))} in other columns or files, and have one "
                            "setting: export them alike"
                        )
            elif types[name] in ("number", "integer"):
                found = number_format(values)
                if found == "?":
                    example = next(value for value in values if "," in value)
                    proposal.questions.append(
                        f"{entry.file}: is the comma of {column} a decimal comma or between thousands ({example})? "
                        f"Write it into settings: landing_formats: {{{entry.table}: {{numbers: …}}}}"
                    )
                elif found and found not in numbers:
                    numbers.add(found)
                    if len(numbers) > 1:
                        proposal.questions.append(
                            f"{entry.file}: the numbers of {entry.table} are written with a decimal comma in some "
                            "columns or files and with a decimal point in others, and have one setting a column: "
                            "export them alike"
                        )
    of_table: dict[str, Any] = {}
    by_column = {name: next(iter(found)) for name, found in dates.items() if len(found) == 1}
    if by_column:
        is_one = len(by_column) == len(dates) and len(set(by_column.values())) == 1
        of_table["dates"] = next(iter(by_column.values())) if is_one else by_column
    if len(numbers) == 1:
        (of_table["numbers"],) = numbers
    formats = {**proposal.settings.get("landing_formats", {}), entry.table: of_table}
    formats = {name: settings for name, settings in formats.items() if settings}
    if formats:
        proposal.settings["landing_formats"] = formats
    else:
        proposal.settings.pop("landing_formats", None)


def _values(column: str, export: Export, joined: Mapping[str, Export]) -> list[str]:
    if column in export.header:
        return [value for value in export.column(column) if value]
    name, _, theirs = column.partition(".")
    return [value for value in joined[name].column(theirs) if value] if name in joined else []


def date_format(values: Sequence[str]) -> str:
    """How dates are written, as `landing_formats` names it: '' for ISO, '?' where a day could be a month."""
    if not values or all(_ISO.fullmatch(value) for value in values):
        return ""
    slashed = [_SLASHED.fullmatch(value) for value in values]
    if all(slashed):
        found = [(int(each[1]), int(each[3]), each[2]) for each in slashed if each]
        separator = found[0][2]
        year = "YY" if all(each and len(each[4]) == 2 for each in slashed) else "YYYY"
        if separator == "." or any(first > 12 for first, _, _ in found):
            return f"DD{separator}MM{separator}{year}"
        if any(second > 12 for _, second, _ in found):
            return f"MM{separator}DD{separator}{year}"
        return "?"
    if all(_WHOLE.fullmatch(value) for value in values):
        whole = [int(float(value)) for value in values]
        if all(19000101 <= number <= 21001231 for number in whole):
            return "YYYYMMDD"
        if all(20_000 <= number <= 80_000 for number in whole):
            return "excel"
        if all(10**8 <= number < 10**10 for number in whole):
            return "epoch_seconds"
        if all(10**11 <= number < 10**13 for number in whole):
            return "epoch_milliseconds"
    return ""


def _either(value: str) -> str:
    """The two formats of a date whose day could be its month."""
    parts = _SLASHED.fullmatch(value)
    separator, year = (parts[2], "Y" * len(parts[4])) if parts else ("/", "YYYY")
    return f"DD{separator}MM{separator}{year} or MM{separator}DD{separator}{year}"


def number_format(values: Sequence[str]) -> str:
    """How numbers are written, as `landing_formats` names it: '' for plain ones, '?' where a comma could be either."""
    commas = {value: bool(_DECIMAL_COMMA.fullmatch(value)) for value in values}
    thousands = {value: bool(_THOUSANDS.fullmatch(value)) for value in values}
    points = [value for value in values if "." in value and "," not in value]
    if any(commas[value] and not thousands[value] for value in values):
        # 1.488 beside 12,90 is a thousand or a slip.
        return "?" if points else "decimal_comma"
    if not any(thousands.values()):
        return ""
    is_sure = any(thousands[value] and not commas[value] for value in values)
    return "decimal_point" if is_sure or any(not _POINT_GROUPS.fullmatch(value) for value in points) else "?"


# ---- the file -----------------------------------------------------------------------------------------------------


def as_text(proposal: Proposal, folder: Path, target: Path) -> str:
    """The mapping file, with what a person must decide as comments on top.

    Args:
        folder: that of the exports.
        target: where the file will be; `from` is relative to it where it can be.
    """
    lines = ["# Which file and column of the export is which of the contract's: read it, edit it, then",
             f"#   make refresh MAPPING={target}",
             "# What a column may be made of: docs/map-an-export.md"]  # fmt: skip
    lines += [f"# To decide: {question}" for question in proposal.questions]
    for name, columns in proposal.unmapped.items():
        lines.append(f"# Not mapped of {name}: {', '.join(columns)}")
    body: dict[str, Any] = {"from": str(folder)}
    if any(source.digest for entry in proposal.entries for source in entry.columns.values()):
        body["salt"] = proposal.salt
    if proposal.settings:
        body["settings"] = proposal.settings
    by_table: dict[str, list[dict[str, Any]]] = {}
    for entry in proposal.entries:
        by_table.setdefault(entry.table, []).append(_as_dict(entry))
    body["tables"] = by_table
    return "\n".join(lines) + "\n" + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=118)


def _as_dict(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"file": entry.file}
    found |= {
        key: value
        for key, value in (("sheet", entry.sheet), ("delimiter", entry.delimiter), ("encoding", entry.encoding))
        if value
    }
    if entry.joins:
        found["join"] = [
            {"as": join.name, "file": join.file, "match": {join.ours: join.theirs}}
            | {
                key: value
                for key, value in (("sheet", join.sheet), ("delimiter", join.delimiter), ("encoding", join.encoding))
                if value
            }
            for join in entry.joins
        ]
    if entry.fill_down:
        found["fill_down"] = {"by": entry.fill_by, "columns": list(entry.fill_down)}
    if entry.one_per:
        found["one_per"] = entry.one_per
    found["columns"] = {name: as_yaml(source) for name, source in entry.columns.items()}
    return found
