"""A real PostgreSQL server for tests: made in a folder of its own, started on a free port, ended by its process id.

Belongs here: finding the server's programs, running them as somebody who is not root, databases and roles.
Does not belong here: what is written there.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest

ADMIN = "admin"
# Distinct, so that it can be looked for in every file; with letters that a URL has to spell otherwise.
PASSWORD = "geheim/7531@tür%"
SECONDS_TO_START = 60


def programs() -> Path | None:
    """The folder of initdb and postgres: on the path, or where Debian's packages put them, the newest first."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").is_file()]
    return max(found, key=lambda p: int(p.parent.name.split(".")[0]), default=None)


def required_programs() -> Path:
    """The same; without them the test is skipped, and in CI it fails."""
    found = programs()
    if found is None:
        why = "no PostgreSQL server is installed (Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `process` is its first process."""

    port: int
    process: subprocess.Popen[bytes]

    def dsn(self, database: str, user: str = ADMIN, password: str = PASSWORD) -> str:
        """A connection string in the form of key and value."""
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=self.port, dbname=database, user=user, password=password
        )

    def database(self, name: str) -> str:
        """A new, empty database; its connection string."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as con:
            con.execute(cast(LiteralString, f'drop database if exists "{name}" with (force)'))
            con.execute(cast(LiteralString, f'create database "{name}"'))
        return self.dsn(name)


def rows(dsn: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a query in a connection of its own; no rows of a statement that has none."""
    with psycopg.connect(dsn, autocommit=True) as con:
        cursor = con.execute(cast(LiteralString, sql), values or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A server for the length of the block."""
    found = required_programs()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    unprivileged: list[str] = []
    if os.geteuid() == 0:
        # The server refuses to run as root.
        user = next((u for u in ("postgres", "nobody") if _exists(u)), "nobody")
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        unprivileged = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    data = folder / "data"
    try:
        made = subprocess.run(
            [*unprivileged, str(found / "initdb"), "-D", str(data), "-U", ADMIN, "--auth=scram-sha-256",
             f"--pwfile={secret}", "--encoding=UTF8", "--no-sync"],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr
        port = _free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "max_connections": "40",
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*unprivileged, str(found / "postgres"), "-D", str(data), "-p", str(port)]
                + [f"--{name}={value}" for name, value in settings.items()],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        server = PostgresServer(port, process)
        try:
            _wait(server, folder / "log")
            yield server
        finally:
            # A fast shutdown: sessions are ended.
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: PostgresServer, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.process.poll() is None:
        try:
            with psycopg.connect(server.dsn("postgres")):
                return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
