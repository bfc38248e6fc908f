"""Where things are and what a refresh describes: the environment, read once.

Belongs here: names of environment variables, their defaults, and the paths derived from them.
Does not belong here: anything that opens a file, but for a look at how the seeds are written, and at the settings of
SETTINGS and MAPPING that a variable says too, and MAPPING's folder (overrides.py judges these files).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from orchestration.places import PROJECT_DIR, SHIPPED_SEEDS, SettingsError

DEMO_TIMEZONE = "America/New_York"
# The time zone of each demo's stores; the first demo is read where DEMO is not set.
DEMOS = {"retail": DEMO_TIMEZONE, "merchant": "Europe/Berlin"}
# What a demo is called wherever its numbers appear, where it is made up as a whole.
SIMULATED = {"merchant": "a simulated merchant of building materials"}
# Seeds of a demo's own, each in the place of the shipped one of its name.
DEMO_SEEDS = {demo: PROJECT_DIR / "demos" / demo / "seeds" for demo in DEMOS}
TARGETS = ("duckdb", "spark")
# The report's languages: a catalogue file each. The one that the code and the published tables are written in.
REPORT_LANGUAGES_DIR = PROJECT_DIR / "orchestration" / "report" / "languages"
SOURCE_LANGUAGE = "en"
# Set, for dbt alone, by a refresh that has landed before it starts dbt: all of its steps then see the same files.
ALREADY_LANDED = "ALREADY_LANDED"
# Folders of the warehouse folder in which a refresh removes what it has not written. LANDING_DIR may be one of the
# landing zones that it writes itself: its own children are told so, and dbt by hand may be.
OWN_FOLDERS = ("seeds", "seeds_by_hand", "landed", "build", "candidate", "versions", "published", "state", "logs")
OWN_ZONES = ("demo", "mapped")
# In the demo's landing zone, and in none of a user's: which demo it is, in which version.
DEMO_MARKER = ".demo-version"
# What is no name in the patterns by which the landed files are read (models/staging/_landing__sources.yml).
PATTERN_SIGNS = "[]*?{}"
# Variables that a setting (dbt var) says too.
ALSO_VARS = {"AS_OF": "as_of", "STORE_TIMEZONE": "store_timezone", "REPORTING_CURRENCY": "reporting_currency"}


@dataclass(frozen=True)
class Settings:
    """One refresh's settings. Paths are absolute; `landing_dir` None is the demo; `as_of` None the default;
    `settings_file`, `own_seeds_dir` and `mapping_file` are what users keep outside the checkout, None where nothing is;
    `reporting_currency` is an ISO 4217 code, or empty: the currency of the order lines; `demo` is the demo's name;
    `report_language` is one of `report_languages()`.
    `are_seeds_plain` is false where somebody has saved a seed of the checkout as a spreadsheet does (seeds/files.py).
    `seeds_dir_aside` is where a command puts the seeds that it reads beside a refresh (overrides.seeds_aside).
    """

    landing_dir: Path | None
    warehouse_dir: Path
    as_of: date | None
    store_timezone: str
    dbt_target: str
    settings_file: Path | None = None
    own_seeds_dir: Path | None = None
    mapping_file: Path | None = None
    reporting_currency: str = ""
    demo: str = next(iter(DEMOS))
    report_language: str = SOURCE_LANGUAGE
    are_seeds_plain: bool = True
    seeds_dir_aside: Path | None = None

    @property
    def is_demo(self) -> bool:
        return self.landing_dir is None and self.mapping_file is None

    @property
    def source_dir(self) -> Path:
        """The landing zone to read: the user's, the one that is written by a mapping, or the demo's."""
        if self.mapping_file is not None:
            return self.mapped_dir
        return self.landing_dir if self.landing_dir is not None else self.demo_dir

    @property
    def demo_dir(self) -> Path:
        return self.warehouse_dir / "demo"

    @property
    def mapped_dir(self) -> Path:
        return self.warehouse_dir / "mapped"

    @property
    def simulated(self) -> str:
        """What the data are called where they are made up as a whole; empty where they are not."""
        return SIMULATED.get(self.demo, "") if self.source_dir == self.demo_dir else ""

    @property
    def demo_seeds_dir(self) -> Path | None:
        """The folder of the demo's own seeds, where the demo is read."""
        return DEMO_SEEDS.get(self.demo) if self.source_dir == self.demo_dir else None

    @property
    def seed_layers(self) -> tuple[Path, ...]:
        """Folders whose files take the places of shipped seeds: the demo's, then the user's, which holds."""
        return tuple(folder for folder in (self.demo_seeds_dir, self.own_seeds_dir) if folder is not None)

    @property
    def seeds_dir(self) -> Path:
        """The folder that dbt reads seeds from: the shipped one, or the same with the layers' files in their places,
        and in plain clothes."""
        if not self.seed_layers and self.are_seeds_plain:
            return SHIPPED_SEEDS
        return self.seeds_dir_aside or self.warehouse_dir / "seeds"

    @property
    def seeds_path(self) -> str:
        """That folder as dbt_project.yml names it, relative to the project."""
        return Path(os.path.relpath(self.seeds_dir, PROJECT_DIR)).as_posix()

    @property
    def landed_dir(self) -> Path:
        return self.warehouse_dir / "landed"

    @property
    def build_file(self) -> Path:
        return self.warehouse_dir / "build" / "warehouse.duckdb"

    @property
    def spark_tables_dir(self) -> Path:
        """Where Spark keeps its tables, a folder each (macros/engine/spark.sql)."""
        return self.warehouse_dir / "build" / "spark" / "tables"

    @property
    def candidate_dir(self) -> Path:
        return self.warehouse_dir / "candidate"

    @property
    def versions_dir(self) -> Path:
        return self.warehouse_dir / "versions"

    @property
    def published_link(self) -> Path:
        return self.warehouse_dir / "published"

    @property
    def state_dir(self) -> Path:
        return self.warehouse_dir / "state"

    @property
    def logs_dir(self) -> Path:
        return self.warehouse_dir / "logs"

    @property
    def lock_file(self) -> Path:
        return self.warehouse_dir / "refresh.lock"

    def environment(self) -> dict[str, str]:
        """The variables that dbt and its plugin read, for a child process."""
        return {
            "LANDING_DIR": str(self.source_dir),
            "WAREHOUSE_DIR": str(self.warehouse_dir),
            "AS_OF": self.as_of.isoformat() if self.as_of else "",
            "STORE_TIMEZONE": self.store_timezone,
            "DBT_TARGET": self.dbt_target,
            "MAPPING": str(self.mapping_file or ""),
            "SETTINGS": str(self.settings_file or ""),
            "SEEDS_DIR": str(self.own_seeds_dir or ""),
            "SEEDS_PATH": self.seeds_path,
            "REPORTING_CURRENCY": self.reporting_currency,
            "DEMO": self.demo if self.source_dir == self.demo_dir else "",
            "DBT_PROJECT_DIR": str(PROJECT_DIR),
            "DBT_PROFILES_DIR": str(PROJECT_DIR / "profiles"),
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }


