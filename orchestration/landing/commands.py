"""`python -m orchestration land`: lands the files, for a `dbt build` by hand on an engine that does not land them.

Exit code 0 when everything was landed, 1 when the landing zone cannot be used, 2 when the environment cannot.
"""

from __future__ import annotations

import sys

from orchestration.landing.errors import LandingError
from orchestration.landing.prepare import prepare
from orchestration.settings import SettingsError, read_settings


def main() -> int:
    """Land; say how many rows of each table there are, and what to be warned of."""
    try:
        settings = read_settings()
        report = prepare(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except LandingError as error:
        print(error, file=sys.stderr)
        return 1
    for warning in report.warnings:
        print(f"landing zone: {warning}", file=sys.stderr)
    for table in sorted(report.files):
        print(f"{table}: {report.rows(table):,} rows")
    return 0
