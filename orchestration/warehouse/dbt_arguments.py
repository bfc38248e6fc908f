"""dbt's arguments, as pure functions: what is built is decided here, and tested without running dbt.

Belongs here: selections, the arguments of `dbt build` and `dbt parse`, in a refresh and in a backfill.
Does not belong here: running dbt (assets.py, project.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

SEEDS_AND_STAGING = "resource_type:seed path:models/staging"
EVERYTHING = "fqn:*"
# The environment variable by which macros/kept.sql is told which as-of dates to compute again.
BACKFILL_DATES = "BACKFILL_DATES"
# What is kept by as-of date, with all that it is computed from: no date may be computed from facts that an earlier
# refresh left half-way.
KEPT_BY_DATE = "+config.by:as_of"
# It compares two dates; where only one of them is computed again, the next refresh sees to it.
OF_TWO_DATES = "int_membership_moves"


@dataclass(frozen=True)
class Half:
    """A part of the build that runs as one dbt command; the checks of the first half stand before the second.

    `name` is the Dagster step; `select` and `exclude` are dbt selections (a union of the methods named).
    """

    name: str
    select: str
    exclude: str | None = None


STAGING = Half("staging", select=SEEDS_AND_STAGING)
# All that is not staging, so that a new folder under models/ is built without being named here.
MARTS = Half("marts", select=EVERYTHING, exclude=SEEDS_AND_STAGING)
HALVES = (STAGING, MARTS)


def build_arguments(
    target: str, full: bool = False, own_vars: Sequence[str] = (), only: Sequence[Mapping[str, Any]] | None = None
) -> list[str]:
    """Arguments of `dbt build` for one half, before the selection that dagster-dbt adds.

    Unit tests are for `make test`: they need no data. A test that spans both halves runs with the second one, where all
    its parents are built (`buildable`).

    Args:
        target: dbt target, `duckdb` or `spark`.
        full: build kept models from nothing.
        own_vars: arguments that name the vars of SETTINGS (overrides.vars_arguments).
        only: nodes of the manifest, where these are built and nothing else: tests among them by name, because one may
            read a table that is not built now.
    """
    arguments = [
        "build",
        "--target",
        target,
        "--exclude-resource-type",
        "unit_test",
        "--indirect-selection",
        "buildable" if only is None else "empty",
        *own_vars,
    ]
    if only is not None:
        arguments += ["--select", " ".join(f"fqn:{'.'.join(node['fqn'])}" for node in only)]
    return [*arguments, "--full-refresh"] if full else arguments


def backfill_arguments(target: str, own_vars: Sequence[str] = ()) -> list[str]:
    """Arguments of the dbt run of a backfill. Its dates are in the environment, and the next refresh tests them.

    Args:
        target: dbt target, `duckdb` or `spark`.
        own_vars: as for `build_arguments`.
    """
    return [
        "build",
        "--target",
        target,
        "--select",
        KEPT_BY_DATE,
        "--exclude",
        OF_TWO_DATES,
        "--exclude-resource-type",
        "test",
        "unit_test",
        *own_vars,
    ]


def backfill_dates(dates: Iterable[date]) -> str:
    """The value of BACKFILL_DATES: ISO dates in order, each once, with commas between.

    Raises:
        ValueError: there is none; dbt would take that for a refresh, and compute whatever is missing.
    """
    found = sorted(set(dates))
    if not found:
        raise ValueError("a backfill of no dates")
    return ",".join(day.isoformat() for day in found)


def parse_arguments(target: str, target_path: Path, own_vars: Sequence[str] = ()) -> list[str]:
    """Arguments of `dbt parse`: writes manifest.json into `target_path`; needs no database."""
    return ["parse", "--quiet", *own_vars, "--target", target, "--target-path", str(target_path)]


def is_staging(node: Mapping[str, Any]) -> bool:
    """Whether a node of the manifest belongs to the first half."""
    path = str(node.get("original_file_path", "")).replace("\\", "/")
    return node.get("resource_type") == "seed" or path.startswith("models/staging/")
