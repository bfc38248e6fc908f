"""What may go away by itself is tried again, with a growing pause; what is wrong with the data or the code is not.

Belongs here: telling the two apart, how often, how long.
Does not belong here: the steps (they say `with retried(context):` around what reads files or starts dbt).

A failed check, a refused landing zone and an error in a model stop the refresh at once: they would fail again.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import AssetExecutionContext, Failure, RetryRequested

# 3 more tries after 10, 20 and 40 seconds: an upload that is being written or a reader that holds the build file is
# usually gone within a minute; a refresh that waits much longer hides that something is wrong.
MAX_RETRIES = 3
FIRST_PAUSE_SECONDS = 10.0
# Pauses are up to this much longer, by chance, so that two machines that met once do not meet again.
JITTER = 0.2

TRANSIENT_ERRNOS = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.EINTR,
    errno.EIO,
    errno.ENETUNREACH,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
# What DuckDB, Spark and the landing step say, in errors that reach us as text (dbt runs in a process of its own).
TRANSIENT_WORDS = (
    "could not set lock on file",
    "conflicting lock is held",
    "changed while it was being read",
    "resource temporarily unavailable",
    "stale file handle",
    "input/output error",
    "connection refused",
    "connection reset",
    "connection timed out",
    "no route to host",
    "network is unreachable",
    "device or resource busy",
    "interrupted system call",
)


def is_transient(error: BaseException) -> bool:
    """Whether the same step may succeed a little later.

    A `Failure` that says so by `allow_retries=False` never is. Otherwise the error or one of its causes must be an
    operating-system error that passes, or say so in words.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Failure) and not seen.allow_retries:
            return False
        if isinstance(seen, OSError) and seen.errno in TRANSIENT_ERRNOS:
            return True
        text = " ".join(str(getattr(seen, "description", None) or seen).lower().split())
        if any(words in text for words in TRANSIENT_WORDS):
            return True
        seen = seen.__cause__
    return False


def pause_before(retry_number: int) -> float:
    """Seconds to wait before the retry of this number (from 0): twice as long each time, and a little chance."""
    return FIRST_PAUSE_SECONDS * 2.0**retry_number * (1 + JITTER * random.random())


@contextmanager
def retried(context: AssetExecutionContext) -> Iterator[None]:
    """Ask Dagster for another try of the step where the block fails with a transient error.

    Raises:
        RetryRequested: the error is transient and there are tries left.
        Exception: whatever the block raised, otherwise.
    """
    try:
        yield
    except RetryRequested:
        raise
    except Exception as error:
        if not is_transient(error) or context.retry_number >= MAX_RETRIES:
            raise
        pause = pause_before(context.retry_number)
        context.log.warning(f"again in {pause:.0f} s (try {context.retry_number + 2} of {MAX_RETRIES + 1}): {error}")
        raise RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=pause) from error
