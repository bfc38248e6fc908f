"""What the checks and steps of a run said, read from Dagster's events.

Belongs here: the events of one run. Does not belong here: the words (orchestration/audit/told.py).
"""

from __future__ import annotations

from typing import Any

from dagster import DagsterEventType, DagsterInstance

from orchestration.audit.told import Problem, Told, check_message, check_name, counted, has_warned, step_warnings


def told(instance: DagsterInstance, run_id: str) -> Told:
    """What a run has said so far: dbt's tests, Great Expectations' rules, our own checks, and the warnings of steps.

    A check that ran again, because its step was tried again, counts once, by its last result.
    """

    def events(kind: DagsterEventType) -> list[Any]:
        records = instance.get_records_for_run(run_id, of_type=kind, ascending=True).records
        return [record.event_log_entry.dagster_event for record in records]

    said: dict[Any, list[Problem]] = {}
    for event in events(DagsterEventType.ASSET_MATERIALIZATION):
        materialization = event.step_materialization_data.materialization
        said[materialization.asset_key] = [
            Problem(event.step_key or "", text) for text in step_warnings(materialization.metadata)
        ]
    last: dict[Any, Any] = {}
    for event in events(DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation = event.asset_check_evaluation_data
        last[evaluation.asset_key, evaluation.check_name] = evaluation
    warned = [evaluation for evaluation in last.values() if has_warned(evaluation)]
    broken = [evaluation for evaluation in last.values() if not evaluation.passed and not has_warned(evaluation)]
    warnings = [problem for problems in said.values() for problem in problems]
    warnings += [Problem(check_name(evaluation), check_message(evaluation)) for evaluation in warned]
    held = sum(counted(evaluation)[0] for evaluation in last.values())
    failed = sum(counted(evaluation)[1] for evaluation in broken)
    return Told(held, len(warned), failed, tuple(warnings))
