"""What an edit costs: where nothing but rows of seeds changed since the last build, dbt builds what hangs on them.

The build file holds tables and views that are functions of the landed files, the as-of date, the code, the settings
and the seeds. A build that went through notes what it was made from beside the file. The next one compares: where all
is the same but some seeds (or the state that the last refresh published), the tables that are not made from these
still hold, and so do the results of their checks, which are carried over as they were. Whatever is doubtful is a full
build: another landed file, date, setting, version or line of code; a build that was stopped; a build file that
somebody else has written since.

Belongs here: the note, the comparison, which nodes of the manifest an edit reaches. Does not belong here: running dbt
and telling Dagster (orchestration/defs/build.py); what a kept table keeps within itself (macros/kept.sql).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.places import PROJECT_DIR
from orchestration.settings import Settings
from orchestration.storage.files import write_atomically
from orchestration.warehouse.dbt_arguments import is_staging
from orchestration.warehouse.project import fingerprint

NOTE_NAME = "made_from.json"
# Another number where the note's form or meaning changes: a note of another one is none.
FORM = 1
PACKAGES = ("dbt-core", "dbt-duckdb", "dagster-dbt", "duckdb")
# Seeds that are read while files land, before dbt: with another one all is read anew.
READ_WHILE_LANDING = ("empty_spellings",)
# The dbt source that earlier refreshes write.
STATE = "state"
# It looks at which dates the kept readers of its children hold, which is no edge of dbt's graph: where one of those
# is made anew, it and its children are as well. What other readers find there, of the dates that they have, is the
# same.
LOOKS_AT_READERS = "int_category_dates"


@dataclass(frozen=True)
class MadeFrom:
    """What decides the rows of a build.

    `common` is a digest of all that makes every table doubtful where it changed; `seeds` and `state` are digests by
    the name of a seed, and of a table of the state.
    """

    common: str
    seeds: Mapping[str, str]
    state: Mapping[str, str]


@dataclass(frozen=True)
class Note:
    """What a finished build was made from, which file it is, and what its checks said.

    `checks` are results of Dagster's asset checks: asset, name, passed, severity, description, metadata.
    """

    refresh_id: str
    made_from: MadeFrom
    build_file: Sequence[int]
    checks: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Edit:
    """A build of what hangs on `changed` alone; `selected` are the unique ids of models, seeds and tests by half.

    `note` is that of the build which the rest is taken over from.
    """

    changed: Sequence[str]
    selected: Mapping[str, Sequence[str]]
    note: Note


def made_from(settings: Settings, landing_fingerprint: str) -> MadeFrom:
    """What a build of now is made from.

    Args:
        landing_fingerprint: which files of the landing zone have been landed.
    """
    seeds = seed_digests(settings)
    common = [
        fingerprint(settings, seed_rows=False),
        landing_fingerprint,
        json.dumps(settings.environment(), sort_keys=True),
        os.environ.get("BACKFILL_DATES", ""),
        *(f"{name} {version(name)}" for name in PACKAGES),
        *(f"{name} {seeds.get(name)}" for name in READ_WHILE_LANDING),
        *_looks(settings.landed_dir),
        *(f"{path.relative_to(PROJECT_DIR)} {_file(path)}" for path in _code()),
    ]
    return MadeFrom(
        hashlib.sha256("\n".join(common).encode()).hexdigest(),
        seeds,
        {path.stem: _file(path) for path in sorted(settings.state_dir.glob("*.parquet"))},
    )


def seed_digests(settings: Settings) -> dict[str, str]:
    """What is in the seeds' files, by the names of the seeds."""
    return {path.stem: _file(path) for path in sorted(settings.seeds_dir.glob("*.csv"))}


