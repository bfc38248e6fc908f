"""The command line behind make's targets: `python -m orchestration <command>`; without one, what there is.

Belongs here: which command is which function. Does not belong here: what a command does, its words and its exit codes.
Only the module of the command that is called is imported: a check of the treatments takes a second, dbt takes five.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

BAD_CALL = 2


@dataclass(frozen=True)
class Command:
    """`module` has a `main`, which gives the exit code. Where `arguments` are given, it takes those and what follows
    the command."""

    module: str
    says: str
    arguments: tuple[str, ...] | None = None


COMMANDS = {
    "refresh": Command("refresh", "land, build, audit, publish"),
    "backfill": Command("backfill", "compute dates of the history grid again: FROM=, TO="),
    "land": Command("landing.commands", "land the files alone, for a dbt build by hand on Spark"),
    "map": Command("landing.mapping.commands", "propose a mapping for a folder of exports: FROM="),
    "settings": Command("overrides", "what holds of settings and seeds, and from where", ()),
    "meanings": Command("meanings.commands", "the shop's categories, to be filled in and taken back: SEEDS_DIR="),
    "check": Command("treatments.commands", "the treatment check alone"),
    "treatments": Command("treatments.desk", "the treatments as a workbook (FILE=), and back (FROM=)"),
    "rollback": Command("publication.commands", "the published link goes back to the version before", ("rollback",)),
    "postgres": Command("publication.commands", "publish in PostgreSQL what is published here", ("postgres",)),
    "forget": Command("audiences.commands", "remove a person from everything: ID=", ("forget",)),
    "hand-over": Command("audiences.commands", "give the targets what is published", ("hand-over",)),
    "receipts": Command("audiences.commands", "take back what senders have left", ("receipts",)),
    "metrics": Command("metrics", "MetricFlow on what is published: list metrics, query …", ()),
    "contracts": Command("contracts", "the landing and published contracts as ODCS: [folder]", ()),
    "dashboard": Command("dashboards", "the Superset dashboard as an archive: [file]", ()),
    "languages": Command("report.languages.commands", "bring the report's catalogues up to date: [code …]", ()),
}


def main(arguments: Sequence[str]) -> int:
    """Exit code of the command; 2 where it is not one, or takes no arguments and has some."""
    name, given = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    command = COMMANDS.get(name)
    if command is None:
        print("\n".join([f"python -m orchestration {name}: no such command; there are", *_listed()]), file=sys.stderr)
        return BAD_CALL
    if command.arguments is None and given:
        print(f"python -m orchestration {name} takes no arguments, but was given {' '.join(given)}", file=sys.stderr)
        return BAD_CALL
    run = import_module(f"orchestration.{command.module}").main
    return int(run() if command.arguments is None else run([*command.arguments, *given]))


def _listed() -> list[str]:
    return [f"    {name:12} {command.says}" for name, command in COMMANDS.items()]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
