"""A warehouse folder that cannot be written, and a disk that is full: one sentence each, in place of a traceback.

Belongs here: trying the folder before anything is done, estimating what room is needed, recognising the two in errors
of any step.
Does not belong here: what is written (the steps).
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from orchestration.settings import Settings, SettingsError

FULL = {errno.ENOSPC, errno.EDQUOT}
NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
# What Python, DuckDB and Spark say, in errors that reach us as text (dbt runs in a process of its own); the first is
# said of any disk.
NO_SPACE = "no space left on device"
FULL_WORDS = (NO_SPACE, "disk quota exceeded", "max_temp_directory_size", "out of disk space")
# Bytes of the warehouse folder for a byte of the landing zone, with the kept facts, the candidate and one version, as
# measured (docs/benchmarks.md): less than any of several shops took, so that a refresh that would fit is not refused.
# CSV says the same in about five times the bytes.
BYTES_PER_PARQUET_BYTE, BYTES_PER_CSV_BYTE = 40, 8
_BYTES_PER_BYTE = {".csv": BYTES_PER_CSV_BYTE, ".parquet": BYTES_PER_PARQUET_BYTE}
# What a shop of a few hundred lines takes.
LEAST_BYTES = 100_000_000
# The var by which a refresh goes on all the same.
CHECK = "check_disk"


def check_writable(settings: Settings) -> None:
    """Make the warehouse folder where it is missing, and write a few bytes there.

    Raises:
        SettingsError: it cannot be made or written, or its disk is full; the text names the folder and what is needed.
    """
    try:
        settings.warehouse_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.warehouse_dir, prefix=".writable-") as probe:
            probe.write(b"x" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise SettingsError(explained(error, settings) or f"WAREHOUSE_DIR={settings.warehouse_dir}: {error}") from None


def check_room(settings: Settings, tables: Collection[str] = ()) -> None:
    """Stop where the disk has less room than this landing zone takes, before any work.

    What the warehouse folder holds already is taken for a part of it: a refresh builds in the same place again.

    Args:
        tables: names of the landing zone's tables, whose folders are looked at; all folders where there are none.

    Raises:
        SettingsError: there is less; the text names the folder, both sizes and what to do.
    """
    # Spark's tables may be elsewhere, and what they take was not measured.
    if settings.dbt_target != "duckdb":
        return
    folder = settings.warehouse_dir
    needed = _bytes_still_needed(settings, tables)
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < needed:
        raise SettingsError(
            f"WAREHOUSE_DIR={folder}: {_size(free)} of its disk are free, and this landing zone takes about "
            f"{_size(needed)} there, as other shops did (docs/benchmarks.md): free some room, lower keep_versions, set "
            f"WAREHOUSE_DIR to a folder on a larger disk, or set {CHECK} to false to try all the same"
        )


def explained(error: OSError, settings: Settings) -> str | None:
    """The sentence for an error of the operating system; None where it is neither of the two.

    It names the place that the error names, where that is not in the warehouse folder.
    """
    places = [Path(os.path.abspath(os.fsdecode(name))) for name in (error.filename, error.filename2) if _is_path(name)]
    elsewhere = places[0] if places and not any(_is_warehouses(place, settings) for place in places) else None
    why = error.strerror or str(error)
    if error.errno in FULL:
        return full(settings) if elsewhere is None else _full_elsewhere(elsewhere.parent)
    if error.errno not in NOT_WRITABLE:
        return None
    if elsewhere is not None:
        return (
            f"{elsewhere}: cannot be read or written ({why}); needed is a place that this user may use: change its "
            "owner or permissions, or name another one"
        )
    if settings.lock_file in places:
        return (
            f"{settings.lock_file}: cannot be written ({why}), so that nobody can tell whether a refresh runs: change "
            "its owner or permissions, or remove it while none does"
        )
    return (
        f"WAREHOUSE_DIR={settings.warehouse_dir}: cannot be written ({why}); needed is a folder in which this "
        "user may make files and folders: change its owner or permissions, or set WAREHOUSE_DIR to another one"
    )


def _is_path(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike)


def _is_warehouses(place: Path, settings: Settings) -> bool:
    # Folders above it are made with it.
    folder = settings.warehouse_dir
    return place == folder or folder in place.parents or place in folder.parents


def in_words(message: str, settings: Settings) -> str:
    """A step's message; the one sentence where it says that a disk is full, of the disk that is."""
    found = [words for words in FULL_WORDS if words in message.lower()]
    if not found:
        return message
    if found == [NO_SPACE]:
        here = settings.warehouse_dir
        disks = _disks(settings)
        said = "\n".join(line for line in message.splitlines() if NO_SPACE in line.lower())
        # The inner one first: one may lie in the other.
        named = [folder for folder in sorted(disks, key=lambda each: -len(each.parts)) if _is_named(folder, said)]
        if named:
            return full(settings) if named[0] == here else _full_elsewhere(named[0])
        free = {folder: _free_bytes(folder) for folder in disks}
        known = {folder: size for folder, size in free.items() if size is not None}
        short = [
            folder
            for folder, size in known.items()
            if size < (max(_bytes_still_needed(settings), LEAST_BYTES) if folder == here else LEAST_BYTES)
        ]
        if known and not short:
            # Neither is: the message names what was.
            return message
        if short and here not in short:
            return _full_elsewhere(short[0])
    return full(settings)


