"""The mapping file: which file and column of an export is which of the contract's.

A file is YAML. `tables` has a list of entries by table; an entry says which `file` (a name or pattern in the folder
`from`) becomes rows of it, and what each column is made of:

    columns:
      order_id: InvoiceNo                                  a column
      channel: {constant: web}                             the same text in every row
      ordered_at: {template: "{Date} {Time}"}              a text with columns in it
      customer_id: {digest: Email}                         a salted digest of a column that names a person
      amount: {product: [Quantity, UnitPrice, {one_minus: Discount}], less: Rebate}   a product of numbers, less one

Belongs here: the shape of the file and what is wrong with one, in a sentence. Does not belong here: reading exports.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from orchestration.landing.contract import Table
from orchestration.landing.errors import LandingError

FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Source:
    """What a column is made of: exactly one of its parts is there; `less` belongs to `product`."""

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    digest: str | None = None
    product: tuple[str, ...] = ()
    one_minus: tuple[str, ...] = ()
    less: str | None = None

    def columns(self) -> Iterator[str]:
        """Names of the export's columns that it reads."""
        yield from (name for name in (self.column, self.digest, self.less) if name)
        yield from (*self.product, *self.one_minus)
        yield from FIELD.findall(self.template or "")


@dataclass(frozen=True)
class Join:
    """Another file, whose columns are read as `<name>.<column>` where its column `theirs` equals the entry's `ours`."""

    name: str
    file: str
    ours: str
    theirs: str
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class Entry:
    """Files that become rows of one table.

    `fill_down`: columns that only the first line of a group has, the group being equal values of `fill_by`.
    `one_per`: a column of the contract of which each value becomes one row, the one found most often.
    """

    table: str
    file: str
    columns: Mapping[str, Source]
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    joins: tuple[Join, ...] = ()
    fill_by: str | None = None
    fill_down: tuple[str, ...] = ()
    one_per: str | None = None