def report_languages() -> list[str]:
    """Codes of the languages that the report can be written in: the names of the catalogue files."""
    return sorted(path.stem for path in REPORT_LANGUAGES_DIR.glob("*.po"))


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment.

    Relative paths are relative to the folder the command runs in. An empty variable counts as unset. What AS_OF,
    STORE_TIMEZONE and REPORTING_CURRENCY do not say, SETTINGS and MAPPING may, as the models read it.

    Raises:
        SettingsError: AS_OF is no ISO date, STORE_TIMEZONE no IANA zone, DBT_TARGET not known, LANDING_DIR or SEEDS_DIR
            no folder, WAREHOUSE_DIR a path with signs of a pattern, SETTINGS or MAPPING no file, one of them or the
            export of MAPPING in a folder that a refresh clears, REPORTING_CURRENCY no code of a currency, DEMO no demo,
            REPORT_LANGUAGE no language of the report; or a variable and a setting of its name say two things.
    """
    from orchestration.seeds.files import dressed

    values = {k: v.strip() for k, v in (os.environ if environ is None else environ).items()}
    demo = values.get("DEMO", "") or next(iter(DEMOS))
    if demo not in DEMOS:
        raise SettingsError(f"DEMO={demo}: there is no such demo; one of {', '.join(DEMOS)} is needed, or none")
    landing = values.get("LANDING_DIR", "")
    landing_dir = Path(landing).expanduser().resolve() if landing else None
    if landing_dir is not None and not _is(Path.is_dir, landing_dir, "LANDING_DIR"):
        raise SettingsError(f"LANDING_DIR={landing}: no such folder")
    target = values.get("DBT_TARGET", "") or "duckdb"
    if target not in TARGETS:
        raise SettingsError(f"DBT_TARGET={target}: one of {', '.join(TARGETS)} is needed")
    language = values.get("REPORT_LANGUAGE", "") or SOURCE_LANGUAGE
    known = report_languages()
    if language not in known:
        raise SettingsError(
            f"REPORT_LANGUAGE={language}: the report has no such language; one of {', '.join(known)} is needed, or "
            "none (docs/report.md says how to add one)"
        )
    warehouse_dir = Path(values.get("WAREHOUSE_DIR", "") or "warehouse").expanduser().resolve()
    signs = [sign for sign in PATTERN_SIGNS if sign in str(warehouse_dir)]
    if signs:
        raise SettingsError(
            f"WAREHOUSE_DIR={warehouse_dir}: the path has a {signs[0]}, which dbt and its engines read as a part of a "
            f"pattern; a folder without the signs {' '.join(PATTERN_SIGNS)} is needed"
        )
    settings_file, seeds_dir, mapping = (_own(values, name) for name in ("SETTINGS", "SEEDS_DIR", "MAPPING"))
    if mapping is not None and not _is(Path.is_file, mapping, "MAPPING"):
        raise SettingsError(f"MAPPING={mapping}: no such file; make map FROM=… proposes one")
    if mapping is not None and landing_dir is not None and landing_dir != warehouse_dir / "mapped":
        raise SettingsError("MAPPING and LANDING_DIR are both set: a mapping names the folder that it reads itself")
    if settings_file is not None and not _is(Path.is_file, settings_file, "SETTINGS"):
        raise SettingsError(
            f"SETTINGS={settings_file}: no such file; a YAML file of settings is needed (make settings)"
        )
    if seeds_dir is not None and not _is(Path.is_dir, seeds_dir, "SEEDS_DIR"):
        raise SettingsError(f"SEEDS_DIR={seeds_dir}: no such folder; a folder of seed files is needed (make settings)")
    own = (*OWN_FOLDERS, *OWN_ZONES)
    zones = () if _is_own_zone(landing_dir, warehouse_dir) else OWN_ZONES
    _refuse_own_folders("LANDING_DIR", landing_dir, warehouse_dir, (*OWN_FOLDERS, *zones))
    for variable, path in (("SEEDS_DIR", seeds_dir), ("SETTINGS", settings_file), ("MAPPING", mapping)):
        _refuse_own_folders(variable, path, warehouse_dir, own)
    if mapping is not None:
        _refuse_own_folders(f"MAPPING={mapping}, from", _export_of(mapping), warehouse_dir, own)
    said = {name: (values[name], f"{name}={values[name]}") for name in ALSO_VARS if values.get(name)}
    for name, (text, where) in _also_vars(settings_file, mapping).items():
        if name == "AS_OF" and _meant_date(text, where) != text:
            # dbt is handed a setting as it is written.
            raise SettingsError(f"{where}: not an ISO date such as 2026-11-01")
        if name in said and _MEANT[name](*said[name]) != _MEANT[name](text, where):
            raise SettingsError(f"{said[name][1]}, and {where}: these are two; leave out one of them, or say the same")
        said.setdefault(name, (text, where))
    meant = {name: _MEANT[name](*found) for name, found in said.items()}
    return Settings(
        landing_dir,
        warehouse_dir,
        date.fromisoformat(meant["AS_OF"]) if "AS_OF" in meant else None,
        meant.get("STORE_TIMEZONE", DEMOS[demo] if landing_dir is None and mapping is None else "UTC"),
        target,
        settings_file,
        seeds_dir,
        mapping,
        meant.get("REPORTING_CURRENCY", ""),
        demo,
        report_language=language,
        are_seeds_plain=not dressed(SHIPPED_SEEDS),
    )


def _own(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(name, "")
    return Path(text).expanduser().resolve() if text else None


def _is(kind: Callable[[Path], bool], path: Path, variable: str) -> bool:
    """Whether a path is a file or folder.

    Raises:
        SettingsError: it lies where this user may not look.
    """
    try:
        return kind(path)
    except OSError as error:
        raise SettingsError(f"{variable}={path}: cannot be looked at ({error.strerror})") from None


def _is_own_zone(folder: Path | None, warehouse_dir: Path) -> bool:
    """Whether a landing zone is one that a refresh writes itself: a demo's by its mark, or yet without files."""
    demo, mapped = ((warehouse_dir / name).resolve() for name in OWN_ZONES)
    if folder is None or folder != demo:
        return folder == mapped

    def is_demo(zone: Path) -> bool:
        return (zone / DEMO_MARKER).is_file() or not any(zone.iterdir())

    return _is(is_demo, folder, "LANDING_DIR")


