"""`python -m orchestration forget --id ID` (make forget ID=...): forget a person, and prove it.

`hand-over` (make hand-over) gives the targets in AUDIENCE_TARGET what is published, without a refresh; `receipts` (make
receipts) takes back what senders have left there: it lands as touchpoints and responses, for the next refresh.

Exit code 0 when all was done (forget: nothing of the id is left in the warehouse folder), 1 when something was not
(also receipts that were refused), or another process holds the folder, 2 when the call or the environment is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from unicodedata import normalize

from orchestration.audiences.forget import DISTINCT_LENGTH, Outcome, forget
from orchestration.audiences.handover.chosen import targets_of
from orchestration.audiences.handover.target import AUDIENCE_TARGET, TargetError
from orchestration.landing.errors import LandingError
from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.storage.lock import LockHeld, refresh_lock


def main(arguments: list[str] | None = None) -> int:
    """Run one command; see the exit codes above."""
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    forgetting = commands.add_parser("forget", help="take a person out of everything in the warehouse folder")
    # `make forget ID=...` hands the id over in the environment, where no shell reads it.
    forgetting.add_argument(
        "--id", default=os.environ.get("ID", ""), help="customer, company, contact person or prospect"
    )
    commands.add_parser("hand-over", help="give the published audiences to the targets in AUDIENCE_TARGET")
    commands.add_parser("receipts", help="take back what senders have left in the targets")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
        if options.command != "forget":
            return with_targets(settings, options.command)
        outcome = forget(settings, options.id)
    except (SettingsError, LandingError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except LockHeld as error:
        print(f"not {'forgotten' if options.command == 'forget' else 'done'}: {error}", file=sys.stderr)
        return 1
    except TargetError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines(outcome, settings, options.id)))
    return 1 if outcome.left else 0


def with_targets(settings: Settings, command: str) -> int:
    """Run `hand-over` or `receipts`."""
    from orchestration.audiences.handover.lists import hand_over_to_all
    from orchestration.audiences.handover.receipts import take_receipts

    targets = targets_of()
    if not targets:
        print(f"{AUDIENCE_TARGET} is not set: no target is named (docs/hand-over.md)", file=sys.stderr)
        return 2
    with refresh_lock(settings.lock_file, purpose=command):
        if command == "hand-over":
            for name, (lists, changes) in hand_over_to_all(settings, targets).items():
                print(f"{name}: {_told(lists, changes) if lists else 'nothing new, or nothing to send'}")
            return 0
        taken = take_receipts(settings, targets)
    print(
        f"{taken.touchpoints} touchpoints and {taken.responses} responses landed, {taken.known} were known,"
        f" {taken.not_sent} not sent"
    )
    print("".join(f"    {settings.landing_dir}/{file}\n" for file in taken.files), end="")
    for why, n in sorted(taken.refused.items()):
        print(f"refused: {n} of {why}", file=sys.stderr)
    return 1 if taken.refused else 0


def _told(lists: dict[str, int], changes: dict[str, dict[str, int]]) -> str:
    def of(channel: str) -> str:
        return "".join(f", {n} {change}" for change, n in sorted(changes.get(channel, {}).items()))

    return "; ".join(f"{channel} {rows}{of(channel)}" for channel, rows in sorted(lists.items()))


def lines(outcome: Outcome, settings: Settings, person_id: str) -> list[str]:
    """What forgetting did, for the terminal."""
    said = [f"removed from {place}: {rows}" for place, rows in outcome.removed.items()]
    if not said and outcome.landing_files:
        said.append("nothing was there to remove")
    elif not said and not outcome.left:
        said.append(f"{person_id} was found nowhere: not known, spelt otherwise, or forgotten before")
    said += [f"removed as a whole: {folder}/ (built again by the next refresh)" for folder in outcome.folders]
    said += outcome.handed_over
    if outcome.handed_over:
        said.append("whoever sends has copies of their own: tell them to forget the person too")
    if outcome.left:
        said += [f"STILL FOUND in {place}" for place in outcome.left]
    else:
        said.append(f"not found in any of {outcome.searched} files under {settings.warehouse_dir}")
    for each in outcome.ids[1:]:
        reader = "landing" if each == normalize("NFC", person_id) else "landing_formats"
        said.append(f"{each} was forgotten too: {reader} reads {person_id} so")
    said += [
        f"{each} is short, and may be a quantity or a product elsewhere: it was searched for where members are named"
        for each in outcome.ids
        if len(each) < DISTINCT_LENGTH
    ]
    if outcome.landing_files:
        zone = settings.landing_dir or "the landing zone"
        if settings.mapping_file is not None:
            zone = f"the export that {settings.mapping_file} reads"
        said.append(f"still in {zone}, which is yours and was not changed:")
        said += [f"    {file}" for file in outcome.landing_files]
        said.append("the next refresh leaves those rows out; delete them there too")
    return said
