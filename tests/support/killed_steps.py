"""Runs steps of the real job in a child process that it kills: `python -m tests.support.killed_steps`.

Reads lines `<seconds> <asset> <asset> ...` from standard input. For each it forks, the child takes the warehouse's lock
and runs these assets with their checks, and is killed (SIGKILL) so many seconds after it began; `killed` or `ended` is
printed. What is imported once is not imported for every kill: the moments are spent in the steps, not in start-up.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings


def run_assets(assets: list[str], began: int) -> None:
    """The assets, as a run of the job `refresh`; `began` is a pipe that is written to before the first step."""
    from dagster import AssetKey, DagsterInstance

    from orchestration.definitions import defs
    from orchestration.settings import read_settings
    from orchestration.storage.lock import refresh_lock

    with refresh_lock(read_settings().lock_file), DagsterInstance.ephemeral() as instance:
        os.write(began, b".")
        defs.resolve_job_def("refresh").execute_in_process(
            instance=instance, asset_selection=[AssetKey(name) for name in assets], raise_on_error=False
        )


def kill_after(seconds: float, assets: list[str]) -> str:
    """Run the assets in a child and kill it `seconds` after it began; whether it was still running."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            run_assets(assets, writing)
        finally:
            os._exit(0)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if os.waitpid(child, os.WNOHANG)[0]:
            return "ended"
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "killed"


def main() -> None:
    warnings.simplefilter("ignore")
    import orchestration.accountability
    import orchestration.definitions
    import orchestration.landing.prepare  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        seconds, *assets = line.split()
        print(kill_after(float(seconds), assets), flush=True)


if __name__ == "__main__":
    main()
