"""`make benchmark`: this project beside its peers, in one run and one table.

    LINES=20000000 RUNS=3 SHAPE=web make benchmark        (default 1,000,000 lines, 1 run, grocery)

On one generated shop (tests/benchmarks/daily.py; hashes of row numbers, so the same rows each time):

* marts: a whole first refresh, beside the least that makes the same marts in plain DuckDB (bare.py says what it leaves
  out). The ratio is of processor seconds beyond the start-up, which a refresh of 600 lines tells.
* pairs: all pairs of categories in at least 5 baskets with their measures, from baskets that are ready (peers.py), ours
  with Fisher tests' inputs and size adjustment counted too. Every peer must find the same pairs and counts.

The peers of pairs run in the environment of `make benchmark` (BENCHMARK_PYTHON names another); one that is not
installed there, or that takes longer than PEER_SECONDS, is said to be so. Exit 1 where a peer finds something else.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import duckdb

from orchestration.memory import machine
from tests.benchmarks import affinities, bare
from tests.benchmarks.daily import SHAPES, Shape, shop, timed
from tests.benchmarks.measure import ROOT, Cost, cost_of, in_own_process, table
from tests.benchmarks.peers import PEERS

OURS = "this project"
PEER_SECONDS = 600
PACKAGES = ("duckdb", "dbt-core", "dagster", "great-expectations")


@dataclass(frozen=True)
class Row:
    """What somebody took for a piece of work in one run. `said`: why there is no cost, or what is wrong."""

    work: str
    who: str
    cost: Cost | None
    said: str = ""


def run_bare(landing: Path, target: Path) -> Cost:
    """The least, measured with its reading and writing."""
    return cost_of(bare.run, landing, target)[1]


def told(row: Row) -> Row:
    """The row, said as soon as it is known: the largest sizes take hours, and whoever stops keeps what was measured."""
    cost = f"{row.cost.cpu:.1f} s of processors, {row.cost.wall:.1f} s, {row.cost.memory:,.0f} MB" if row.cost else "-"
    print(f"{row.work}, {row.who}: {cost} {row.said}".rstrip(), flush=True)
    return row


def marts(folder: Path, shape: Shape, lines: int) -> tuple[list[Row], Path, Path]:
    """The rows of the refresh and of the least; the landing zone, and the warehouse folder of the refresh."""
    small = shop(folder / "small", replace(shape, days=60), 600)
    small.refresh()
    start = timed(small)
    work = "marts, beyond the start-up"
    rows = [told(Row("start-up (600 lines)", OURS, Cost(start.processor, start.seconds, start.memory)))]
    large = shop(folder / "large", shape, lines)
    found = timed(large)
    beyond = Cost(found.processor - start.processor, found.seconds - start.seconds, found.memory)
    rows.append(told(Row(work, OURS, beyond)))
    rows.append(told(Row(work, "bare DuckDB", in_own_process(run_bare, large.landing_dir, folder / "bare"))))
    return rows, large.landing_dir, large.folder


def pairs(landing: Path, warehouse: Path, folder: Path) -> list[Row]:
    """The rows of all who count pairs of categories."""
    work = "pairs of categories"
    environment = {"LANDING_DIR": str(landing)}
    target = affinities.compiled(warehouse, ("category",), affinities.MIN_PAIR_COUNT, **environment)
    _, cost = in_own_process(affinities.run_ours, warehouse, target, affinities.MODELS)
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        [expected] = con.sql(
            """select count(*) // 2, sum(n_both)::bigint // 2 from product_affinities
            where item_level = 'category' and "window" = 'basket'"""
        ).fetchall()
    bought = folder / "bought.parquet"
    ready = affinities.baskets(warehouse, "category", 1).dropna().rename(columns={"basket_number": "basket"})
    ready.to_parquet(bought)
    return [told(Row(work, OURS, cost)), *(told(peer(work, name, bought, expected)) for name in PEERS)]


def peer(work: str, name: str, bought: Path, expected: Sequence[int]) -> Row:
    """One peer's row."""
    python = os.environ.get("BENCHMARK_PYTHON") or str(ROOT / ".venv" / "benchmark" / "bin" / "python")
    if not Path(python).is_file():
        python = sys.executable
    try:
        done = subprocess.run(
            [python, "-m", "tests.benchmarks.peers", name, str(bought)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PEER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Row(work, name, None, f"more than {PEER_SECONDS} s")
    if done.returncode:
        return Row(work, name, None, (done.stderr.strip().splitlines() or ["failed"])[-1][:60])
    told = json.loads(done.stdout.splitlines()[-1])
    if "missing" in told:
        return Row(work, name, None, "not installed")
    said = "" if list(told["found"]) == list(expected) else f"DIFFERS: {told['found']} for {list(expected)}"
    return Row(work, f"{name} {told['version']}", Cost(told["cpu"], told["wall"], told["memory"]), said)


def printed(runs: Sequence[Sequence[Row]]) -> str:
    """One table: the first run's costs, and the ratio of ours to each peer's processor seconds over all runs."""
    rows = []
    for row in runs[0]:
        ratios = list(_ratios(runs, row))
        told = "" if row.who == OURS or not ratios else f"{min(ratios):.2f}"
        if told and max(ratios) > min(ratios):
            told += f" to {max(ratios):.2f}"
        cost = row.cost
        rows.append(
            {
                "work": row.work,
                "who": row.who,
                "CPU s": f"{cost.cpu:.2f}" if cost else "-",
                "wall s": f"{cost.wall:.2f}" if cost else "-",
                "MB": f"{cost.memory:,.0f}" if cost else "-",
                "ours in CPU": told + (" times" if told else ""),
                "": row.said,
            }
        )
    return table(rows)


def _ratios(runs: Iterable[Sequence[Row]], row: Row) -> Iterable[float]:
    for run in runs:
        mine = next(each for each in run if each.work == row.work and each.who == OURS)
        its = next(each for each in run if (each.work, each.who) == (row.work, row.who))
        if mine.cost and its.cost and its.cost.cpu > 0:
            yield mine.cost.cpu / its.cost.cpu


def opening(environ: Mapping[str, str], lines: int, shape: str, runs: int) -> str:
    """Machine, versions, data and the command."""
    known = {f"{name} {version(name)}" for name in PACKAGES}
    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        model = next(
            (each.split(":", 1)[1].strip() for each in cpu.read_text().splitlines() if each.startswith("model name")),
            model,
        )
    limit = environ.get("MEMORY_LIMIT", "")
    given = f"{f'MEMORY_LIMIT={limit} ' if limit else ''}LINES={lines} SHAPE={shape} RUNS={runs}"
    cores = len(os.sched_getaffinity(0))
    return "\n".join(
        [
            f"command   {given} make benchmark",
            f"machine   {model}, {cores} cores, {machine().size / 1e9:.0f} GB, {platform.system()}",
            f"versions  Python {platform.python_version()}, {', '.join(sorted(known))}",
            f"data      generated ({shape}, {lines:,} lines; hashes of row numbers in the place of a seed)",
        ]
    )


def main() -> int:
    """Run it; LINES, SHAPE and RUNS from the environment."""
    lines = int(os.environ.get("LINES", "") or 1_000_000)
    count = int(os.environ.get("RUNS", "") or 1)
    shape = os.environ.get("SHAPE", "") or "grocery"
    if shape not in SHAPES:
        print(f"SHAPE={shape}: it must be one of {', '.join(SHAPES)}", file=sys.stderr)
        return 2
    runs: list[list[Row]] = []
    print(f"{opening(os.environ, lines, shape, count)}\n", flush=True)
    for _ in range(count):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            rows, landing, warehouse = marts(Path(folder), SHAPES[shape], lines)
            runs.append([*rows, *pairs(landing, warehouse, Path(folder))])
        print(f"\nafter {len(runs)} of {count} runs\n\n{printed(runs)}\n", flush=True)
    wrong = [row for run in runs for row in run if row.said.startswith("DIFFERS")]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
