"""dbt kept ready for the length of a refresh: its imports and the parse of the project are paid for once.

A refresh asks dbt two or three times: for the manifest where the project changed, for each half of the build. Each
time dbt would spend seconds on importing itself and on reading its parse. Here one process does both while the
refresh itself still starts; every call is a fork of it, with the imports and the parsed project in memory, and is
otherwise what a dbt of its own would be: it writes to the caller's output, it ends with an exit code, and it lets go
of the build file because it ends.

    refresh --spawns--> dbt_server --forks--> one dbt for each call
        \\--spawns--> dbt_child (a few milliseconds): hands its arguments, environment and output to the server

Belongs here: the server, and how a client reaches it. Does not belong here: dbt's arguments (dbt_arguments.py), the
client (dbt_child.py), which does all by itself where there is no server.

A killed refresh leaves neither behind: the kernel ends the server with the refresh, and each fork with the server.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from orchestration.warehouse.dbt_child import (
    DBT_SERVER,
    LENGTH_BYTES,
    PREPARE,
    die_with_parent,
    received,
    sent,
)

MODULE = "orchestration.warehouse.dbt_server"
# The number of the open socket, for the server that the refresh starts.
LISTENING = "DBT_SERVER_LISTENING"
# The number of the refresh's process.
STARTED_BY = "DBT_SERVER_STARTED_BY"
SOCKET_NAME = "dbt"


# ---- the refresh's side ---------------------------------------------------------------------------------------------


def is_served(target: str) -> bool:
    """Whether dbt is kept ready for a target: on Linux, whose kernel ends children with their parent, and where the
    engine is a library. Spark starts a Java of its own, beside which the seconds here are nothing."""
    return sys.platform.startswith("linux") and target == "duckdb" and os.environ.get("NO_DBT_SERVER", "") == ""


@contextlib.contextmanager
def dbt_kept_ready(target: str, project_dir: Path) -> Iterator[None]:
    """A server for the length of the block; calls of dbt_child made inside it are its forks.

    Where it cannot be started, each call is a dbt of its own.

    Args:
        target: dbt's target.
        project_dir: the project's folder.
    """
    if not is_served(target):
        yield
        return
    before = os.environ.get(DBT_SERVER)
    with contextlib.ExitStack() as stack:
        try:
            os.environ[DBT_SERVER] = stack.enter_context(running_server(project_dir))
        except OSError as error:
            # The folder of temporary files is full, or its path too long for a socket.
            print(f"dbt is not kept ready: {error}", file=sys.stderr)
        try:
            yield
        finally:
            if before is None:
                os.environ.pop(DBT_SERVER, None)
            else:
                os.environ[DBT_SERVER] = before


@contextlib.contextmanager
def running_server(project_dir: Path) -> Iterator[str]:
    """A server that runs for the length of the block; the address that dbt_child finds in its variable DBT_SERVER.

    Args:
        project_dir: the project's folder.

    Raises:
        OSError: it cannot be started.
    """
    folder = Path(tempfile.mkdtemp(prefix="dbt-"))
    try:
        # Listens from now on: whoever calls before the imports are done waits for them.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(str(folder / SOCKET_NAME))
            listening.listen(8)
            process = subprocess.Popen(
                # What it leaves of locks when it is ended, the kernel takes back: no warning is needed.
                [sys.executable, "-W", "ignore:resource_tracker", "-m", MODULE],
                cwd=project_dir,
                env={**os.environ, LISTENING: str(listening.fileno()), STARTED_BY: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                pass_fds=[listening.fileno()],
            )
        try:
            yield str(folder / SOCKET_NAME)
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare_ahead(arguments: Sequence[str], environment: Mapping[str, str], project_dir: Path) -> None:
    """Ask the server to read the project in the background, with the arguments of a parse; nothing where there is
    none."""
    address = os.environ.get(DBT_SERVER, "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.connect(address)
        request = {
            "do": PREPARE,
            "arguments": list(arguments),
            "environment": {**os.environ, **environment},
            "folder": str(project_dir),
        }
        with open(os.devnull, "wb") as nothing:
            sent(server, request, [nothing.fileno(), nothing.fileno()])


# ---- the server -----------------------------------------------------------------------------------------------------


class Server:
    """Answers calls one after the other; `manifest` is the project as it was parsed last, None before that."""

    def __init__(self) -> None:
        self.manifest: Any = None

    def answer(self, connection: socket.socket) -> None:
        """One call, from request to exit code."""
        request, outputs = received(connection)
        if request is None:
            return
        try:
            arguments = [str(argument) for argument in request["arguments"]]
            is_parse = "parse" in arguments[:1]
            if request["do"] == PREPARE or is_parse:
                code = self.parse(arguments, request, outputs)
                _tell(connection, {"code": code})
            else:
                self.fork(arguments, request, outputs, connection)
        finally:
            for output in outputs:
                os.close(output)

    def parse(self, arguments: list[str], request: Mapping[str, Any], outputs: Sequence[int]) -> int:
        """Parse in this process, and keep the project for the calls that follow; dbt's exit code."""
        from dbt.cli.main import dbtRunner

        self.manifest = None
        _take_over(request, arguments)
        with _written_to(outputs):
            result = dbtRunner().invoke(arguments)
            if result.exception is not None:
                print(result.exception)
        if result.success:
            self.manifest = result.result
            # What is forked from here on shares it, and does not look through it for garbage.
            gc.collect()
            gc.freeze()
            return 0
        return 2 if result.exception is not None else 1

    def fork(
        self, arguments: list[str], request: Mapping[str, Any], outputs: Sequence[int], connection: socket.socket
    ) -> None:
        """Run dbt in a fork of this process; the caller is told the fork's number, and its exit code."""
        if threading.active_count() != 1:
            raise RuntimeError("dbt's server has threads: a fork of it would not be safe")
        server = os.getpid()
        child = os.fork()
        if child == 0:
            code = 2
            try:
                die_with_parent(server)
                for number, output in enumerate(outputs, start=1):
                    os.dup2(output, number)
                _take_over(request, arguments)
                code = _run(arguments, self.manifest)
            finally:
                with contextlib.suppress(OSError):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        _tell(connection, {"process": child})
        # The fork ends, or its caller does.
        ended = os.pidfd_open(child)
        try:
            ready, _, _ = select.select([ended, connection], [], [])
            if ended not in ready:
                os.kill(child, signal.SIGKILL)
        finally:
            os.close(ended)
        _, status = os.waitpid(child, 0)
        _tell(connection, {"code": os.waitstatus_to_exitcode(status)})


