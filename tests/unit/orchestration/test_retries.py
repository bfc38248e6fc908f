"""Which failures are tried again, how often and how long apart; with real Dagster runs of one small asset."""

import errno

import pytest
from dagster import AssetExecutionContext, DagsterInstance, Failure, asset, materialize

from orchestration.defs import retries
from orchestration.defs.retries import MAX_RETRIES, is_transient, pause_before, retried
from orchestration.landing.errors import LandingError


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ESTALE, "Stale file handle"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        LandingError("order_lines/a.csv: changed while it was being read"),
        Failure("order_lines/a.csv: cannot be read (Input/output error)"),
        RuntimeError('IO Error: Could not set lock on file "x":\n Conflicting lock is held in PID 3'),
    ],
)
def test_what_passes_by_itself_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOENT, "No such file or directory"),
        LandingError("order_lines/a.csv: required column amount is missing"),
        Failure("2 rows have a changed while it was being read", allow_retries=False),
        RuntimeError("Failure in test not_null_segments_scheme: got 3 results, configured to fail if != 0"),
        ValueError("x"),
    ],
)
def test_what_would_fail_again_is_not(error: Exception) -> None:
    assert not is_transient(error)


def test_the_cause_of_an_error_counts() -> None:
    try:
        try:
            raise OSError(errno.ETIMEDOUT, "timed out")
        except OSError as cause:
            raise RuntimeError("the step failed") from cause
    except RuntimeError as error:
        assert is_transient(error)


def test_each_pause_is_about_twice_the_one_before() -> None:
    for number, least in enumerate((10, 20, 40)):
        assert least <= pause_before(number) <= least * 1.2


def tries(monkeypatch: pytest.MonkeyPatch, failures: list[Exception]) -> tuple[bool, int]:
    """Whether a run succeeded whose asset fails with these errors in turn, and how often it was tried."""
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.01)
    count = 0

    @asset
    def step(context: AssetExecutionContext) -> None:
        nonlocal count
        with retried(context):
            count += 1
            if failures:
                raise failures.pop(0)

    with DagsterInstance.ephemeral() as instance:
        result = materialize([step], instance=instance, raise_on_error=False)
    return result.success, count


def test_a_transient_failure_is_tried_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tries(monkeypatch, [OSError(errno.EIO, "x"), OSError(errno.EIO, "x")]) == (True, 3)


def test_a_failure_that_stays_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tries(monkeypatch, [OSError(errno.EIO, "x") for _ in range(9)]) == (False, MAX_RETRIES + 1)


def test_a_failure_of_the_data_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tries(monkeypatch, [Failure("a column is missing", allow_retries=False)]) == (False, 1)
