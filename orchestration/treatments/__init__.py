"""The treatment check: do we treat segments differently, on paper, in a way that a customer would notice?

A refresh uses `read_treatments`, `check_named_treatments`, `check_candidate` and `distinctness_table`; `make check`
runs this package.
"""

from orchestration.seeds.treatments import TreatmentsFileError, check_named_treatments, read_treatments
from orchestration.treatments.check import CheckReport, Finding, check_candidate
from orchestration.treatments.distinctness import distinctness_table

__all__ = [
    "CheckReport",
    "Finding",
    "TreatmentsFileError",
    "check_candidate",
    "check_named_treatments",
    "distinctness_table",
    "read_treatments",
]