def _is_named(folder: Path, message: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(str(folder))}(?![\w.-])", message) is not None


def _disks(settings: Settings) -> list[Path]:
    """The warehouse folder, and the folder of temporary files where that is on another disk."""
    here = settings.warehouse_dir
    try:
        temporary = Path(tempfile.gettempdir())
        return [here] if temporary.stat().st_dev == here.stat().st_dev else [here, temporary]
    except OSError:
        return [here]


def _full_elsewhere(folder: Path) -> str:
    return (
        f"{folder}: its disk is full ({_free(folder)} free): free some room there, or set TMPDIR to a folder on a "
        "larger disk where it is the one of temporary files"
    )


def full(settings: Settings) -> str:
    """What a full disk means, and how much room is roughly needed."""
    folder = settings.warehouse_dir
    needed = f"about {_size(_bytes_needed(settings))} for this landing zone, and more for each kept version"
    return (
        f"WAREHOUSE_DIR={folder}: its disk is full ({_free(folder)} free); needed is {needed}: free some room, lower "
        "keep_versions, or set WAREHOUSE_DIR to a folder on a larger disk"
    )


def _bytes_still_needed(settings: Settings, tables: Collection[str] = ()) -> int:
    """What is needed without what the warehouse folder holds; at least the room of a version."""
    held = sum(_bytes_on_disk(part) for part in (settings.build_file.parent, settings.landed_dir))
    # A candidate stands beside the version before it.
    version = _bytes_on_disk(settings.published_link.resolve()) if settings.published_link.exists() else 0
    return max(_bytes_needed(settings, tables) - held, version)


def _bytes_needed(settings: Settings, tables: Collection[str] = ()) -> int:
    landed = 0
    for path in _files(settings.source_dir):
        if tables and path.relative_to(settings.source_dir).parts[0] not in tables:
            continue
        try:
            size = path.stat().st_size
        except OSError:
            continue
        landed += size * _BYTES_PER_BYTE.get(path.suffix.lower(), 0)
    return landed + LEAST_BYTES


def _bytes_on_disk(folder: Path) -> int:
    held = 0
    for path in _files(folder):
        try:
            held += path.stat().st_blocks * 512
        except OSError:
            continue
    return held


def _files(folder: Path) -> Iterable[Path]:
    return (Path(at) / name for at, _, names in os.walk(folder) for name in names)


def _free(folder: Path) -> str:
    size = _free_bytes(folder)
    return "unknown" if size is None else _size(size)


def _free_bytes(folder: Path) -> int | None:
    # The folder itself may be what is missing.
    for each in (folder, *folder.parents):
        try:
            return shutil.disk_usage(each).free
        except OSError:
            continue
    return None


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
