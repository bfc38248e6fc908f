"""Where things are and what a refresh describes: the environment, read once.

Belongs here: names of environment variables, their defaults, and the paths derived from them.
Does not belong here: anything that opens a file, but for a look at how the seeds are written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

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

    Relative paths are relative to the folder the command runs in. An empty variable counts as unset.

    Raises:
        SettingsError: AS_OF is no ISO date, STORE_TIMEZONE no IANA zone, DBT_TARGET not known, LANDING_DIR or SEEDS_DIR
            no folder, SETTINGS or MAPPING no file, REPORTING_CURRENCY no code of a currency, DEMO no demo,
            REPORT_LANGUAGE no language of the report.
    """
    from orchestration.seeds.files import dressed

    values = {k: v.strip() for k, v in (os.environ if environ is None else environ).items()}
    demo = values.get("DEMO", "") or next(iter(DEMOS))
    if demo not in DEMOS:
        raise SettingsError(f"DEMO={demo}: there is no such demo; one of {', '.join(DEMOS)} is needed, or none")
    landing = values.get("LANDING_DIR", "")
    landing_dir = Path(landing).expanduser().resolve() if landing else None
    if landing_dir is not None and not landing_dir.is_dir():
        raise SettingsError(f"LANDING_DIR={landing}: no such folder")
    zone = values.get("STORE_TIMEZONE", "") or (
        DEMOS[demo] if landing_dir is None and not values.get("MAPPING") else "UTC"
    )
    try:
        ZoneInfo(zone)
    except Exception as error:
        raise SettingsError(f"STORE_TIMEZONE={zone}: not a time zone such as Europe/Berlin") from error
    target = values.get("DBT_TARGET", "") or "duckdb"
    if target not in TARGETS:
        raise SettingsError(f"DBT_TARGET={target}: one of {', '.join(TARGETS)} is needed")
    as_of_text = values.get("AS_OF", "")
    try:
        as_of = date.fromisoformat(as_of_text) if as_of_text else None
    except ValueError as error:
        raise SettingsError(f"AS_OF={as_of_text}: not an ISO date such as 2026-11-01") from error
    currency = values.get("REPORTING_CURRENCY", "").upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise SettingsError(f"REPORTING_CURRENCY={currency}: not the three letters of a currency such as EUR")
    language = values.get("REPORT_LANGUAGE", "") or SOURCE_LANGUAGE
    known = report_languages()
    if language not in known:
        raise SettingsError(
            f"REPORT_LANGUAGE={language}: the report has no such language; one of {', '.join(known)} is needed, or "
            "none (docs/report.md says how to add one)"
        )
    warehouse_dir = Path(values.get("WAREHOUSE_DIR", "") or "warehouse").expanduser().resolve()
    settings_file, seeds_dir, mapping = (_own(values, name) for name in ("SETTINGS", "SEEDS_DIR", "MAPPING"))
    if mapping is not None and not mapping.is_file():
        raise SettingsError(f"MAPPING={mapping}: no such file; make map FROM=… proposes one")
    if mapping is not None and landing_dir is not None and landing_dir != warehouse_dir / "mapped":
        raise SettingsError("MAPPING and LANDING_DIR are both set: a mapping names the folder that it reads itself")
    if settings_file is not None and not settings_file.is_file():
        raise SettingsError(
            f"SETTINGS={settings_file}: no such file; a YAML file of settings is needed (make settings)"
        )
    if seeds_dir is not None and not seeds_dir.is_dir():
        raise SettingsError(f"SEEDS_DIR={seeds_dir}: no such folder; a folder of seed files is needed (make settings)")
    return Settings(
        landing_dir,
        warehouse_dir,
        as_of,
        zone,
        target,
        settings_file,
        seeds_dir,
        mapping,
        currency,
        demo,
        report_language=language,
        are_seeds_plain=not dressed(SHIPPED_SEEDS),
    )


def _own(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(name, "")
    return Path(text).expanduser().resolve() if text else None
