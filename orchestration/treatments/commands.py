"""`make check`: the treatment check on the seeds as they are edited now and the members last published, in seconds.

Belongs here: what is printed, and the exit code (0 passed; 1 something blocks, or a seed cannot be read).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from orchestration.overrides import seeds_aside
from orchestration.seeds.treatments import TreatmentsFileError
from orchestration.settings import SettingsError, read_settings
from orchestration.storage.versions import demo_over_shop
from orchestration.treatments.edited import NothingPublishedError, check_edited, check_with_effect

# Columns of a plain terminal.
SCREEN = 80

__all__ = ["NothingPublishedError", "check_edited", "main"]


def main(seeds_dir: Path | None = None) -> int:
    """Print the findings; 0 where nothing blocks, else 1."""
    try:
        width = min(SCREEN, shutil.get_terminal_size((SCREEN, 40)).columns)
        with seeds_aside(read_settings()) as settings:
            other = demo_over_shop(settings)
            if other is not None:
                print(other, file=sys.stderr)
            report, effect = check_with_effect(seeds_dir or settings.seeds_dir, settings, width)
    except (TreatmentsFileError, NothingPublishedError, SettingsError) as error:
        print(f"treatment check FAILED: {error}", file=sys.stderr)
        return 1
    print("\n".join([report.summary(width), "", *effect]).rstrip())
    return 0 if report.passed else 1