def _refuse_own_folders(variable: str, path: Path | None, warehouse_dir: Path, names: Iterable[str]) -> None:
    """Stop where a user's files would lie among those that a refresh writes and removes.

    Raises:
        SettingsError: the path is, or lies in, one of these of the warehouse folder.
    """
    if path is None:
        return
    for name in names:
        own = (warehouse_dir / name).resolve()
        if own in (path, *path.parents):
            raise SettingsError(
                f"{variable}={path}: {own} is a folder of WAREHOUSE_DIR, in which a refresh removes the files that "
                "are not its own: keep yours in another folder"
            )


def _export_of(mapping: Path) -> Path | None:
    """The folder of the export that a mapping names, as landing/mapping/model.py reads it."""
    try:
        whole: Any = yaml.safe_load(mapping.read_text(encoding="utf-8-sig"))
        return (mapping.parent / str(whole.get("from") or ".")).resolve() if isinstance(whole, dict) else None
    except (OSError, yaml.YAMLError, ValueError):
        # Said where the mapping is obeyed.
        return None


def _also_vars(settings_file: Path | None, mapping: Path | None) -> dict[str, tuple[str, str]]:
    """What SETTINGS, and where it is silent MAPPING, say of ALSO_VARS: the text by the variable's name, and where it is
    said. What is wrong with the files is said where they are obeyed (overrides.py)."""
    found: dict[str, tuple[str, str]] = {}
    for variable, path, key in (("MAPPING", mapping, "settings"), ("SETTINGS", settings_file, "vars")):
        try:
            whole: Any = yaml.safe_load(path.read_text(encoding="utf-8-sig")) if path is not None else None
        except (OSError, yaml.YAMLError, ValueError):
            continue
        given = whole.get(key) if isinstance(whole, dict) else None
        if variable == "SETTINGS" and isinstance(whole, dict) and set(whole) != {"vars"}:
            given = whole
        for name, var in ALSO_VARS.items():
            if isinstance(given, dict) and var in given:
                text = str(given[var] or "")
                found[name] = (text, f"{variable}={path}, {var}: {text}")
    return {name: (text, where) for name, (text, where) in found.items() if text}


def _meant_date(text: str, where: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise SettingsError(f"{where}: not an ISO date such as 2026-11-01") from error


def _meant_zone(text: str, where: str) -> str:
    try:
        ZoneInfo(text)
    except Exception as error:
        raise SettingsError(f"{where}: not a time zone such as Europe/Berlin") from error
    return text


def _meant_currency(text: str, where: str) -> str:
    code = text.upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise SettingsError(f"{where}: not the three letters of a currency such as EUR")
    return code


_MEANT = {"AS_OF": _meant_date, "STORE_TIMEZONE": _meant_zone, "REPORTING_CURRENCY": _meant_currency}
