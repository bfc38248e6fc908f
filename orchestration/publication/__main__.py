"""`python -m orchestration.publication rollback`: the published link goes back to the version before."""

from __future__ import annotations

import argparse
import sys

from orchestration.publication.publish import NothingToRollBackTo, rollback
from orchestration.settings import SettingsError, read_settings
from orchestration.storage.lock import LockHeld, refresh_lock
from orchestration.storage.versions import read_manifest


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the link was moved, 1 when it could not be, 2 when the call or the environment is wrong."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.publication", description=__doc__)
    parser.add_argument("command", choices=["rollback"])
    parser.parse_args(arguments)
    try:
        settings = read_settings()
        with refresh_lock(settings.lock_file, purpose="rollback"):
            left, reached = rollback(settings)
        as_of = read_manifest(settings.published_link.resolve())["as_of"]
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except (LockHeld, NothingToRollBackTo) as error:
        print(f"not rolled back: {error}", file=sys.stderr)
        return 1
    print(f"published is now {reached} (as of {as_of}); it was {left}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
