"""What users keep outside the checkout, so that an upgrade is a `git pull`: SETTINGS and SEEDS_DIR.

SETTINGS names a YAML file of dbt vars; each replaces the value of dbt_project.yml. SEEDS_DIR names a folder of CSV
files; each replaces the shipped seed of its name. What replaces nothing is refused, with the nearest name that would.

A demo brings the seeds of its trade in the same way (settings.DEMO_SEEDS); SEEDS_DIR goes before them, and so do the
treatments of a scheme that somebody has edited in the checkout.

Belongs here: reading and judging both, the folder of seeds that dbt reads, `make settings`, which prints what holds.
Does not belong here: what a var or seed means (dbt_project.yml, seeds/*.yml); environment variables (settings.py).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from orchestration import memory
from orchestration.seeds.files import as_csv, column_types, is_plain, plain_rows
from orchestration.settings import ALSO_VARS, PROJECT_DIR, SHIPPED_SEEDS, Settings, SettingsError, read_settings

PROJECT_FILE = "dbt_project.yml"
TREATMENTS = "treatments.csv"
# Treatments alone are also read from a workbook, in the place of the CSV file.
WORKBOOK = ".xlsx"
WORKBOOK_NAME = "treatments.xlsx"
# Refused by name where somebody means them for a seed, and not passed over.
SPREADSHEETS = (WORKBOOK, ".xls", ".xlsm", ".xlsb", ".ods")
# A digest of the shipped treatments of each scheme: what differs from it has been edited. `python -m orchestration
# settings shipped` writes it again, after a change of the shipped file itself.
SHIPPED_TREATMENTS = PROJECT_DIR / "demos" / "shipped_treatments.csv"
# The folder of the warehouse into which `make settings` puts the seeds for dbt by hand.
SEEDS_BY_HAND = "seeds_by_hand"

# Settings that had another name once -> their name now. The former one is read for one version, and said.
FORMER_NAMES = {"rfm_window_days": "behaviour_window_days"}


# ---- settings -------------------------------------------------------------------------------------------------------


def shipped_vars(project_dir: Path = PROJECT_DIR) -> dict[str, Any]:
    """The vars of dbt_project.yml, as written there."""
    project = yaml.safe_load((project_dir / PROJECT_FILE).read_text(encoding="utf-8"))
    return dict(project.get("vars") or {})


def own_vars(path: Path | None, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """The vars of a file named by SETTINGS; none without a file.

    Args:
        path: the file, or None where SETTINGS is not set.
        shipped: the vars that there are, with their shipped values.

    Raises:
        SettingsError: the file cannot be read, names a var that there is not, or gives one a value of another type.
    """
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"SETTINGS={path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"SETTINGS={path}{where}: not YAML in UTF-8") from None
    except ValueError as error:
        raise SettingsError(f"SETTINGS={path}: holds a date that there is not ({error})") from None
    if found is None:
        return {}
    if isinstance(found, dict) and set(found) == {"vars"} and isinstance(found["vars"], dict):
        found = found["vars"]
    return _judged(found, shipped, f"SETTINGS={path}")


def _judged(found: Any, shipped: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise SettingsError(f"{where}: a line for each setting is needed, such as `behaviour_window_days: 730`")
    for former, name in FORMER_NAMES.items():
        if former in found and name in shipped:
            if name in found:
                raise SettingsError(f"{where}: {former} is the former name of {name}; leave out one of them")
            found = {name if key == former else key: value for key, value in found.items()}
    for name, value in list(found.items()):
        if name not in shipped:
            raise SettingsError(f"{where}: there is no setting {name}{_nearest(str(name), shipped)}")
        needed = _kind(shipped[name])
        if needed == "a list" and isinstance(value, str):
            value = found[name] = [word.strip() for word in value.split(",") if word.strip()]
        # An empty text is a setting that is off: its value may be whatever its comment says.
        if shipped[name] not in ("", None) and _kind(value) != needed:
            raise SettingsError(f"{where}: {name} is {_kind(value)}; {needed} is needed")
    return {str(name): value for name, value in found.items()}


def mapped_vars(path: Path | None, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """The vars that a mapping file says its export needs, under `settings`; none without a file.

    Raises:
        SettingsError: as `own_vars`.
    """
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except PermissionError as error:
        raise SettingsError(f"MAPPING={path}: cannot be read ({error.strerror})") from None
    except (OSError, yaml.YAMLError, ValueError):
        # What is wrong with the file is said where it is obeyed (orchestration/landing/mapping/model.py).
        return {}
    given = found.get("settings") if isinstance(found, dict) else None
    return _judged(given, shipped, f"MAPPING={path}, settings") if given else {}


def held_vars(settings: Settings, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """The vars that are not the shipped ones: those of MAPPING, with those of SETTINGS in their places.

    Raises:
        SettingsError: as `own_vars`.
    """
    return {**mapped_vars(settings.mapping_file, shipped), **own_vars(settings.settings_file, shipped)}


def former_names_used(settings: Settings) -> list[str]:
    """A sentence for each setting that MAPPING or SETTINGS gives by a name that it has no more."""
    said = []
    for variable, path in (("MAPPING", settings.mapping_file), ("SETTINGS", settings.settings_file)):
        text = path.read_text(encoding="utf-8-sig") if path is not None else ""
        for former, name in FORMER_NAMES.items():
            if re.search(rf"^\s*{former}\s*:", text, re.MULTILINE):
                said.append(
                    f"{variable}={path}: {former} is called {name} now; rename it, the next version does not read it"
                )
    return said


def vars_arguments(own: Mapping[str, Any]) -> list[str]:
    """The arguments by which dbt is told; none where there is nothing to tell, so that dbt's kept parse holds."""
    return ["--vars", json.dumps(own, sort_keys=True, default=str)] if own else []


