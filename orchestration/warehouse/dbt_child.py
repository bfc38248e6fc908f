"""dbt as a child process that does not outlive its parent: `python -m orchestration.warehouse.dbt_child <arguments>`.

A refresh that is killed would otherwise leave a dbt behind that goes on writing the build file, beside the next one.

Inside a refresh a server has dbt ready (dbt_server.py): then this process only hands it the arguments, the
environment and its own output, and ends with dbt's exit code. Where there is no server, it is dbt itself.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

PR_SET_PDEATHSIG = 1  # linux/prctl.h
# The server's socket, where there is a server.
DBT_SERVER = "DBT_SERVER"
CALL, PREPARE = "call", "prepare"
# Messages are JSON with their length in front.
LENGTH_BYTES = 8


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to end this process when its parent ends (Linux; elsewhere nothing is done).

    Args:
        parent: the parent's number, where this process was told: it may have ended before this one looks.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    parent = parent or os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the request.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def sent(server: Any, request: dict[str, Any], outputs: list[int]) -> None:
    """Hand a server a request, and two of this process's files for its output."""
    text = json.dumps(request).encode()
    socket.send_fds(server, [len(text).to_bytes(LENGTH_BYTES, "big")], outputs)
    server.sendall(text)


def received(connection: Any) -> tuple[dict[str, Any] | None, list[int]]:
    """A request and the files for its output; None where the caller is gone."""
    head, outputs, _, _ = socket.recv_fds(connection, LENGTH_BYTES, 2)
    if len(head) < LENGTH_BYTES:
        return None, list(outputs)
    return _message(connection, int.from_bytes(head, "big")), list(outputs)


def answers(server: Any) -> Iterator[dict[str, Any]]:
    """What a server says, until it says no more."""
    while head := _bytes(server, LENGTH_BYTES):
        message = _message(server, int.from_bytes(head, "big"))
        if message is None:
            return
        yield message


def _message(connection: Any, length: int) -> dict[str, Any] | None:
    text = _bytes(connection, length)
    if text is None:
        return None
    message: dict[str, Any] = json.loads(text)
    return message


def _bytes(connection: Any, length: int) -> bytes | None:
    parts = []
    while length:
        part = connection.recv(length)
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def call_server(address: str, arguments: list[str]) -> int | None:
    """Have a server run dbt; its exit code, or None where there is no server."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            server.connect(address)
        except OSError:
            return None
        request = {"do": CALL, "arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
        sent(server, request, [1, 2])
        process = 0
        said = answers(server)
        while True:
            try:
                for answer in said:
                    process = answer.get("process", process)
                    if "code" in answer:
                        return int(answer["code"])
                # It ended without a word; what dbt had to say is in the output.
                print("dbt's server ended before dbt did", file=sys.stderr)
                return 2
            except KeyboardInterrupt:
                # As a dbt of its own would: it stops its queries, and says so.
                if process:
                    os.kill(process, signal.SIGINT)
                said = answers(server)


def main() -> int:
    """dbt's exit code."""
    die_with_parent()
    address = os.environ.pop(DBT_SERVER, "")
    code = call_server(address, sys.argv[1:]) if address else None
    if code is not None:
        return code
    from dbt.cli.main import cli

    cli()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
