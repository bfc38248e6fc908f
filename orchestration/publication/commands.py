"""`python -m orchestration rollback`: the published link goes back to the version before, PostgreSQL too.

`python -m orchestration postgres` (make postgres) publishes in PostgreSQL what is published here, where a
refresh could not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.publication.postgres.server import PUBLISH_POSTGRES_DSN, PostgresError, Server, server_of
from orchestration.publication.postgres.versions import publish_to_postgres, warnings
from orchestration.publication.publish import NothingToRollBackTo, rollback
from orchestration.publication.refreshes import known_refreshes, note
from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.storage.assignments import note_assignments, noted_refresh, state_file
from orchestration.storage.lock import LockHeld, refresh_lock
from orchestration.storage.versions import published_version, read_manifest

NOT_EVERYWHERE = 4


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when it was done, 1 when it could not be, 2 when the call or the environment is wrong, 4 when
    the link was moved and PostgreSQL still shows the version before."""
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    parser.add_argument("command", choices=["rollback", "postgres"])
    command = parser.parse_args(arguments).command
    try:
        settings = read_settings()
        server = server_of()
        with refresh_lock(settings.lock_file, purpose=command):
            if command == "postgres":
                return postgres(settings, server)
            note_published(settings)
            left, reached = rollback(settings)
            as_of = read_manifest(settings.published_link.resolve())["as_of"]
            print(f"published is now {reached} (as of {as_of}); it was {left}")
            return NOT_EVERYWHERE if server is not None and postgres(settings, server) else 0
    except (SettingsError, PostgresError) as error:
        print(error, file=sys.stderr)
        return 2
    except (LockHeld, NothingToRollBackTo) as error:
        print(f"{'not rolled back' if command == 'rollback' else 'not published'}: {error}", file=sys.stderr)
        return 1


def note_published(settings: Settings) -> None:
    """Remember what the published version assigned, and that it was published: a refresh that was killed after it
    switched the link has not, and the next one looks where the link points then.

    What cannot be read or written is told, and keeps nobody from going back.
    """
    version = published_version(settings)
    if version is None:
        return
    notes: dict[str, Callable[[], object]] = {
        f"that {version.name} was published": lambda: note(settings, known_refreshes(settings)),
        f"what {version.name} assigned": lambda: _note_assignments(settings, version),
    }
    for what, write in notes.items():
        try:
            write()
        except (OSError, ValueError, pa.ArrowException, duckdb.Error) as error:
            print(f"warning: not noted {what}: {error}", file=sys.stderr)


def _note_assignments(settings: Settings, version: Path) -> None:
    path = state_file(settings)
    if not path.is_file() or version.name > noted_refresh(path):
        note_assignments(settings, version)


def postgres(settings: Settings, server: Server | None) -> int:
    """Publish in PostgreSQL what is published here; 0 when it is there, 1 when it is not, 2 when no server is named."""
    if server is None:
        print(f"{PUBLISH_POSTGRES_DSN} is not set: no server is named", file=sys.stderr)
        return 2
    version = published_version(settings)
    if version is None:
        print(f"{settings.published_link}: nothing is published yet, run make refresh", file=sys.stderr)
        return 1
    try:
        done = publish_to_postgres(server, version)
    except PostgresError as error:
        print(f"PostgreSQL keeps what it had. {error}", file=sys.stderr)
        return 1
    said = "written" if done.is_new else "was there already"
    print(
        f"PostgreSQL shows {done.refresh_id} in {done.place} ({done.rows:,} rows in {len(done.tables)} tables, {said})"
    )
    print("\n".join(f"warning: {text}" for text in warnings(done)), end="\n" if warnings(done) else "")
    return 0