def _kind(value: Any) -> str:
    """What a value is, in words; a whole number is a number."""
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return "a text"


def _nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = get_close_matches(name.lower(), list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


# ---- seeds ----------------------------------------------------------------------------------------------------------


def own_seeds(folder: Path | None, shipped_dir: Path = SHIPPED_SEEDS) -> dict[str, Path]:
    """Name of a shipped seed -> the file of SEEDS_DIR that replaces it.

    Raises:
        SettingsError: it cannot be listed, a file there has no shipped seed of its name, or there are two for one.
    """
    if folder is None:
        return {}
    shipped = sorted(path.name for path in shipped_dir.glob("*.csv"))
    found: dict[str, Path] = {}
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise SettingsError(f"SEEDS_DIR={folder}: cannot be listed ({error.strerror})") from None
    for path in paths:
        ending = path.suffix.lower()
        # Excel keeps `~$treatments.xlsx` beside a workbook that is open.
        if path.name.startswith((".", "_", "~")) or ending not in (".csv", *SPREADSHEETS):
            continue
        name = f"{path.stem}.csv"
        if ending != ".csv" and (name, ending) != (TREATMENTS, WORKBOOK):
            if name in shipped or get_close_matches(name, [TREATMENTS], cutoff=0.8):
                raise SettingsError(
                    f"SEEDS_DIR={folder}: {path.name} replaces no seed; of workbooks, {WORKBOOK_NAME} alone is read, "
                    "and the others as CSV"
                )
            continue
        if name not in shipped:
            raise SettingsError(f"SEEDS_DIR={folder}: {path.name} replaces no seed{_nearest(path.name, shipped)}")
        if name in found:
            raise SettingsError(
                f"SEEDS_DIR={folder}: {found[name].name} and {path.name} are both there; keep the one that holds, and "
                f"take the other away (or let its name begin with `_`)"
            )
        found[name] = path
    return found


def held_seeds(settings: Settings) -> dict[str, Path]:
    """Name of a shipped seed -> the file that replaces it: one of the demo's own, or the user's, which goes before it.

    Raises:
        SettingsError: as `own_seeds`.
    """
    held: dict[str, Path] = {}
    for folder in settings.seed_layers:
        held |= own_seeds(folder)
    return held


def with_other_schemes(text: str, shipped: str) -> str:
    """A demo's seed, and the shipped rows of schemes that it has no row for.

    So a scheme that is added to the checkout's seeds (docs/add-a-scheme.md) is there in the demo too. A seed without a
    column `scheme` is the demo's as a whole, as are files of SEEDS_DIR.
    """
    rows, others = (list(csv.DictReader(io.StringIO(each, newline=""))) for each in (text, shipped))
    named = {row["scheme"] for row in rows} if rows and "scheme" in rows[0] else set()
    added = [row for row in others if named and row["scheme"] not in named]
    if not added:
        return text
    sink = io.StringIO()
    writer = csv.DictWriter(sink, _header(text), restval="", extrasaction="ignore", lineterminator="\n")
    writer.writerows(added)
    return text.rstrip("\n") + "\n" + sink.getvalue()


def treatments_by_scheme(text: str) -> dict[str, str]:
    """SHA-256 of each scheme's treatments, whatever the order of rows, columns and line ends; an empty cell is none, so
    that a column which is added makes no difference."""
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(text, newline="")):
        found.setdefault(row.get("scheme") or "", []).append(
            json.dumps(sorted(map(str, (cell for cell in row.items() if cell[1]))))
        )
    return {
        scheme: hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest() for scheme, rows in sorted(found.items())
    }


