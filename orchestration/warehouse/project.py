"""The dbt project as Python sees it: where it is, its manifest, its vars.

Belongs here: making the manifest when it is missing or out of date, reading it.
Does not belong here: building models (assets.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.overrides import held_vars, prepare_seeds, shipped_vars, vars_arguments
from orchestration.settings import PROJECT_DIR, SHIPPED_SEEDS, Settings, read_settings
from orchestration.storage.lock import is_held
from orchestration.warehouse.dbt_arguments import parse_arguments
from orchestration.warehouse.dbt_server import prepare_ahead

# What the manifest is made from. Seeds' rows are not in it, but their checksums are.
MANIFEST_INPUTS = ("dbt_project.yml", "profiles", "models", "macros", "seeds", "tests/dbt")
FINGERPRINT_NAME = "manifest.fingerprint"
# The same, but for the rows of the seeds.
STRUCTURE_NAME = "manifest.structure"
PARTIAL_PARSE = "partial_parse.msgpack"
DBT_COMMAND = (sys.executable, "-m", "orchestration.warehouse.dbt_child")

Manifest = dict[str, Any]

# One parse at a time in this process: whoever asks second finds what the first one has made.
_parsing = threading.Lock()
# Which projects this process's dbt server has been asked to read.
_prepared: set[str] = set()


class ProjectError(RuntimeError):
    """The dbt project cannot be read; the text is dbt's own."""


def target_dir(project_dir: Path = PROJECT_DIR) -> Path:
    """dbt's target folder: DBT_TARGET_PATH where set, else target/ in the project."""
    path = Path(os.environ.get("DBT_TARGET_PATH", "") or "target")
    return path if path.is_absolute() else project_dir / path


def project_vars(settings: Settings | None = None, project_dir: Path = PROJECT_DIR) -> dict[str, Any]:
    """The vars that hold: those of dbt_project.yml, with those of MAPPING and SETTINGS in their places.

    Args:
        settings: by default the environment's.
    """
    shipped = shipped_vars(project_dir)
    return {**shipped, **held_vars(settings or read_settings(), shipped)}


def own_arguments(settings: Settings, project_dir: Path = PROJECT_DIR) -> list[str]:
    """dbt's arguments for the vars of MAPPING and SETTINGS."""
    return vars_arguments(held_vars(settings, shipped_vars(project_dir)))


def fingerprint(settings: Settings, project_dir: Path = PROJECT_DIR, seed_rows: bool = True) -> str:
    """Digest of all that decides what the manifest says: files, their place, dbt's version, the target, own vars.

    Args:
        seed_rows: whether the rows of the seeds count, of which the manifest holds no more than checksums.
    """
    # The place too: a parse holds the paths of the seeds, and a copied project would load those of the original.
    own = own_arguments(settings, project_dir)
    digest = hashlib.sha256(f"{version('dbt-core')} {settings.dbt_target} {project_dir.resolve()} {own}\n".encode())
    own_seeds = sorted(settings.seeds_dir.glob("*")) if settings.seeds_dir != SHIPPED_SEEDS else []
    for path in [*_input_files(project_dir), *own_seeds]:
        digest.update(f"{os.path.relpath(path, project_dir)}\0".encode())
        is_seed = path.suffix == ".csv" and path.parent in (SHIPPED_SEEDS, project_dir / "seeds", settings.seeds_dir)
        if seed_rows or not is_seed:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def manifest_path(settings: Settings, project_dir: Path = PROJECT_DIR) -> Path:
    """Path of an up-to-date manifest.json, made by `dbt parse` when it is missing or anything it is made from changed.

    The manifest appears whole: it is parsed aside and moved into place, so two processes may ask at once. Where
    nothing but rows of seeds changed, the parse is that of before with their checksums in it; after every other
    change it is a new one, because a kept parse does not see a new scheme in the model that unites them.

    Raises:
        ProjectError: dbt cannot parse the project.
        SettingsError: SETTINGS or SEEDS_DIR cannot be used.
    """
    # Those of a refresh that runs are its own: it reads them to its end.
    if not (is_held(settings.lock_file) and settings.seeds_dir.is_dir()):
        prepare_seeds(settings)
    with _parsing:
        return _manifest_path(settings, project_dir)


def _manifest_path(settings: Settings, project_dir: Path) -> Path:
    folder = target_dir(project_dir)
    manifest = folder / "manifest.json"
    noted, structure = folder / FINGERPRINT_NAME, folder / STRUCTURE_NAME
    wanted = fingerprint(settings, project_dir)
    wanted_structure = fingerprint(settings, project_dir, seed_rows=False)
    environment = {**settings.environment(), "DBT_LOG_PATH": str(settings.build_file.parent / "target" / "parse")}
    # The digest of the manifest is noted too: dbt itself, run by hand, may have written another one.
    if manifest.is_file() and noted.is_file() and noted.read_text().split() == [wanted, _digest(manifest)]:
        if wanted not in _prepared:
            _prepared.add(wanted)
            ahead = settings.build_file.parent / "target" / "parse"
            _with_parse_of(folder, ahead)
            own = own_arguments(settings, project_dir)
            prepare_ahead(
                [*parse_arguments(settings.dbt_target, ahead, own), "--no-write-json"], environment, project_dir
            )
        return manifest
    aside = folder / f".parse-{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    if structure.is_file() and structure.read_text().split() == [wanted_structure, _parse_digest(folder)]:
        _with_parse_of(folder, aside)
    try:
        answer = subprocess.run(
            [*DBT_COMMAND, *parse_arguments(settings.dbt_target, aside, own_arguments(settings, project_dir))],
            cwd=project_dir,
            env={**os.environ, **settings.environment(), "DBT_LOG_PATH": str(aside)},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0 or not (aside / "manifest.json").is_file():
            raise ProjectError(f"dbt cannot parse the project:\n{(answer.stdout + answer.stderr).strip()}")
        for name in (PARTIAL_PARSE, "semantic_manifest.json", "manifest.json"):
            if (aside / name).is_file():
                os.replace(aside / name, folder / name)
        notes = {noted: f"{wanted} {_digest(manifest)}", structure: f"{wanted_structure} {_parse_digest(folder)}"}
        for path, note in notes.items():
            (aside / path.name).write_text(note)
            os.replace(aside / path.name, path)
        # The server that parsed it has it in memory.
        _prepared.add(wanted)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


def _with_parse_of(folder: Path, other: Path) -> None:
    """dbt's kept parse of a target folder, in another one."""
    other.mkdir(parents=True, exist_ok=True)
    (other / PARTIAL_PARSE).unlink(missing_ok=True)
    if (folder / PARTIAL_PARSE).is_file():
        shutil.copy(folder / PARTIAL_PARSE, other / PARTIAL_PARSE)


def _parse_digest(folder: Path) -> str:
    path = folder / PARTIAL_PARSE
    return _digest(path) if path.is_file() else ""


def read_manifest(path: Path) -> Manifest:
    """manifest.json as a dictionary."""
    manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _input_files(project_dir: Path) -> Iterator[Path]:
    for name in MANIFEST_INPUTS:
        path = project_dir / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
