"""How files write dates, numbers and ids where not as the contract does: the dbt var landing_formats.

Belongs here: which settings there are, refusing the others, and what a midnight looks like in each format.
Does not belong here: turning a text into a value, which is SQL (macros/engine/landing_formats.sql).

Shape of the var, in which every level may be left out:

    landing_formats:
      order_lines:
        dates: DD/MM/YYYY                            # of every date and timestamp of the table
        numbers: {amount: decimal_comma}             # or of the columns named
        ids: {customer_id: without_decimals}         # of text columns; one setting, or a list that is applied in order
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration.landing.contract import Table
from orchestration.landing.errors import LandingError

VAR = "landing_formats"
ISO = "ISO"
DATES = (
    ISO, "YYYYMMDD", "YYYY/MM/DD", "YYYY.MM.DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "MM-DD-YYYY",
    "DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD-MM-YY", "MM-DD-YY", "epoch_seconds", "epoch_milliseconds", "excel",
)  # fmt: skip
NUMBERS = ("plain", "decimal_point", "decimal_comma")
IDS = ("without_decimals", "without_leading_zeros", "lower", "upper")
SETTINGS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # setting: its values, and the types of the columns that it is for
    "dates": (DATES, ("date", "timestamp")),
    "numbers": (NUMBERS, ("number", "rate", "integer")),
    "ids": (IDS, ("text",)),
}
# The seconds, in the unit of the format, of a day.
EPOCH_DAYS = {"epoch_seconds": 86_400, "epoch_milliseconds": 86_400_000}
_OFFSET = "( ?([Zz]|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?"
# The blanks that staging takes off a value (outer_blanks in macros/engine/text.sql).
_BLANKS = r"[\s\x0b\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}\x{FEFF}]*"
# The end of a text that says midnight, and nothing but midnight.
MIDNIGHT = rf"([T ]+0?0:00(:00([.]0*)?)?|[T ]+12:00(:00)? ?[Aa][.]?[Mm][.]?){_OFFSET}{_BLANKS}$"
COMPACT_MIDNIGHT = rf"(?:[T ]?0000(00)?{_OFFSET}|{MIDNIGHT}){_BLANKS}$"
COMPACT_TIME = rf"^{_BLANKS}[0-9]{{8}}[T ]?[0-9]{{4,6}}|:"


@dataclass(frozen=True)
class LandingFormats:
    """The var, checked. `dates`: table -> column -> format, of those that do not write ISO; `ids`: table -> column ->
    the settings that are applied in order."""

    dates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ids: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def date_format(self, table: str, column: str) -> str:
        return self.dates.get(table, {}).get(column, ISO)

    def id_as_read(self, table: str, column: str, text: str) -> str:
        """A landed id as staging reads it: SQL over `text`, which is SQL too."""
        for setting in self.ids.get(table, {}).get(column, ()):
            text = normal_id(text, setting)
        return text


def normal_id(text: str, setting: str) -> str:
    """An id by one of IDS, as SQL over `text`; as the macro as_normal_id of macros/engine/landing_formats.sql."""
    if setting == "without_decimals":
        return rf"regexp_replace({text}, '^([0-9]+)[.]0*$', '\1')"
    if setting == "without_leading_zeros":
        return rf"regexp_replace({text}, '^0+(.)', '\1')"
    return f"{setting}({text})"


def read_landing_formats(value: Any, tables: Mapping[str, Table]) -> LandingFormats:
    """The var's value, checked against the contract.

    Raises:
        LandingError: a table, setting, column or value is not known; the text lists those that are.
    """
    formats: dict[str, dict[str, str]] = {}
    ids: dict[str, dict[str, tuple[str, ...]]] = {}
    for table_name, settings in _mapping(VAR, value).items():
        table = tables.get(table_name)
        if table is None:
            raise LandingError(f"{VAR}: {table_name} is no table of the landing zone; {_one_of(tables)}")
        for name, chosen in _mapping(f"{VAR}.{table_name}", settings).items():
            at = f"{VAR}.{table_name}.{name}"
            if name not in SETTINGS:
                raise LandingError(f"{at}: no such setting; {_one_of(SETTINGS)}")
            values, types = SETTINGS[name]
            columns = [c.name for c in table.kept_columns if c.type in types and not c.values]
            by_column = chosen if isinstance(chosen, Mapping) else dict.fromkeys(columns, chosen)
            if name == "ids" and not isinstance(chosen, Mapping):
                raise LandingError(f"{at}: says {chosen!r}, and must name columns, as in {{customer_id: {IDS[0]}}}")
            for column, choice in by_column.items():
                if column not in columns:
                    raise LandingError(f"{at}: {column} is no column that this is for; {_one_of(columns)}")
                # Several are for ids alone.
                choices = choice if name == "ids" and isinstance(choice, list) else [choice]
                for each in choices:
                    if each not in values:
                        where = f"{at}.{column}" if isinstance(chosen, Mapping) else at
                        raise LandingError(f"{where}: {each!r} is not known; {_one_of(values)}")
            if name == "dates":
                formats[table_name] = {column: str(choice) for column, choice in by_column.items()}
            if name == "ids":
                ids[table_name] = {
                    column: tuple(choice) if isinstance(choice, list) else (str(choice),)
                    for column, choice in by_column.items()
                }
    return LandingFormats(formats, ids)


def _mapping(at: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise LandingError(f"{at}: says {value!r}, and must be a mapping, as in {{order_lines: {{dates: DD/MM/YYYY}}}}")
    return value


def _one_of(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)} is needed"


# ---- midnights, as SQL over a landed column -------------------------------------------------------------------------


def says_midnight(column: str, written: str) -> str:
    """Whether a text says midnight, in the format `written`."""
    if written in EPOCH_DAYS:
        return f"{_epoch(column)} % {EPOCH_DAYS[written]} = 0"
    pattern = COMPACT_MIDNIGHT if written == "YYYYMMDD" else MIDNIGHT
    return f"regexp_matches({column}, '{pattern}')" + (
        "" if written != "YYYYMMDD" else f" and {_has_time(column, written)}"
    )


def says_another_time(column: str, written: str) -> str:
    """Whether a text says a time of day that is not midnight; what is no time at all does not."""
    if written in EPOCH_DAYS:
        return f"{_epoch(column)} % {EPOCH_DAYS[written]} <> 0"
    return f"{_has_time(column, written)} and not ({says_midnight(column, written)})"


def without_time(column: str, written: str) -> str:
    """The text without its midnight; any other text as it is."""
    if written in EPOCH_DAYS:
        day = f"strftime(date '1970-01-01' + cast({_epoch(column)} / {EPOCH_DAYS[written]} as integer), '%Y-%m-%d')"
        return f"case when {says_midnight(column, written)} then {day} else {column} end"
    day = f"trim(regexp_replace({column}, '{_midnight(written)}', ''))"
    return f"case when {says_midnight(column, written)} then {day} else {column} end"


def _midnight(written: str) -> str:
    return COMPACT_MIDNIGHT if written == "YYYYMMDD" else MIDNIGHT


def _has_time(column: str, written: str) -> str:
    return f"regexp_matches({column}, '{COMPACT_TIME}')" if written == "YYYYMMDD" else f"contains({column}, ':')"


def _epoch(column: str) -> str:
    return f"try_cast(try_cast({column} as decimal(30, 6)) as decimal(24, 0))"