def edit(settings: Settings, manifest: Mapping[str, Any], now: MadeFrom, note: Note | None) -> Edit | None:
    """What is to be built where nothing but rows of seeds and the state changed since a build; None is everything.

    Args:
        manifest: dbt's manifest.
        now: what a build of now is made from.
        note: what the last one left, None where it left none.
    """
    if note is None or settings.dbt_target != "duckdb" or note.made_from.common != now.common:
        return None
    if list(note.build_file) != build_file_look(settings) or set(note.made_from.seeds) != set(now.seeds):
        return None
    project = manifest["metadata"]["project_name"]
    before = note.made_from
    changed = [f"seed.{project}.{name}" for name, digest in now.seeds.items() if before.seeds[name] != digest]
    if any(id not in manifest["nodes"] for id in changed):
        return None
    for id, source in manifest["sources"].items():
        if source["source_name"] == STATE and before.state.get(source["name"]) != now.state.get(source["name"]):
            changed.append(id)
    reached = reached_by(manifest, changed)
    halves: dict[str, list[str]] = {"staging": [], "marts": []}
    for id in sorted(reached):
        node = manifest["nodes"].get(id)
        if node is None or node["resource_type"] not in ("model", "seed", "test"):
            continue
        parents = [id for id in node["depends_on"].get("nodes", ()) if id in manifest["nodes"]]
        made = [node] if node["resource_type"] != "test" else [manifest["nodes"][id] for id in parents]
        halves["staging" if all(map(is_staging, made)) else "marts"].append(id)
    return Edit(tuple(changed), halves, note)


def reached_by(manifest: Mapping[str, Any], changed: Iterable[str]) -> set[str]:
    """Unique ids of the changed nodes, and of all models and tests that are made from them."""
    children: Mapping[str, Sequence[str]] = manifest["child_map"]
    found: set[str] = set()

    def reach(id: str) -> None:
        if id not in found:
            found.add(id)
            for child in children.get(id, ()):
                reach(child)

    for id in changed:
        reach(id)
    dates = f"model.{manifest['metadata']['project_name']}.{LOOKS_AT_READERS}"
    tables = [id for id in children.get(dates, ()) if id.startswith("model.")]
    readers = {child for table in tables for child in children.get(table, ()) if child.startswith("model.")}
    if readers & found:
        for id in (dates, *tables):
            found |= {id, *(child for child in children.get(id, ()) if child.startswith("test."))}
    return {id for id in found if id in manifest["nodes"]}


# ---- the note -------------------------------------------------------------------------------------------------------


def read_note(settings: Settings) -> Note | None:
    """What the last build left beside its file; None where it left nothing that can be used."""
    try:
        found = json.loads(_note_path(settings).read_text(encoding="utf-8"))
        if found.pop("form") != FORM:
            return None
        return Note(**{**found, "made_from": MadeFrom(**found["made_from"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def forget_note(settings: Settings) -> None:
    """Take the note away, before anything is written that it would no longer hold for."""
    _note_path(settings).unlink(missing_ok=True)


def write_note(settings: Settings, refresh_id: str, made: MadeFrom, checks: Sequence[Mapping[str, Any]]) -> None:
    """Note a build that went through, with what its checks said; of one that ran again, what it said last."""
    last = {(*check["asset"], check["name"]): check for check in checks}
    note = Note(refresh_id, made, build_file_look(settings), list(last.values()))
    text = json.dumps({"form": FORM, **asdict(note)}, default=str)
    write_atomically(_note_path(settings), text.encode())


def build_file_look(settings: Settings) -> list[int]:
    """Size, time and number of the build file, which change when somebody writes it; nothing where it is open or
    gone."""
    path = settings.build_file
    if not path.is_file() or path.with_name(f"{path.name}.wal").exists():
        return []
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _note_path(settings: Settings) -> Path:
    return settings.build_file.parent / NOTE_NAME


# ---- digests --------------------------------------------------------------------------------------------------------


def _file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _looks(folder: Path) -> list[str]:
    """Name, size and time of all files below a folder, but for hidden ones."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            found.append(f"{path.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns}")
    return found


def _code() -> list[Path]:
    return sorted(
        path
        for path in (PROJECT_DIR / "orchestration").rglob("*")
        if path.suffix in (".py", ".csv", ".yml", ".yaml", ".json")
    )
