"""`python -m orchestration.audiences forget --id ID` (make forget ID=...): forget a person, and prove it.

Exit code 0 when nothing of the id is left in the warehouse folder, 1 when something is or another process holds the
folder, 2 when the call or the environment is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys

from orchestration.audiences.forget import DISTINCT_LENGTH, Outcome, forget
from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.storage.lock import LockHeld


def main(arguments: list[str] | None = None) -> int:
    """Run one command; see the exit codes above."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.audiences", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    forgetting = commands.add_parser("forget", help="take a person out of everything in the warehouse folder")
    # `make forget ID=...` hands the id over in the environment, where no shell reads it.
    forgetting.add_argument(
        "--id", default=os.environ.get("ID", ""), help="customer, company, contact person or prospect"
    )
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
        outcome = forget(settings, options.id)
    except (SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except LockHeld as error:
        print(f"not forgotten: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(outcome, settings, options.id)))
    return 1 if outcome.left else 0


def lines(outcome: Outcome, settings: Settings, person_id: str) -> list[str]:
    """What forgetting did, for the terminal."""
    said = [f"removed from {place}: {rows}" for place, rows in outcome.removed.items()]
    if not said and outcome.landing_files:
        said.append("nothing was there to remove")
    elif not said and not outcome.left:
        said.append(f"{person_id} was found nowhere: not known, spelt otherwise, or forgotten before")
    said += [f"removed as a whole: {folder}/ (built again by the next refresh)" for folder in outcome.folders]
    if outcome.left:
        said += [f"STILL FOUND in {place}" for place in outcome.left]
    else:
        said.append(f"not found in any of {outcome.searched} files under {settings.warehouse_dir}")
    if len(person_id) < DISTINCT_LENGTH:
        said.append(
            f"{person_id} is short, and may be a quantity or a product elsewhere:"
            " it was searched for where members are named"
        )
    if outcome.landing_files:
        zone = settings.landing_dir or "the landing zone"
        said.append(f"still in {zone}, which is yours and was not changed:")
        said += [f"    {file}" for file in outcome.landing_files]
        said.append("the next refresh leaves those rows out; delete them there too")
    return said


if __name__ == "__main__":
    raise SystemExit(main())