def _run(arguments: list[str], manifest: Any) -> int:
    """dbt as its command line runs it, on a project that is parsed already; its exit code."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import cli

    given = {"manifest": manifest} if manifest is not None else {}
    try:
        cli.main(args=arguments, prog_name="dbt", obj=given)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        # The file is closed, and its journal taken in, as it is when an interpreter ends.
        DuckDBConnectionManager.close_all_connections()
        gc.unfreeze()
        gc.collect()
    return 0


def _take_over(request: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """The caller's folder, environment and arguments."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["dbt", *arguments]


@contextlib.contextmanager
def _written_to(outputs: Sequence[int]) -> Iterator[None]:
    """Standard output and error into the caller's, for the length of the block."""
    kept = [os.dup(number) for number in (1, 2)]
    try:
        for number, output in enumerate(outputs, start=1):
            os.dup2(output, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, own in enumerate(kept, start=1):
            os.dup2(own, number)
            os.close(own)


def _tell(connection: socket.socket, answer: Mapping[str, Any]) -> None:
    # A caller that is gone needs no answer.
    with contextlib.suppress(OSError):
        text = json.dumps(answer).encode()
        connection.sendall(len(text).to_bytes(LENGTH_BYTES, "big") + text)


def serve() -> None:
    """Import dbt, then answer calls until the refresh ends this process."""
    die_with_parent(int(os.environ.pop(STARTED_BY)))
    listening = socket.socket(fileno=int(os.environ.pop(LISTENING)))
    import dbt.adapters.duckdb.impl
    import dbt.cli.main
    import dbt.task.build  # noqa: F401

    # It would inherit the output of the call in which it is first needed, and hold it open.
    resource_tracker.ensure_running()
    server = Server()
    while True:
        connection, _ = listening.accept()
        with connection:
            server.answer(connection)


if __name__ == "__main__":
    serve()
