"""The project as its users run it: a landing zone written from Python rows, one dbt build, tables to look at.

Belongs here: files in, dbt, tables out. Does not belong here: what the tables should hold.
A small build takes 8 seconds or more, most of it dbt's start: build once a module, assert often.
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.warehouse.dbt_child import DBT_SERVER
from orchestration.warehouse.dbt_server import is_served, running_server
from orchestration.warehouse.project import DBT_COMMAND

ROOT = Path(__file__).resolve().parents[2]
# No test changes its files; one that changes some sets ROOT to a copy.
_UNCHANGED = ROOT
# The words of the retail demo (treatments, meanings …), which most tests speak; the shipped seeds speak no trade's.
DEMO_SEEDS = ROOT / "demos" / "retail" / "seeds"

Row = Mapping[str, Any]
Landing = Mapping[str, Sequence[Row]]

# What a developer's shell may hold, and a test must not depend on.
_OWN_VARIABLES = (
    "AUDIENCE_TARGET",
    DBT_SERVER,
    "LANDING_DIR",
    "PUBLISH_POSTGRES_DSN",
    "PUBLISH_POSTGRES_SCHEMA",
    "WAREHOUSE_DIR",
    "AS_OF",
    "DEMO",
    "STORE_TIMEZONE",
    "DBT_TARGET",
    "MAPPING",
    "REPORTING_CURRENCY",
    "SEEDS_DIR",
    "SEEDS_PATH",
    "SETTINGS",
    "PYTHONDONTWRITEBYTECODE",
    "SPARK_METHOD",
    "SPARK_WAREHOUSE_DIR",
)


@dataclass(frozen=True)
class Build:
    """A finished build: its warehouse folder, dbt's target folder, and what was printed."""

    warehouse: Path
    target: Path
    output: str

    @property
    def file(self) -> Path:
        """dbt's database."""
        return self.warehouse / "build" / "warehouse.duckdb"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, read-only."""
        with duckdb.connect(str(self.file), read_only=True) as con:
            return con.sql(sql).fetchall()

    def frame(self, sql: str) -> pd.DataFrame:
        """A query as a frame; decimals become floats."""
        with duckdb.connect(str(self.file), read_only=True) as con:
            return con.sql(sql).df()

    def value(self, sql: str) -> Any:
        """The only value of a query."""
        ((value,),) = self.rows(sql)
        return value

    def mapping(self, sql: str) -> dict[Any, Any]:
        """Rows of a query of two columns, as key to value; of more columns, key to the tuple of the others."""
        rows = self.rows(sql)
        found = {row[0]: row[1] if len(row) == 2 else row[1:] for row in rows}
        assert len(found) == len(rows), "the first column is no key"
        return found

    def contents(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table, columns and rows in a fixed order, so that two builds can be compared.

        Left out is what says from what a row was made: it holds the time at which a file was landed.
        """
        with duckdb.connect(str(self.file), read_only=True) as con:
            columns = sorted(name for name, *_ in con.sql(f"describe {table}").fetchall() if name != "made_from")
            quoted = ", ".join(f'"{name}"' for name in columns)
            return con.sql(f"select {quoted} from {table} order by all").fetchall()

    def published(self, leave_out: Sequence[str] = ("quarantine",)) -> dict[str, list[tuple[Any, ...]]]:
        """The contents of every published table but those in `leave_out` (quarantine names files and row numbers)."""
        return {table: self.contents(table) for table in self.published_tables() if table not in leave_out}

    def published_tables(self) -> list[str]:
        """dbt tables that are published, by their names in the build."""
        nodes = json.loads((self.target / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
        return sorted(
            node["alias"]
            for node in nodes
            if node["resource_type"] == "model"
            and node["path"].startswith("marts/")
            and node["config"]["meta"].get("published", True)
        )


def write_csv(landing_dir: Path, table: str, rows: Sequence[Row], name: str = "rows.csv") -> Path:
    """`landing_dir`/`table`/`name` with a header; None becomes an empty cell. Columns are those of any row."""
    path = landing_dir / table / name
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(landing_dir: Path, table: str, rows: Sequence[Row], name: str = "rows.parquet") -> Path:
    """The same as a Parquet file, with the types of the Python values."""
    path = landing_dir / table / name
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    pq.write_table(pa.table({column: [row.get(column) for row in rows] for column in columns}), path)
    return path


def write_landing(landing_dir: Path, tables: Landing) -> Path:
    """One CSV file a table; returns `landing_dir`."""
    landing_dir.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        write_csv(landing_dir, table, rows)
    return landing_dir


def seed_rows(name: str) -> list[dict[str, str]]:
    """Rows of a seed as a build of `environment` reads it: the demo's where it has one of that name."""
    path = DEMO_SEEDS / f"{name}.csv"
    with (path if path.is_file() else ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def demo_seeds() -> dict[str, str]:
    """Variables by which a refresh and dbt alike read the shipped seeds with the demo's in their places.

    dbt reads a folder; it is one for all tests, named by what is in it, so that dbt parses it once.
    """
    root = ROOT
    if not DEMO_SEEDS.is_dir() or not DEMO_SEEDS.is_relative_to(root):
        return {}
    files = {path.name: path for path in sorted((root / "seeds").iterdir()) if path.suffix in (".csv", ".yml")}
    files |= {path.name: path for path in sorted(DEMO_SEEDS.glob("*.csv"))}
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name}\0".encode() + path.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"demo-seeds-{os.getuid()}-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        aside = Path(tempfile.mkdtemp(dir=folder.parent))
        for name, path in files.items():
            shutil.copy(path, aside / name)
        try:
            aside.rename(folder)
        except OSError:
            shutil.rmtree(aside)  # another process was first
    return {"SEEDS_DIR": str(DEMO_SEEDS), "SEEDS_PATH": os.path.relpath(folder, root)}


def environment(warehouse: Path, target: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process: the tests' own settings and nothing of the developer's.

    SEEDS_DIR and SEEDS_PATH given as empty texts make it read the shipped seeds.
    """
    return {
        **{name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES},
        **demo_seeds(),
        "WAREHOUSE_DIR": str(warehouse),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(warehouse / "dbt-logs"),
        "DBT_PROJECT_DIR": str(ROOT),
        "DBT_PROFILES_DIR": str(ROOT / "profiles"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        **variables,
    }


class Served:
    """dbt for all runs of a test process: imported once, and the project parsed once where nothing of it changes.

    Of a small build, imports and parse are a third or more. dbt parses anew where a variable of its profile has another
    value, and the warehouse folder is one. So dbt is told the path of a link to it that is always the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = contextlib.ExitStack()
        self._base: Path | None = None
        self._servers: dict[tuple[Path, bool], str] = {}
        # What the server that holds the project has parsed it from.
        self._parsed_from: list[str] | None = None

    def run(
        self,
        arguments: Sequence[str],
        warehouse: Path,
        target: Path,
        variables: Mapping[str, str],
        before: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """One run of dbt, with nothing else that runs dbt in this process beside it.

        Args:
            variables: beyond the tests' own environment.
            before: a command that runs dbt's, which has a process of its own then.
        """
        with self._lock:
            base = self._folder()
            link = base / "warehouse"
            link.unlink(missing_ok=True)
            link.symlink_to(warehouse.resolve())
            told = environment(link, target, {name: _below(link, warehouse, text) for name, text in variables.items()})
            kept = base / hashlib.sha256("\0".join(_parsed_from(arguments, told)).encode()).hexdigest()[:16]
            _copied(kept, target, (PARTIAL_PARSE,), only_missing=True)
            if before or not is_served(told.get("DBT_TARGET", "") or "duckdb"):
                done = _run([*before, *OWN_DBT, *arguments], told)
            elif Path(told["DBT_PROJECT_DIR"]) != _UNCHANGED:
                # It may change from one run to the next: dbt looks at its files itself.
                done = _run([*DBT_COMMAND, *arguments, NO_COLORS], told, self._server(holds_project=False))
            else:
                done = self._with_project(arguments, target, told, kept)
            _copied(target, kept, (PARTIAL_PARSE,), only_missing=True)
            return done

    def _with_project(
        self, arguments: Sequence[str], target: Path, told: Mapping[str, str], kept: Path
    ) -> subprocess.CompletedProcess[str]:
        address = self._server(holds_project=True)
        # Models may look at these while they are parsed: of paths and dates, whether there is one.
        is_demo = told.get("LANDING_DIR", "") in ("", f"{told['WAREHOUSE_DIR']}/demo")
        asked = [told.get(name, "") for name in _OWN_VARIABLES if name not in ("AS_OF", "LANDING_DIR")]
        wanted = [*_parsed_from(arguments, told), *asked, str(is_demo), str("AS_OF" in told)]
        if wanted != self._parsed_from:
            self._parsed_from = None
            parsed = _run([*DBT_COMMAND, "parse", *_vars(arguments), NO_COLORS], told, address)
            if parsed.returncode:
                return parsed
            self._parsed_from = wanted
            _copied(target, kept, (MANIFEST,))
        _copied(kept, target, (MANIFEST,))
        return _run([*DBT_COMMAND, *arguments, NO_COLORS], told, address)

    def _folder(self) -> Path:
        if self._base is None:
            self._base = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="parsed-")))
            atexit.register(self._held.close)
        return self._base

    def _server(self, holds_project: bool) -> str:
        if (ROOT, holds_project) not in self._servers:
            self._servers[ROOT, holds_project] = self._held.enter_context(running_server(ROOT))
        return self._servers[ROOT, holds_project]


PARTIAL_PARSE, MANIFEST = "partial_parse.msgpack", "manifest.json"
NO_COLORS = "--no-use-colors"
OWN_DBT = (sys.executable, "-m", "dbt.cli.main", NO_COLORS)
_SERVED = Served()


def _parsed_from(arguments: Sequence[str], told: Mapping[str, str]) -> list[str]:
    """What dbt parses the whole project anew for."""
    return [*(told.get(name, "") for name in ("DBT_PROJECT_DIR", "SEEDS_PATH", "DBT_TARGET")), *_vars(arguments)]


def _vars(arguments: Sequence[str]) -> list[str]:
    return [text for pair in itertools.pairwise(arguments) if pair[0] == "--vars" for text in pair]


def _copied(from_folder: Path, to_folder: Path, names: Sequence[str], only_missing: bool = False) -> None:
    for name in names:
        if (from_folder / name).is_file() and not (only_missing and (to_folder / name).exists()):
            to_folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(from_folder / name, to_folder / name)


def _run(command: Sequence[str], told: Mapping[str, str], address: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**told, DBT_SERVER: address} if address else dict(told),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def _below(link: Path, warehouse: Path, value: str) -> str:
    """A path in the warehouse folder, by the link: a landing zone there may be the demo, which is known by its path."""
    path = Path(value)
    return str(link / path.relative_to(warehouse)) if path.is_relative_to(warehouse) else value


def ended_dbt(
    arguments: Sequence[str], warehouse: Path, target: Path, variables: Mapping[str, str], before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """A run of dbt as it ended, well or not.

    Args:
        variables: beyond the tests' own environment.
        before: a command that runs dbt's.
    """
    warehouse.mkdir(parents=True, exist_ok=True)
    return _SERVED.run(arguments, warehouse, target, variables, before)


def dbt(arguments: Sequence[str], warehouse: Path, target: Path, *, cpus: int | None = None, **variables: str) -> Build:
    """Runs dbt in a process of its own, on at most `cpus` processors.

    Raises:
        AssertionError: dbt failed; the text is the end of what it printed.
    """
    before: list[str] = []
    if cpus is not None and hasattr(os, "sched_getaffinity"):
        chosen = sorted(os.sched_getaffinity(0))[:cpus]
        before = ["taskset", "-c", ",".join(map(str, chosen))]
    done = ended_dbt(arguments, warehouse, target, variables, before)
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"dbt {' '.join(arguments)} failed:\n{output[-6000:]}"
    return Build(warehouse, target, output)


def build(
    landing_dir: Path,
    tmp: Path,
    *,
    as_of: str | None = None,
    with_tests: bool = False,
    arguments: Sequence[str] = (),
    cpus: int | None = None,
    **variables: str,
) -> Build:
    """Seeds and models on a landing zone, in `tmp`/warehouse; `with_tests` runs dbt's data tests too.

    Other keywords are environment variables, e.g. STORE_TIMEZONE="America/New_York".
    """
    left_out = ["unit_test"] if with_tests else ["unit_test", "test"]
    if as_of is not None:
        variables["AS_OF"] = as_of
    return dbt(
        ["build", "--exclude-resource-type", *left_out, *arguments],
        tmp / "warehouse",
        tmp / "target",
        cpus=cpus,
        LANDING_DIR=str(landing_dir),
        **variables,
    )
