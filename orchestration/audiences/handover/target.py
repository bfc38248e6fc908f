"""A target: somebody who is given the audiences, to send them. Whoever writes another one writes one class.

Belongs here: the class, and what it is given.
Does not belong here: what is in the lists (lists.py), and which targets the environment asks for (chosen.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

import pyarrow as pa

AUDIENCE_TARGET = "AUDIENCE_TARGET"
POSTGRES = "postgres"


class TargetError(RuntimeError):
    """A target cannot be used, or did not take what it was given; the text holds no secret."""


@dataclass(frozen=True)
class HandOver:
    """What a target is given: for each channel the whole list, and what changed since it was last given one.

    The columns of both are `lists.COLUMNS`; those of `changes` come behind a column `change` (`added`, `removed`,
    `changed`). A channel in which nobody is addressed any more has an empty list. `id` sorts by time; `since` is the id
    of the last one that this target took, None before the first.
    """

    id: str
    as_of: date
    lists: Mapping[str, pa.Table]
    changes: Mapping[str, pa.Table]
    since: str | None = None
    # How many changed, by channel and kind of change: for whoever only wants to know.
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Target(ABC):
    """Takes hand-overs; all of one, or nothing."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in messages and in the memory of what it has; without secrets, and always the same."""

    @abstractmethod
    def write(self, hand_over: HandOver) -> None:
        """Take a hand-over. A sender sees none of it before all of it is there; the last one again changes nothing.

        After a rollback the id of an earlier one may come again; its lists hold, its changes are those since the last.

        Raises:
            Exception: it was not taken; the next hand-over says what changed since the last one that was.
        """

    def receipts(self) -> Iterator[tuple[str, pa.Table]]:
        """What the sender has left for us: for each file its name, and its rows as texts (docs/hand-over.md)."""
        return iter(())

    def forget(self, person_id: str) -> bool:
        """Take a person out of all earlier hand-overs; the last one is without them already. False: it cannot."""
        return False


def without_secrets(url: str) -> str:
    """A URL without user and password, and without what follows its path."""
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/") if parts.scheme else url.rstrip("/")


def scrubbed(text: str, secrets: Sequence[str]) -> str:
    """A text without secrets."""
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
