"""The step of a refresh that hands the audiences over; it is there only where AUDIENCE_TARGET names a target.

Belongs here: its result and metadata as Dagster has them.
Does not belong here: what is handed over (lists.py), how (the targets).
"""

import time
from collections.abc import Mapping

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, Failure, MaterializeResult, asset

from orchestration.audiences.handover.chosen import targets_of
from orchestration.audiences.handover.lists import hand_over_to_all
from orchestration.audiences.handover.target import AUDIENCE_TARGET, TargetError
from orchestration.audit.told import PLACE
from orchestration.defs.retries import retried
from orchestration.defs.run import RefreshRun

STEP = "audiences_handed_over"
NEXT_STEP = "When that is repaired, make hand-over gives them what is published here, without a refresh"


def hand_over_assets(environ: Mapping[str, str]) -> list[AssetsDefinition]:
    """The asset, where the environment asks for it."""
    if not environ.get(AUDIENCE_TARGET, "").strip():
        return []

    @asset(name=STEP, group_name="publication", kinds={"file"}, deps=[AssetKey("published")])
    def audiences_handed_over(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """The exported audiences with whoever sends: one list a channel, and what changed since the last time."""
        began = time.monotonic()
        with retried(context):
            try:
                targets = targets_of()
                done = hand_over_to_all(refresh.settings, targets)
            except TargetError as error:
                raise Failure(f"{error}. {NEXT_STEP}") from None
        return MaterializeResult(
            metadata={
                "dagster/row_count": max((sum(lists.values()) for lists, _ in done.values()), default=0),
                PLACE: ", ".join(target.name for target in targets),
                "lists": {name: lists for name, (lists, _) in done.items()},
                "changes": {name: changes for name, (_, changes) in done.items()},
                "seconds": round(time.monotonic() - began, 3),
            }
        )

    return [audiences_handed_over]
