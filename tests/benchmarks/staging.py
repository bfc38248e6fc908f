"""What reading costs: landing and the staging half of a refresh on generated lines, by one checkout or several.

    LINES=20000000 python -m tests.benchmarks.staging                (default 2,000,000 order lines)
    LINES=20000000 python -m tests.benchmarks.staging ../before .    (the same zone, read by each in this order)

The zone is that of `make benchmark-daily` (SHAPE=grocery or web). Each checkout lands it into a warehouse of its own
and runs dbt as a refresh does for its first half: seeds, staging, and their tests. An earlier run over a few hundred
lines parses the project. Printed are the seconds of both, those of processors (which wait for nobody else),
and the dbt nodes that take most. Everything is written to a temporary folder (TMPDIR) and removed in the end.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration.warehouse.dbt_arguments import STAGING, build_arguments
from tests.benchmarks.daily import SHAPES, write_large_zone
from tests.support import project

SHOWN = 25


@dataclass(frozen=True)
class Seconds:
    """Of a clock, and of processors."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Reading:
    """Landing, dbt in all, and seconds of dbt's nodes; those of tests and of seeds together."""

    landing: Seconds
    dbt: Seconds
    nodes: dict[str, float]


def read(checkout: Path, zone: Path, folder: Path) -> Reading:
    """Land and stage a zone by the code of a checkout, in a new warehouse below `folder`.

    Raises:
        RuntimeError: one of the two failed.
    """
    given = {"LANDING_DIR": str(zone), "DBT_PROJECT_DIR": str(checkout), "DBT_PROFILES_DIR": str(checkout / "profiles")}
    environ = project.environment(folder / "warehouse", folder / "target", given)
    landing = _timed([sys.executable, "-m", "orchestration", "land"], checkout, environ)
    arguments = [*build_arguments("duckdb"), "--select", *STAGING.select.split()]
    dbt = _timed([sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments], checkout, environ)
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    nodes: dict[str, float] = {}
    for result in results:
        kind, _, name, *_ = result["unique_id"].split(".")
        shown = name if kind == "model" else f"{kind}s"
        nodes[shown] = nodes.get(shown, 0.0) + float(result["execution_time"])
    return Reading(landing, dbt, nodes)


def _timed(command: list[str], checkout: Path, environ: dict[str, str]) -> Seconds:
    began, used = time.monotonic(), _processor_seconds()
    done = subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} in {checkout} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return Seconds(time.monotonic() - began, _processor_seconds() - used)


def _processor_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(names: list[str], readings: list[Reading]) -> str:
    """The readings side by side."""
    rows = [f"{'seconds':<40}" + "".join(f"{name[-14:]:>16}" for name in names)]

    def line(name: str, cells: list[float]) -> str:
        return f"{name[:39]:<40}" + "".join(f"{cell:>16.1f}" for cell in cells)

    rows += [
        line("landing", [r.landing.clock for r in readings]),
        line("landing, of processors", [r.landing.processor for r in readings]),
        line("dbt, the staging half", [r.dbt.clock for r in readings]),
        line("dbt, of processors", [r.dbt.processor for r in readings]),
        "",
    ]
    most = {name: max(r.nodes.get(name, 0.0) for r in readings) for r in readings for name in r.nodes}
    for name in sorted(most, key=lambda each: -most[each])[:SHOWN]:
        rows.append(line(name, [r.nodes.get(name, 0.0) for r in readings]))
    return "\n".join(rows)


def main() -> int:
    """Run it; LINES and SHAPE from the environment, checkouts from the command line."""
    lines = int(os.environ.get("LINES", "") or 2_000_000)
    shape = SHAPES[os.environ.get("SHAPE", "") or "grocery"]
    checkouts = [Path(name).resolve() for name in sys.argv[1:]] or [project.ROOT]
    readings = []
    with tempfile.TemporaryDirectory(prefix="benchmark-staging-") as name:
        folder = Path(name)
        few = write_large_zone(folder / "few", replace(shape, days=60), 600)
        zone = write_large_zone(folder / "zone", shape, lines)
        for number, checkout in enumerate(checkouts):
            place = folder / str(number)
            read(checkout, few, place)
            shutil.rmtree(place / "warehouse")
            readings.append(read(checkout, zone, place))
            shutil.rmtree(place / "warehouse")
            print(f"{checkout.name}: read in {readings[-1].landing.clock + readings[-1].dbt.clock:.0f} s", flush=True)
    print(f"{lines:,} lines in {shape.days} files")
    print(report([checkout.name for checkout in checkouts], readings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
