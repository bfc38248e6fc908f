"""Everything that the models read, brought up to date: dbt's plugin does this first; Python may do it before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestration.landing.contract import contract
from orchestration.landing.demo import write_demo
from orchestration.landing.empties import SEED_FILE, read_empty_spellings
from orchestration.landing.forgotten import keep_out, keep_out_of_mapped
from orchestration.landing.formats import VAR, read_landing_formats
from orchestration.landing.inputs import note_inputs
from orchestration.landing.land import LandingReport, Reading, land
from orchestration.landing.mapping.apply import apply_mapping, export_fingerprint
from orchestration.landing.mapping.model import read_mapping
from orchestration.overrides import prepare_seeds
from orchestration.settings import Settings
from orchestration.storage.assignments import prepare_state
from orchestration.warehouse.project import project_vars


def prepare(
    settings: Settings, seeds_dir: Path | None = None, given_vars: Mapping[str, Any] | None = None
) -> LandingReport:
    """Makes the build folder and the state of earlier refreshes, writes the demo where no landing zone is set, or
    the landing zone that a mapping makes of an export, and lands.

    Args:
        seeds_dir: the folder that dbt reads seeds from, where it is not that of the settings: python and dbt must read
            a file alike.
        given_vars: vars that dbt was given by hand, which go before all others there.

    Raises:
        LandingError: the landing zone cannot be used, or landing_formats says what is not known.
        SettingsError: SETTINGS, SEEDS_DIR or MAPPING cannot be used.
    """
    if seeds_dir is None:
        prepare_seeds(settings)
        seeds_dir = settings.seeds_dir
    held = {**project_vars(settings), **(given_vars or {})}
    formats = read_landing_formats(held.get(VAR), contract())
    zone = str(held.get("store_timezone") or settings.store_timezone)
    reading = Reading(read_empty_spellings(seeds_dir / SEED_FILE.name), formats, zone)
    settings.build_file.parent.mkdir(parents=True, exist_ok=True)
    if settings.dbt_target == "spark":
        # For Derby's log too, which opens before Spark makes any folder.
        settings.spark_tables_dir.parent.mkdir(exist_ok=True)
    prepare_state(settings)
    if settings.source_dir == settings.demo_dir:
        write_demo(settings.demo_dir, settings.demo)
    exported = ""
    if settings.mapping_file is not None:
        settings.source_dir.mkdir(exist_ok=True)
        mapping = read_mapping(settings.mapping_file, contract())
        # Before it is read: an export that changes meanwhile is another one for whoever looks again.
        exported = export_fingerprint(mapping)
        apply_mapping(
            mapping,
            settings.source_dir,
            contract(),
            landing_formats=held.get(VAR) or {},
            empties=reading.empties,
        )
        keep_out_of_mapped(settings, formats)
    report = land(settings.source_dir, settings.landed_dir, reading=reading)
    # With a mapping, the files that may change are the export's; those that it makes of them only a refresh changes.
    report.fingerprint = exported or report.fingerprint
    # Who was forgotten does not come back with a file that still names them.
    keep_out(settings, formats)
    note_inputs(settings, report)
    return report
