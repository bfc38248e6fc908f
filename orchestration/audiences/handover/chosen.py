"""The targets that the environment asks for.

Belongs here: AUDIENCE_TARGET. Does not belong here: what a target does with what it is given.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping

from orchestration.audiences.handover.folder import FolderTarget
from orchestration.audiences.handover.postgres import PostgresTarget
from orchestration.audiences.handover.target import AUDIENCE_TARGET, POSTGRES, Target, TargetError


def targets_of(environ: Mapping[str, str] | None = None) -> list[Target]:
    """The targets that AUDIENCE_TARGET asks for, with spaces between them.

    A path or URL is a folder, `postgres` the database of PUBLISH_POSTGRES_DSN, `module:Class` a class of your own.

    Raises:
        TargetError: one of them cannot be had.
    """
    values = os.environ if environ is None else environ
    targets = [_target(word, values) for word in values.get(AUDIENCE_TARGET, "").split()]
    names = [target.name for target in targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TargetError(f"{AUDIENCE_TARGET} names {', '.join(twice)} more than once")
    return targets


def _target(word: str, environ: Mapping[str, str]) -> Target:
    if word == POSTGRES:
        return PostgresTarget.of(environ)
    module, colon, name = word.partition(":")
    if not colon or "/" in word or "\\" in word:
        return FolderTarget(word)
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise TargetError(f"{AUDIENCE_TARGET}={word}: {error}; a class that Python can import is needed") from None
    target = found()
    if not isinstance(target, Target):
        raise TargetError(f"{AUDIENCE_TARGET}={word}: it is no Target (orchestration/audiences/handover/target.py)")
    return target
