"""Alerts: what is posted, to a real receiver on this machine; the address is told to nobody."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    BackfillPolicy,
    DagsterInstance,
    ExecuteInProcessResult,
    Failure,
    StaticPartitionsDefinition,
    asset,
    build_run_status_sensor_context,
    in_process_executor,
    job,
    materialize,
    op,
    resource,
)

from orchestration.defs import alerts
from orchestration.defs.alerts import ALERT_WEBHOOK_URL, alert, failure_alert, message, post, problems_of_run
from orchestration.defs.backfill import RANGE_END, RANGE_START
from orchestration.defs.run import NOT_KNOWN, REFRESH_ID_TAG, make_refresh_id
from orchestration.storage.lock import LockHeld
from orchestration.terminal import AFTERWARDS, STEPS, Problem

RUN = "5f0c1c52-3a0e-4a5e-9c55-0b6d6c5f3a11"
SECRET = "T0ken-of-the-hook"
PROBLEMS = [Problem("landing", "order_lines/a.csv: required column amount is missing")]


class Receiver:
    """An HTTP server on a free port: what it got, and the statuses that it answers with, in turn; then 200."""

    def __init__(self) -> None:
        self.bodies: list[dict] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                receiver.bodies.append(json.loads(body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/{SECRET}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(alerts, "PAUSES", (0.0, 0.0))
    found = Receiver()
    yield found
    found.close()


def test_the_message_says_what_stopped_and_what_is_still_published(receiver: Receiver) -> None:
    assert alert("r2", PROBLEMS, "r1", {ALERT_WEBHOOK_URL: receiver.url}) == "alert sent"
    (body,) = receiver.bodies
    assert body["text"].splitlines() == [
        "Refresh r2 was not published; r1 stays published.",
        "landing: order_lines/a.csv: required column amount is missing",
    ]
    assert body["problems"] == [{"where": "landing", "message": PROBLEMS[0].message}]
    assert (body["refresh"], body["published"]) == ("r2", "r1")


def test_without_the_variable_nothing_is_sent() -> None:
    assert alert("r2", PROBLEMS, None, {}) is None
    assert alert("r2", PROBLEMS, None, {ALERT_WEBHOOK_URL: " "}) is None


def test_many_problems_are_counted_and_not_all_sent() -> None:
    body = message("r", [Problem(f"check_{n}", "x") for n in range(40)], None)
    assert len(body["problems"]) == 12 and body["problems_in_all"] == 40
    assert "28 more" in body["text"] and "nothing is published" in body["text"]


def test_a_version_that_cannot_be_told_is_not_named() -> None:
    assert "; what was published stays." in message("r2", PROBLEMS, NOT_KNOWN)["text"]
    elsewhere = [Problem(STEPS[AFTERWARDS[0]], "x")]
    assert message("r2", elsewhere, "r2")["text"].startswith(
        "The refresh is published, but not everywhere; r2 is published here."
    )
    assert message("r2", elsewhere, NOT_KNOWN)["text"].startswith(
        "The refresh is published, but not everywhere; it is published here."
    )


def test_a_busy_receiver_is_tried_again(receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    assert post(receiver.url, {"text": "x"}, (0.0, 0.0)) is None
    assert len(receiver.bodies) == 3


def test_a_receiver_that_stays_busy_is_given_up(receiver: Receiver) -> None:
    receiver.answers = [500] * 9
    assert post(receiver.url, {"text": "x"}, (0.0, 0.0)) == "the receiver answered 500"
    assert len(receiver.bodies) == 3


def test_a_receiver_that_refuses_is_not_tried_again(receiver: Receiver) -> None:
    receiver.answers = [404]
    assert post(receiver.url, {"text": "x"}, (0.0, 0.0)) == "the receiver answered 404"
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{SECRET}",
        f"http://no-such-host.invalid/{SECRET}",
        f"file:///etc/{SECRET}",
        f"http://[{SECRET}",
        f"http://127.0.0.1:{SECRET}/",
        f"http://a b/{SECRET}\n",
        SECRET,
    ],
)
def test_an_address_that_cannot_be_used_is_not_told(
    url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = post(url, {"text": "x"}, (0.0,))
    assert said
    seen = said + "".join(capfd.readouterr()) + caplog.text
    assert SECRET not in seen and "127.0.0.1" not in seen and "no-such-host" not in seen


def test_the_sensor_posts_what_stopped_a_run(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))

    @asset
    def landing() -> None:
        raise Failure("order_lines: no rows in its files", allow_retries=False)

    with DagsterInstance.ephemeral() as instance:
        result = materialize([landing], instance=instance, raise_on_error=False)
        assert problems_of_run(instance, result.run_id) == [Problem("landing", "order_lines: no rows in its files")]
        hear_of(result, instance)
    assert receiver.bodies[0]["problems"] == [{"where": "landing", "message": "order_lines: no rows in its files"}]
    assert receiver.bodies[0]["text"].startswith(f"Refresh {result.run_id} was not published; nothing is published.")


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param({"partition_key": "2026-01-01"}, id="a date"),
        pytest.param({"tags": {RANGE_START: "2026-01-01", RANGE_END: "2026-02-01"}}, id="dates"),
    ],
)
def test_a_backfill_that_stops_is_called_one(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: dict[str, Any]
) -> None:
    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))

    dates = StaticPartitionsDefinition(["2026-01-01", "2026-02-01"])

    @asset(partitions_def=dates, backfill_policy=BackfillPolicy.single_run())
    def history() -> None:
        raise Failure("dbt failed", allow_retries=False)

    with DagsterInstance.ephemeral() as instance:
        result = materialize([history], instance=instance, raise_on_error=False, **chosen)
        hear_of(result, instance)
    assert receiver.bodies[0]["text"].startswith(f"Backfill {result.run_id} was not computed; nothing is published.")


def hear_of(result: ExecuteInProcessResult, instance: DagsterInstance) -> None:
    """The sensor hears of a run that failed."""
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    context = build_run_status_sensor_context("failure_alert", result.get_run_failure_event(), instance, run)
    failure_alert()(context.for_run_failure())


def test_the_sensor_leaves_out_what_make_refresh_has_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)

    @op
    def fails() -> None:
        raise RuntimeError("x")

    @job
    def some_job() -> None:
        fails()

    with DagsterInstance.ephemeral() as instance:
        for name, bodies in ((make_refresh_id(datetime.now(UTC), RUN), 0), ("20261129T012113Z-e6513765", 1)):
            # The second is a run that is executed again from the UI, with the tags of the one before.
            done = some_job.execute_in_process(
                instance=instance, raise_on_error=False, run_id=RUN, tags={REFRESH_ID_TAG: name}
            )
            hear_of(done, instance)
            instance.delete_run(RUN)
            assert len(receiver.bodies) == bodies


def test_a_run_that_is_refused_because_a_refresh_runs_tells_who_holds_the_warehouse() -> None:
    @resource
    def warehouse() -> Iterator[None]:
        raise LockHeld("/data is in use by process 7 on here, since 04:59 (refresh); nothing was changed")
        yield

    @op(required_resource_keys={"warehouse"})
    def builds() -> None:
        pass

    # As a schedule's runs are executed: make refresh takes the lock before.
    @job(resource_defs={"warehouse": warehouse}, executor_def=in_process_executor)
    def some_job() -> None:
        builds()

    with DagsterInstance.ephemeral() as instance:
        done = some_job.execute_in_process(instance=instance, raise_on_error=False)
        assert problems_of_run(instance, done.run_id) == [
            Problem("refresh", "/data is in use by process 7 on here, since 04:59 (refresh); nothing was changed")
        ]


def test_make_refresh_alerts_when_it_cannot_start(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestration import refresh

    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)
    monkeypatch.setenv("AS_OF", "soon")
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    assert receiver.bodies[0]["text"].startswith("Refresh (not started) was not published; what was published stays.")
    assert receiver.bodies[0]["published"] is None
    assert "AS_OF=soon" in receiver.bodies[0]["text"]
    assert SECRET not in "".join(capsys.readouterr())


def test_what_stays_published_is_told_where_a_refresh_cannot_start(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from orchestration import refresh

    for name in ("LANDING_DIR", "MAPPING", "SETTINGS", "SEEDS_DIR", "AS_OF", "DBT_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("AUDIENCE_TARGET", "no_such_module:Class")
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    (tmp_path / "versions" / "r1").mkdir(parents=True)
    (tmp_path / "published").symlink_to("versions/r1")
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    told = [(body["text"].splitlines()[0].split("; ")[1], body["published"]) for body in receiver.bodies]
    assert told == [("nothing is published.", None), ("r1 stays published.", "r1")]


def test_a_run_with_settings_that_cannot_be_read_does_not_say_that_nothing_is_published(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)
    monkeypatch.setenv("AS_OF", "soon")

    @asset
    def landing() -> None:
        raise Failure("x", allow_retries=False)

    with DagsterInstance.ephemeral() as instance:
        hear_of(materialize([landing], instance=instance, raise_on_error=False), instance)
    assert "; what was published stays." in receiver.bodies[0]["text"]


def test_make_refresh_alerts_when_the_job_fails(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestration import refresh

    monkeypatch.setenv(ALERT_WEBHOOK_URL, receiver.url)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.delenv("LANDING_DIR", raising=False)

    def fail(run_id: str, tags: dict[str, str], progress: refresh.terminal.Progress) -> bool:
        progress.failures.append(PROBLEMS[0])
        return False

    monkeypatch.setattr(refresh, "_run_job", fail)
    monkeypatch.setattr(refresh, "_parse_ahead", lambda _: None)
    monkeypatch.setattr(refresh.sys, "stdout", io.StringIO())
    assert refresh.main() == refresh.STOPPED
    assert receiver.bodies[0]["problems"] == [{"where": "landing", "message": PROBLEMS[0].message}]
    logs = "".join(p.read_text() for p in (tmp_path / "warehouse" / "logs").iterdir())
    assert SECRET not in logs
