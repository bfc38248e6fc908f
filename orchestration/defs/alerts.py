"""A refresh that stops tells somebody: one JSON message to the webhook in ALERT_WEBHOOK_URL, if it is set.

Belongs here: the message, sending it, the Dagster sensor that watches runs started from the UI, a schedule or a sensor.
Does not belong here: what went wrong (terminal.py finds the words).

The URL is a secret (whoever has it can post), so it is in no log, error or message: failures to send are told by the
name of the error's class alone, because the texts of the errors quote the address.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DefaultSensorStatus,
    RunFailureSensorContext,
    SensorDefinition,
    SkipReason,
    run_failure_sensor,
)

from orchestration.defs.run import NOT_KNOWN, is_made_by_a_command, published_id
from orchestration.terminal import AFTERWARDS, STEPS, Problem, Progress

ALERT_WEBHOOK_URL = "ALERT_WEBHOOK_URL"
TIMEOUT_SECONDS = 10
# Seconds before the second and the third try.
PAUSES = (1.0, 4.0)
PROBLEMS_SENT = 12
# How the tags begin by which Dagster says what partitions a run is for.
PARTITION_TAGS = ("dagster/partition", "dagster/asset_partition_range")
# What terminal.Progress listens to.
EVENTS = {
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.RUN_FAILURE,
}


def message(
    refresh: str, problems: Sequence[Problem], published_id: str | None, of_a_backfill: bool = False
) -> dict[str, Any]:
    """The JSON that is posted. `text` alone says it all: chat tools show that field and no other.

    `refresh` is the run's id, of a backfill too; `published_id` None where nothing is published, NOT_KNOWN where that
    cannot be told.
    """
    shown = [{"where": p.where, "message": p.message} for p in problems[:PROBLEMS_SENT]]
    state = f"{published_id} stays published" if published_id else "nothing is published"
    if published_id == NOT_KNOWN:
        state = "what was published stays"
    began = f"Backfill {refresh} was not computed" if of_a_backfill else f"Refresh {refresh} was not published"
    if problems and all(p.where in {STEPS[step] for step in AFTERWARDS} for p in problems):
        began, state = "The refresh is published, but not everywhere", f"{published_id or 'it'} is published here"
    lines = [f"{began}; {state}."]
    lines += [f"{p['where']}: {p['message'].splitlines()[0] if p['message'] else 'failed'}" for p in shown]
    if len(problems) > PROBLEMS_SENT:
        lines.append(f"and {len(problems) - PROBLEMS_SENT} more, in the log")
    return {
        "text": "\n".join(lines),
        "refresh": refresh,
        "published": published_id or None,
        "problems": shown,
        "problems_in_all": len(problems),
    }


def alert(
    refresh: str,
    problems: Sequence[Problem],
    published_id: str | None,
    environ: Mapping[str, str] | None = None,
    of_a_backfill: bool = False,
) -> str | None:
    """Post the message where ALERT_WEBHOOK_URL is set.

    Never raises: an alert that cannot be sent must not hide why it was sent.

    Returns:
        What to say about it, without the address; None where the variable is not set.
    """
    url = (os.environ if environ is None else environ).get(ALERT_WEBHOOK_URL, "").strip()
    if not url:
        return None
    problem = post(url, message(refresh, problems, published_id, of_a_backfill))
    return f"alert not sent: {problem}" if problem else "alert sent"


def post(url: str, body: Mapping[str, Any], pauses: Sequence[float] = PAUSES) -> str | None:
    """POST `body` as JSON, with a pause and another try where the receiver was out of reach or busy.

    Returns:
        None when it was taken; else what went wrong, without the address.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    # urllib opens file: and ftp: addresses too.
    if scheme not in ("http", "https"):
        return f"{ALERT_WEBHOOK_URL} is no http or https address"
    problem: str | None = None
    for pause in (0.0, *pauses):
        time.sleep(pause)
        problem, again = _post_once(url, json.dumps(body).encode())
        if problem is None or not again:
            return problem
    return problem


def _post_once(url: str, body: bytes) -> tuple[str | None, bool]:
    """What went wrong, if anything, and whether another try may help."""
    try:
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return None, False
    except urllib.error.HTTPError as error:
        error.close()
        return f"the receiver answered {error.code}", error.code == 429 or error.code >= 500
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", None)
        name = type(cause if isinstance(cause, BaseException) else error).__name__
        return name, isinstance(error, OSError)


def problems_of_run(instance: DagsterInstance, run_id: str) -> list[Problem]:
    """What stopped a finished run, from its event log, in the words that the terminal would use."""
    progress = Progress(io.StringIO())
    for record in instance.get_records_for_run(run_id, of_type=EVENTS, ascending=True).records:
        progress.hear(record.event_log_entry)
    return progress.failures


def failure_alert() -> SensorDefinition:
    """The sensor `failure_alert`: on as soon as Dagster's daemon runs; without the variable it does nothing."""

    @run_failure_sensor(
        name="failure_alert",
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Posts what stopped a run, in the words of the terminal, to the webhook in {ALERT_WEBHOOK_URL}.",
    )
    def sensor(context: RunFailureSensorContext) -> SkipReason | None:
        """Posts what stopped a run to the webhook in ALERT_WEBHOOK_URL."""
        run = context.dagster_run
        # `make refresh` alerts by itself, also where no daemon runs.
        if is_made_by_a_command(run):
            return SkipReason("this run was started by make refresh, which has told already")
        problems = problems_of_run(context.instance, run.run_id)
        # Only the past has partitions (backfill.py).
        of_a_backfill = any(tag.startswith(PARTITION_TAGS) for tag in run.tags)
        said = alert(run.run_id, problems, published_id(), of_a_backfill=of_a_backfill)
        if said is None:
            return SkipReason(f"{ALERT_WEBHOOK_URL} is not set")
        context.log.info(said)
        return None

    return sensor
