"""A folder as a target: on this machine, or anywhere that fsspec knows a way to (sftp://, s3://, gs://, memory:// …).

    latest.json                   which hand-over is the last: written when it is complete
    <hand-over>/<channel>.csv     the whole list, and as .parquet
    <hand-over>/<channel>.changes.csv   what changed, and as .parquet
    <hand-over>/manifest.json     rows and digests of these files: written last, a folder without it is not complete
    receipts/                     what the sender leaves for us

Files are written under another name and renamed, so that nobody who looks into the folder takes half of one.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.audiences.export import csv_text, file_stem
from orchestration.audiences.handover.target import HandOver, Target, TargetError, scrubbed, without_secrets

MANIFEST = "manifest.json"
LATEST = "latest.json"
RECEIPTS = "receipts"
# A week of daily hand-overs: for a sender that was away over a weekend.
KEPT = 7
# Columns that say whom a row is about; a hand-over of an earlier release may lack the second.
_ABOUT = ("member_id", "company_id")
# Folders that are ours to remove: named by a refresh.
_OURS = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}-[0-9a-f]{8}")


class FolderTarget(Target):
    """A folder by its path or URL."""

    def __init__(self, url: str, keep: int = KEPT) -> None:
        self._url = url
        self._keep = max(1, keep)

    @property
    def name(self) -> str:
        """The URL without secrets."""
        return without_secrets(self._url)

    def write(self, hand_over: HandOver) -> None:
        """See Target."""
        with self._opened() as (files, root):
            folder = f"{root}/{hand_over.id}"
            if self._is_taken_back(files, root, hand_over):
                self._remove(files, folder)
            if not files.exists(f"{folder}/{MANIFEST}"):
                self._remove_unfinished(files, root)
                written = {
                    name: {"rows": table.num_rows, "sha256": self._put(files, f"{folder}/{name}", data)}
                    for name, table, data in _files(hand_over)
                }
                manifest = {
                    "hand_over": hand_over.id,
                    "as_of": hand_over.as_of.isoformat(),
                    "since": hand_over.since,
                    "changes": hand_over.counts,
                    "files": written,
                }
                self._put(files, f"{folder}/{MANIFEST}", (json.dumps(manifest, indent=2) + "\n").encode())
            latest = {"hand_over": hand_over.id, "folder": hand_over.id, "as_of": hand_over.as_of.isoformat()}
            self._put(files, f"{root}/{LATEST}", (json.dumps(latest, indent=2) + "\n").encode())
            # Of one refresh there may be two: the digest in the name says nothing of which is the later one.
            old = [name for name in self._hand_overs(files, root) if name != hand_over.id]
            for name in old[: max(0, len(old) - self._keep + 1)]:
                self._remove(files, f"{root}/{name}")

    def receipts(self) -> Iterator[tuple[str, pa.Table]]:
        """The files in receipts/, CSV or Parquet."""
        from orchestration.audiences.handover.receipts import read_csv, read_parquet

        with self._opened() as (files, root):
            folder = f"{root}/{RECEIPTS}"
            names = sorted(p for p in files.find(folder)) if files.exists(folder) else []
            for path in names:
                name = path.rsplit("/", 1)[-1]
                read = {"csv": read_csv, "parquet": read_parquet}.get(name.rsplit(".", 1)[-1].lower())
                if read is not None and not name.startswith("."):
                    yield name, read(files.cat_file(path), name)

    def forget(self, person_id: str) -> bool:
        """All hand-overs but the last are removed, whoever is in them; that one is written again without the person."""
        with self._opened() as (files, root):
            self._remove_unfinished(files, root)
            last = None
            if files.exists(f"{root}/{LATEST}"):
                last = json.loads(files.cat_file(f"{root}/{LATEST}"))["folder"]
            for name in self._hand_overs(files, root):
                if name != last:
                    self._remove(files, f"{root}/{name}")
                else:
                    self._forget_in(files, f"{root}/{name}", person_id)
        return True

    def _is_taken_back(self, files: Any, root: str, hand_over: HandOver) -> bool:
        """Whether an earlier one comes again, after a rollback, with other changes than it had."""
        manifest = f"{root}/{hand_over.id}/{MANIFEST}"
        if not files.exists(manifest) or not files.exists(f"{root}/{LATEST}"):
            return False
        last = json.loads(files.cat_file(f"{root}/{LATEST}"))["folder"]
        # What a sender reads is never written anew.
        return bool(last != hand_over.id and json.loads(files.cat_file(manifest)).get("since") != hand_over.since)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, str]]:
        """The file system and the path in it; whatever goes wrong is told without the URL."""
        try:
            from fsspec.core import url_to_fs

            parts = urlsplit(self._url)
            # It would become a folder of that name, with the password in it.
            if parts.scheme in ("file", "local") and "@" in parts.netloc:
                raise TargetError(f"{self.name}: a folder of this machine takes no user and no password; give its path")
            files, root = url_to_fs(self._url)
            files.makedirs(root, exist_ok=True)
            files.invalidate_cache()
            yield files, root.rstrip("/")
        except TargetError:
            raise
        except Exception as error:
            parts = urlsplit(self._url)
            secrets = [self._url, parts.netloc.rpartition("@")[0], parts.password or "", unquote(parts.password or "")]
            said = scrubbed(f"{type(error).__name__}: {error}", [*secrets, parts.query])
            raise TargetError(f"{self.name}: {said}") from None

    def _put(self, files: Any, path: str, data: bytes) -> str:
        """A file, whole or not at all; its digest."""
        folder, _, name = path.rpartition("/")
        files.makedirs(folder, exist_ok=True)
        aside = f"{folder}/.{name}.part"
        files.pipe_file(aside, data)
        files.mv(aside, path)
        return hashlib.sha256(data).hexdigest()

    def _hand_overs(self, files: Any, root: str) -> list[str]:
        """Complete hand-overs, the oldest first."""
        return [name for name in self._folders(files, root) if files.exists(f"{root}/{name}/{MANIFEST}")]

    def _folders(self, files: Any, root: str) -> list[str]:
        files.invalidate_cache()
        try:
            listed = files.ls(root, detail=True)
        except FileNotFoundError:
            # A store of objects has no folder without a file in it.
            return []
        found = (entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in listed)
        return sorted(name for name in found if _OURS.fullmatch(name))

    def _forget_in(self, files: Any, folder: str, person_id: str) -> None:
        """Rows about a person out of a hand-over: lists and changes, and what the manifest says of them.

        Also where an earlier attempt was stopped between files: each is held against what it should be.
        """
        manifest = json.loads(files.cat_file(f"{folder}/{MANIFEST}"))
        known = json.dumps(manifest)
        for name in [name for name in manifest["files"] if name.endswith(".parquet")]:
            found = pq.read_table(io.BytesIO(files.cat_file(f"{folder}/{name}")))
            about = zip(*(found[c].to_pylist() for c in _ABOUT if c in found.column_names), strict=True)
            table = found.filter(pa.array([person_id not in ids for ids in about], pa.bool_()))
            stem = name.removesuffix(".parquet")
            for written, data in _encoded(stem, table):
                path = f"{folder}/{written}"
                there = files.cat_file(path)
                is_changed = table.num_rows != found.num_rows if written == name else there != data
                digest = self._put(files, path, data) if is_changed else hashlib.sha256(there).hexdigest()
                manifest["files"][written] = {"rows": table.num_rows, "sha256": digest}
            for channel in manifest["changes"]:
                if stem == f"{file_stem(channel)}.changes":
                    manifest["changes"][channel] = dict(Counter(table["change"].to_pylist()))
        if json.dumps(manifest) != known:
            self._put(files, f"{folder}/{MANIFEST}", (json.dumps(manifest, indent=2) + "\n").encode())

    def _remove_unfinished(self, files: Any, root: str) -> None:
        for name in set(self._folders(files, root)) - set(self._hand_overs(files, root)):
            files.rm(f"{root}/{name}", recursive=True)

    def _remove(self, files: Any, folder: str) -> None:
        # The manifest first: what is half removed is not complete.
        files.rm_file(f"{folder}/{MANIFEST}")
        files.invalidate_cache()
        if files.exists(folder):
            files.rm(folder, recursive=True)


def _files(hand_over: HandOver) -> Iterator[tuple[str, pa.Table, bytes]]:
    """Name, table and bytes of each file."""
    for ending, tables in (("", hand_over.lists), (".changes", hand_over.changes)):
        for channel, table in tables.items():
            for name, data in _encoded(f"{file_stem(channel)}{ending}", table):
                yield name, table, data


def _encoded(stem: str, table: pa.Table) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the two files of a table."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    yield f"{stem}.parquet", sink.getvalue()
    columns = (table.column(name).to_pylist() for name in table.column_names)
    yield f"{stem}.csv", csv_text(table.column_names, zip(*columns, strict=True)).encode()