def edited_schemes(text: str, noted: Path = SHIPPED_TREATMENTS) -> set[str]:
    """Schemes whose treatments in the checkout are not the shipped ones, or are gone."""
    with noted.open(encoding="utf-8", newline="") as rows:
        shipped = {row["scheme"]: row["sha256"] for row in csv.DictReader(rows)}
    found = treatments_by_scheme(text)
    return {scheme for scheme in {*shipped, *found} if shipped.get(scheme) != found.get(scheme)}


def with_edited_treatments(demo: str, text: str, edited: Set[str]) -> str:
    """The demo's treatments, and in the place of the edited schemes' those of the checkout.

    Where its header or a row of it is torn, the whole file of the checkout, so that this is said of it.
    """
    here = list(csv.DictReader(io.StringIO(text, newline="")))
    if _header(text) != _header(demo) or any(None in row or None in row.values() for row in here):
        return text
    rows = [row for row in csv.DictReader(io.StringIO(demo, newline="")) if row["scheme"] not in edited]
    rows += [row for row in here if row["scheme"] in edited]
    sink = io.StringIO()
    writer = csv.DictWriter(sink, _header(demo), restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue()


def completed_seed(path: Path, shipped: Path) -> str:
    """A user's seed as dbt reads it: its rows in plain clothes, with the columns that it may leave out as empty ones.

    A column may be left out where the shipped file leaves it empty in some row, so that a file outlives an upgrade that
    adds such a column. The rows of the shipped file, in any order, are the shipped file to the byte: then nothing is
    built again.

    Raises:
        SettingsError: it cannot be read, or a column is missing or unknown.
    """
    wanted, *shipped_rows = plain_seed(shipped)
    header, *rows = workbook_rows(path) if path.suffix.lower() == WORKBOOK else plain_seed(path, wanted)
    unknown = [name for name in header if name not in wanted]
    if unknown:
        raise SettingsError(f"{path}: there is no column {unknown[0]}{_nearest(unknown[0], wanted)}")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise SettingsError(f"{path}: column {twice[0]} is there twice")
    missing = [name for name in wanted if name not in header]
    needed = [name for name in missing if shipped_rows and all(row[wanted.index(name)] for row in shipped_rows)]
    if needed:
        raise SettingsError(f"{path}: column {', '.join(needed)} is missing; the shipped {shipped.name} has it")
    if missing:
        header, rows = [*header, *missing], [[*row, *([""] * len(missing))] for row in rows]
    if header == wanted and sorted(rows) == sorted(shipped_rows) and is_plain(shipped.read_bytes()):
        return shipped.read_text(encoding="utf-8")
    return as_csv([header, *rows])


def plain_seed(path: Path, known: Sequence[str] = ()) -> list[list[str]]:
    """The rows of a seed, the header first, in plain clothes (seeds/files.py).

    Args:
        path: a CSV file, named after its seed.
        known: the columns that it may have; by default those whose types the YAML files name.

    Raises:
        SettingsError: it cannot be read; the text names file, line and column.
    """
    types = column_types().get(path.stem, {})
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    rows = plain_rows(content, str(path), [*known, *types], types)
    if not rows:
        raise SettingsError(f"{path}: empty, without a header")
    return rows


def treatment_places(settings: Settings) -> dict[str, str]:
    """treatment_id -> where somebody wrote it: file and line, or file, sheet and row.

    Raises:
        SettingsError: a file cannot be read.
    """
    shipped, held = SHIPPED_SEEDS / TREATMENTS, held_seeds(settings).get(TREATMENTS)
    if held is None:
        return _places(shipped)
    if held.parent != settings.demo_seeds_dir:
        return _places(held)
    return {**_places(shipped), **_places(held), **_places(shipped, edited_schemes(as_csv(plain_seed(shipped))))}


def _places(path: Path, schemes: Set[str] | None = None) -> dict[str, str]:
    """Where the treatments of a file stand, of these schemes alone where they are given."""
    if path.suffix.lower() == WORKBOOK:
        from orchestration.seeds.workbook import read_workbook

        book = read_workbook(path)
        return {row["treatment_id"]: place for row, place in zip(book.rows, book.places, strict=True)}
    lines: list[int] = []
    header, *rows = plain_rows(path.read_bytes(), str(path), [*column_types()[path.stem]], {}, lines)
    named = [dict(zip(header, row, strict=True)) for row in rows]
    return {
        row.get("treatment_id", ""): f"{path.name}, line {line}"
        for row, line in zip(named, lines[1:], strict=True)
        if schemes is None or row.get("scheme") in schemes
    }


def workbook_rows(path: Path) -> list[list[str]]:
    """The rows of a workbook of treatments, the header first.

    Raises:
        SettingsError: it cannot be read; the text names file, sheet, row and column of each problem.
    """
    from orchestration.seeds.treatments import COLUMNS, TreatmentsFileError
    from orchestration.seeds.workbook import read_workbook

    try:
        book = read_workbook(path)
    except TreatmentsFileError as error:
        raise SettingsError(str(error)) from None
    return [list(COLUMNS), *([row[column] for column in COLUMNS] for row in book.rows)]


def _header(text: str) -> list[str]:
    return next(csv.reader(io.StringIO(text)), [])


def prepare_seeds(settings: Settings) -> None:
    """Bring the folder that dbt reads seeds from up to date; nothing is done where the shipped one is read.

    Files whose content is the same are left as they are. The warehouse's folder is that of the refresh that holds the
    lock; who does not hold it reads the seeds aside (seeds_aside).

    Raises:
        SettingsError: a file of SEEDS_DIR, or one of the checkout that a spreadsheet has saved, cannot be used.
    """
    if settings.seeds_dir == SHIPPED_SEEDS:
        return
    contents = {path.name: path.read_bytes() for path in SHIPPED_SEEDS.iterdir() if path.suffix in (".csv", ".yml")}
    for name, content in contents.items():
        if name.endswith(".csv") and not is_plain(content):
            contents[name] = as_csv(plain_seed(SHIPPED_SEEDS / name)).encode()
    for name, path in held_seeds(settings).items():
        text = completed_seed(path, SHIPPED_SEEDS / name)
        if path.parent == settings.demo_seeds_dir:
            here = contents[name].decode("utf-8-sig", errors="replace")
            edited = edited_schemes(here) if name == TREATMENTS else set()
            text = with_edited_treatments(text, here, edited) if edited else with_other_schemes(text, here)
        contents[name] = text.encode()
    folder = settings.seeds_dir
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            aside = folder / f".{name}.{os.getpid()}"
            aside.write_bytes(content)
            os.replace(aside, path)
    for path in folder.iterdir():
        if path.name not in contents and not path.name.startswith("."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def seeds_aside(settings: Settings) -> Iterator[Settings]:
    """The settings with the seeds that hold in a folder of the block's own, so that a refresh that runs meanwhile keeps
    those that it has begun with.

    Raises:
        SettingsError: as `prepare_seeds`.
    """
    with tempfile.TemporaryDirectory() as folder:
        aside = replace(settings, seeds_dir_aside=Path(folder))
        prepare_seeds(aside)
        yield aside


# ---- what holds -----------------------------------------------------------------------------------------------------


def describe(settings: Settings, project_dir: Path = PROJECT_DIR, environ: Mapping[str, str] | None = None) -> str:
    """What holds and from where, a line a setting and a line a seed that is not the shipped one.

    Args:
        settings: as read from `environ`.
        project_dir: the project whose settings they are.
        environ: the environment variables; by default the process's.

    Raises:
        SettingsError: SETTINGS or SEEDS_DIR cannot be used.
    """
    shipped = shipped_vars(project_dir)
    mapped, own = mapped_vars(settings.mapping_file, shipped), own_vars(settings.settings_file, shipped)
    held = {**mapped, **own}
    seeds = held_seeds(settings)
    lines = ["settings"]
    width = max(map(len, shipped), default=0)
    outside = _said_outside(settings, held, os.environ if environ is None else environ)
    for name, value in shipped.items():
        file = settings.settings_file if name in own else settings.mapping_file
        source = f"{file} (shipped: {json.dumps(value, default=str)})" if name in held else PROJECT_FILE
        holds, source = outside.get(name, (held.get(name, value), source))
        lines.append(f"  {name:<{width}}  {json.dumps(holds, ensure_ascii=False, default=str)}  from {source}")
    lines += ["seeds"]
    lines += [f"  {name}  from {path}" for name, path in seeds.items()]
    if seeds.get(TREATMENTS, SHIPPED_SEEDS).parent == settings.demo_seeds_dir:
        edited = edited_schemes(as_csv(plain_seed(SHIPPED_SEEDS / TREATMENTS)))
        if edited:
            lines += [f"  {TREATMENTS} of {', '.join(sorted(edited))}, edited there, from {SHIPPED_SEEDS / TREATMENTS}"]
    lines += [f"  {'all others' if seeds else 'all'}  from {SHIPPED_SEEDS}"]
    # Also where such a file says nothing: dbt by hand is refused without that line.
    if settings.settings_file or settings.mapping_file or settings.seeds_dir != SHIPPED_SEEDS:
        seeds_path = shlex.quote(str(settings.seeds_path))
        arguments = shlex.join(vars_arguments(held))
        by_hand = f"SEEDS_PATH={seeds_path} dbt build --profiles-dir profiles {arguments}".strip()
        lines += ["the same for dbt by hand (with the seeds as they are now; after an edit, ask again)", f"  {by_hand}"]
    return "\n".join([*lines, *former_names_used(settings)])


def _said_outside(
    settings: Settings, held: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, tuple[object, str]]:
    """What holds and from where, by name, of the settings that an environment variable says, or the demo."""
    said: dict[str, tuple[object, str]] = {}
    values = {"AS_OF": settings.as_of, "REPORTING_CURRENCY": settings.reporting_currency}
    for variable, name in ALSO_VARS.items():
        if held.get(name):
            continue
        if environ.get(variable, "").strip():
            said[name] = (values.get(variable, settings.store_timezone), f"the environment variable {variable}")
        elif variable == "STORE_TIMEZONE":
            is_demo = settings.landing_dir is None and settings.mapping_file is None
            said[name] = (settings.store_timezone, "the demo" if is_demo else "the default")
    limit = environ.get(memory.MEMORY_LIMIT, "").strip()
    if limit:
        # It goes before a file's.
        said[memory.VAR] = (limit, f"the environment variable {memory.MEMORY_LIMIT}")
    return said


def note_shipped_treatments() -> None:
    """Write SHIPPED_TREATMENTS from the file in seeds/."""
    found = treatments_by_scheme((SHIPPED_SEEDS / TREATMENTS).read_text(encoding="utf-8"))
    with SHIPPED_TREATMENTS.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("scheme", "sha256"), *found.items()])


def main(arguments: Sequence[str]) -> int:
    """`make settings`: print what holds; 2 where it cannot be used."""
    if list(arguments) == ["shipped"]:
        note_shipped_treatments()
        return 0
    try:
        settings = read_settings()
        # For dbt by hand, and not the folder of a refresh, which may be running.
        by_hand = replace(settings, seeds_dir_aside=settings.warehouse_dir / SEEDS_BY_HAND)
        prepare_seeds(by_hand)
        print(describe(by_hand))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
