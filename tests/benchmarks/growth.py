"""What each model costs as a shop grows: `python -m tests.benchmarks.growth`.

    LINES="10000 100000 1000000" python -m tests.benchmarks.growth        (the default; ten million take half an hour)
    SHAPE=web python -m tests.benchmarks.growth                           (default grocery; as make benchmark-daily)

A first refresh of a generated shop of each size: the seconds that dbt took for each model, the peak of memory
(MEMORY_LIMIT holds here too), and what the warehouse folder takes beside what the landing zone does, by which a refresh
estimates the disk that it needs (orchestration/disk.py).

Named are the models that grow steeper than linear from the last size but one to the last: their seconds at all sizes,
and the power of the lines by which they grow (1 is linear, 2 a square). Seconds below a few tenths are what any
statement takes, and are taken off. A shop of more lines has more customers, with as many lines each, and the same days
and products; so a model that is a row a customer and as-of date grows by 1.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.daily import SHAPES, Timing, shop, timed
from tests.benchmarks.measure import table

SIZES = (10_000, 100_000, 1_000_000)
# A power up to which growth is called linear: sorting grows by n log n, and single runs differ by some percent.
LINEAR = 1.15
# Seconds at the largest size from which a model is looked at; what is quicker says nothing about growth.
LEAST_SECONDS = 1.0


def power(lines: Sequence[int], seconds: Sequence[float], fixed: float) -> float:
    """The power of the lines by which seconds grow from the last size but one to the last.

    Args:
        seconds: one a size, in the order of `lines`.
        fixed: seconds that there are without any lines, which are taken off; a hundredth stays at least.
    """
    before, after = (max(0.01, each - fixed) for each in seconds[-2:])
    return math.log(after / before) / math.log(lines[-1] / lines[-2])


def steep(
    lines: Sequence[int], models: Sequence[Mapping[str, float]], least: float = LEAST_SECONDS
) -> list[tuple[str, float]]:
    """Models that grow steeper than linear, and their powers, the slowest first.

    Args:
        models: seconds by model, one mapping a size.
    """
    slow = sorted((name for name in models[-1] if models[-1][name] >= least), key=lambda name: -models[-1][name])
    found = []
    for name in slow:
        seconds = [size.get(name, 0.0) for size in models]
        # The smallest shop's are what a statement takes by itself; beyond a quarter of a second it is work.
        grows_by = power(lines, seconds, min(seconds[0], 0.25))
        if grows_by > LINEAR:
            found.append((name, grows_by))
    return found


def size_of(folder: Path) -> int:
    """Bytes of the files under a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def report(lines: Sequence[int], timings: Sequence[Timing], bytes_on_disk: Sequence[tuple[int, int]]) -> str:
    """All sizes side by side, and the models that are steeper than linear.

    Args:
        bytes_on_disk: of the landing zone and of the warehouse folder after the refresh, one pair a size.
    """
    models = [
        {name: seconds for name, seconds in timing.models.items() if not name.startswith(("test ", "seed "))}
        for timing in timings
    ]
    sizes = [f"{size:,}" for size in lines]
    whole = [
        {"": "refresh, seconds"} | {size: f"{timing.seconds:.0f}" for size, timing in zip(sizes, timings, strict=True)},
        {"": "processor seconds"}
        | {size: f"{timing.processor:.0f}" for size, timing in zip(sizes, timings, strict=True)},
        {"": "memory, MB"} | {size: f"{timing.memory:.0f}" for size, timing in zip(sizes, timings, strict=True)},
        {"": "landing zone, MB"}
        | {size: f"{landed / 1e6:.1f}" for size, (landed, _) in zip(sizes, bytes_on_disk, strict=True)},
        {"": "warehouse folder, MB"}
        | {size: f"{held / 1e6:.0f}" for size, (_, held) in zip(sizes, bytes_on_disk, strict=True)},
        {"": "models, seconds"} | {size: f"{sum(each.values()):.1f}" for size, each in zip(sizes, models, strict=True)},
    ]
    found = steep(lines, models)
    rows = [
        {"model": name}
        | {size: f"{each.get(name, 0.0):.2f}" for size, each in zip(sizes, models, strict=True)}
        | {"power": f"{grows_by:.2f}"}
        for name, grows_by in found
    ]
    looked_at = sum(seconds >= LEAST_SECONDS for seconds in models[-1].values())
    said = f"{looked_at} models take {LEAST_SECONDS:g} s and more at {sizes[-1]} lines; {len(found)} of them grow "
    said += f"by more than the power {LINEAR} of the lines from {sizes[-2]} on"
    return "\n".join([table(whole), "", said, *([table(rows)] if rows else [])])


def main() -> int:
    """Run it; LINES and SHAPE from the environment."""
    given = os.environ.get("LINES", "").replace(",", " ").split()
    lines = sorted(int(each) for each in given) or list(SIZES)
    name = os.environ.get("SHAPE", "") or "grocery"
    if name not in SHAPES or len(lines) < 2:
        print(f"SHAPE must be one of {', '.join(SHAPES)}, and LINES two sizes at least", file=sys.stderr)
        return 2
    timings, bytes_on_disk = [], []
    for size in lines:
        # One at a time on disk: the largest takes as much as all others together.
        with tempfile.TemporaryDirectory(prefix="benchmark-growth-") as folder:
            warehouse = shop(Path(folder), SHAPES[name], size)
            timings.append(timed(warehouse))
            bytes_on_disk.append((size_of(warehouse.landing_dir), size_of(warehouse.folder)))
        print(f"{name}, {size:,} lines: {timings[-1].seconds:.0f} s", flush=True)
    print(f"\n{report(lines, timings, bytes_on_disk)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
