"""The step of a refresh that hands the audiences over; it is there only where AUDIENCE_TARGET names a target.

Belongs here: its result and metadata as Dagster has them.
Does not belong here: what is handed over (lists.py), how (the targets).
"""

import time
from collections.abc import Mapping

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, Failure, MaterializeResult, asset

from orchestration.audiences.handover.lists import hand_over
from orchestration.audiences.handover.target import AUDIENCE_TARGET, Target, TargetError, targets_of
from orchestration.audit.told import PLACE
from orchestration.publication.publish import published_version
from orchestration.retries import retried
from orchestration.run import RefreshRun
from orchestration.settings import Settings

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


def hand_over_to_all(
    settings: Settings, targets: list[Target]
) -> dict[str, tuple[dict[str, int], dict[str, dict[str, int]]]]:
    """Give every target the published audiences; one that does not take them keeps none of the others from it.

    Returns:
        For each target, rows by channel, and changes by channel and kind; both empty where it had them already.

    Raises:
        TargetError: at least one target did not take them, or nothing is published.
    """
    version = published_version(settings)
    if version is None:
        raise TargetError("nothing is published yet: run make refresh")
    done: dict[str, tuple[dict[str, int], dict[str, dict[str, int]]]] = {}
    wrong = []
    for target in targets:
        try:
            given = hand_over(settings, version, target)
        except Exception as error:
            # A target of somebody's own may raise whatever it likes.
            told = str(error) if isinstance(error, TargetError) else f"{target.name}: {type(error).__name__}: {error}"
            wrong.append(told)
            continue
        lists = {channel: table.num_rows for channel, table in given.lists.items()} if given else {}
        changes = {channel: dict(counts) for channel, counts in given.counts.items()} if given else {}
        done[target.name] = (lists, changes)
    if wrong:
        raise TargetError("; ".join(wrong))
    return done