@dataclass(frozen=True)
class ExportMapping:
    """A mapping file, read. `folder` is that of the export; `settings` are dbt vars that the export needs."""

    path: Path
    folder: Path
    entries: tuple[Entry, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    salt: str = ""


class _OnceLoader(yaml.SafeLoader):
    """YAML in which a name stands once: the plain loader takes the last of two without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is there twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_mapping(path: Path, tables: Mapping[str, Table]) -> ExportMapping:
    """The mapping of a file.

    Args:
        tables: the contract.

    Raises:
        LandingError: the file cannot be read, or says something that cannot be; the text names table and column.
    """
    try:
        found = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_OnceLoader)
    except OSError as error:
        raise LandingError(f"MAPPING={path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark, problem = getattr(error, "problem_mark", None), str(getattr(error, "problem", None) or "")
        said = problem if problem.endswith("there twice") else "not YAML in UTF-8"
        raise LandingError(f"MAPPING={path}{f', line {mark.line + 1}' if mark else ''}: {said}") from None
    except ValueError as error:
        raise LandingError(f"MAPPING={path}: holds a date that there is not ({error})") from None
    where = f"MAPPING={path.name}"
    if not isinstance(found, dict) or not isinstance(found.get("tables"), dict):
        raise LandingError(f"{where}: a mapping with `from` and `tables` is needed; make map FROM=… proposes one")
    _only(found, ("from", "tables", "settings", "salt"), where)
    folder = (path.parent / str(found.get("from") or ".")).expanduser().resolve()
    if not folder.is_dir():
        raise LandingError(f"{where}, from: {folder} is no folder")
    entries = []
    for name, listed in found["tables"].items():
        if name not in tables:
            raise LandingError(f"{where}: there is no table {name}{nearest(str(name), tables)}")
        for entry in listed if isinstance(listed, list) else [listed]:
            entries.append(_entry(entry, tables[name], f"{where}, {name}"))
    return ExportMapping(path, folder, tuple(entries), found.get("settings") or {}, str(found.get("salt") or ""))


def _entry(found: Any, table: Table, where: str) -> Entry:
    if not isinstance(found, dict) or not found.get("file") or not isinstance(found.get("columns"), dict):
        raise LandingError(f"{where}: `file` and `columns` are needed")
    keys = ("file", "sheet", "delimiter", "encoding", "join", "fill_down", "one_per", "columns")
    _only(found, keys, where)
    _check_dialect(found, where)
    known = [column.name for column in table.columns]
    for name in found["columns"]:
        if name not in known:
            raise LandingError(f"{where}: the contract has no column {name}{nearest(str(name), known)}")
    columns = {
        name: _source(value, f"{where}, {name}") for name, value in found["columns"].items() if value is not None
    }
    missing = [column.name for column in table.columns if column.required and column.name not in columns]
    if missing:
        raise LandingError(f"{where}: column {', '.join(missing)} is needed; name the export's column for it")
    fill = found.get("fill_down") or {}
    if fill and not (isinstance(fill, dict) and set(fill) == {"by", "columns"} and isinstance(fill["columns"], list)):
        raise LandingError(f"{where}, fill_down: {{by: a column, columns: [columns]}} is needed")
    one_per = found.get("one_per")
    if one_per is not None and one_per not in columns:
        raise LandingError(f"{where}, one_per: {one_per} is none of its columns")
    return Entry(
        table.name,
        str(found["file"]),
        columns,
        found.get("sheet"),
        found.get("delimiter"),
        found.get("encoding"),
        tuple(_join(each, where) for each in found.get("join") or ()),
        fill.get("by"),
        tuple(fill.get("columns") or ()),
        one_per,
    )


def _check_dialect(found: Mapping[str, Any], where: str) -> None:
    encoding, delimiter = found.get("encoding"), found.get("delimiter")
    if encoding is not None:
        try:
            codecs.lookup(str(encoding))
        except LookupError:
            raise LandingError(
                f"{where}, encoding: {encoding} is none; write utf-8, utf-16, cp1252, cp1251 or another one"
            ) from None
    if delimiter is not None and len(str(delimiter)) != 1:
        raise LandingError(f"{where}, delimiter: {delimiter!r} is no single character; write one such as ';'")


def _join(found: Any, where: str) -> Join:
    if not isinstance(found, dict) or not isinstance(found.get("match"), dict) or len(found["match"]) != 1:
        raise LandingError(f"{where}, join: `file`, `as` and `match: {{our column: their column}}` are needed")
    _only(found, ("file", "as", "match", "sheet", "delimiter", "encoding"), f"{where}, join")
    _check_dialect(found, f"{where}, join")
    ((ours, theirs),) = found["match"].items()
    file = str(found.get("file"))
    name = str(found.get("as") or Path(file).stem)
    return Join(name, file, str(ours), str(theirs), found.get("sheet"), found.get("delimiter"), found.get("encoding"))


def _source(found: Any, where: str) -> Source:
    if not isinstance(found, dict):
        return Source(column=str(found))
    if set(found) == {"constant"}:
        return Source(constant=str(found["constant"]))
    if set(found) == {"template"}:
        return Source(template=str(found["template"]))
    if set(found) == {"digest"}:
        return Source(digest=str(found["digest"]))
    if "product" in found and set(found) <= {"product", "less"} and isinstance(found["product"], list):
        parts = found["product"]
        minus = tuple(str(part["one_minus"]) for part in parts if isinstance(part, dict) and set(part) == {"one_minus"})
        factors = tuple(str(part) for part in parts if not isinstance(part, dict))
        if len(minus) + len(factors) == len(parts) > 0:
            return Source(product=factors, one_minus=minus, less=found.get("less"))
    raise LandingError(f"{where}: a column's name is needed, or one of constant, template, digest, product")


def as_yaml(value: Source) -> Any:
    """A source as the mapping file writes it."""
    if value.column is not None:
        return value.column
    if value.constant is not None:
        return {"constant": value.constant}
    if value.template is not None:
        return {"template": value.template}
    if value.digest is not None:
        return {"digest": value.digest}
    parts: list[Any] = [*value.product, *({"one_minus": name} for name in value.one_minus)]
    return {"product": parts} | ({"less": value.less} if value.less else {})


def _only(found: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in found:
        if key not in keys:
            raise LandingError(f"{where}: there is no {key}{nearest(str(key), keys)}")


def nearest(name: str, known: Any) -> str:
    """The nearest of the names that there are, as the end of a sentence; empty where none is near."""
    spelled = {str(each).lower(): str(each) for each in known}
    near = get_close_matches(name.lower(), list(spelled), n=1)
    return f" (did you mean {spelled[near[0]]}?)" if near else ""
