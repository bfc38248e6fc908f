"""The page: what the sections found, put into the template.

Belongs here: the order of the work, the template's settings, writing the file.
Does not belong here: what a section says (accounts.py, tangible.py, selling.py, sections.py) or looks like
(templates/).
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestration.audit.told import Told
from orchestration.report import accounts, committees, prospects, sections, selling, words
from orchestration.report.published import Published, open_published

TEMPLATES = Path(__file__).resolve().parent / "templates"


def write_report(database: Path, target: Path, audit: Told | None = None) -> None:
    """Write the report on a published or candidate file as one HTML file that refers to nothing outside itself.

    The same database and audit give the same bytes: the page has no date but those in the tables. Tables that are
    absent or empty are said to be so, or their section is left out.

    Args:
        database: segments.duckdb; opened read-only.
        target: the HTML file; its folder is made where it is missing, the file replaced where it exists.
        audit: what the checks of the refresh said; without it the page has the counts of the table `refreshes` alone,
            which are those from before the final audit.

    Raises:
        FileNotFoundError: there is no such database; the text names it.
    """
    with open_published(database) as db:
        html = render(db, audit)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(html, encoding="utf-8", newline="\n")


def render(db: Published, audit: Told | None = None) -> str:
    """The page as text."""
    refresh = sections.last_refresh(db)
    as_of = sections.as_of_date(db, refresh)
    schemes = accounts.read_schemes(db, as_of)
    known = [scheme for scheme in schemes if not scheme["is_nothing_known"]]
    template = _environment().get_template("report.html.jinja")
    return template.render(
        # The project's own file, not users' data: the one text that is not escaped.
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        headline=sections.headline(db, refresh, as_of, audit),
        warnings=sections.warnings(audit),
        verdicts=sections.verdict_counts(known),
        schemes=known,
        nothing_known=[scheme["name"] for scheme in schemes if scheme["is_nothing_known"]],
        has_scorecard=db.has("scheme_scorecard"),
        experiments=accounts.outcome_table(
            [
                row
                for row in db.table("treatment_outcomes", "scheme", "segment", "treatment_id", "outcome")
                if row["scheme"] == "all"
            ],
            None,
        ),
        inactive=sections.inactive_schemes(db),
        without_audience=sections.schemes_without_audience(db),
        committees=committees.committees(db),
        prospects=prospects.prospects(db),
        affinities=selling.affinities(db),
        gaps=selling.gaps(db),
        offers=selling.offers(db),
        offer_level=selling.offer_level(db),
        audiences=selling.audiences(db),
        quality=sections.quality(db, refresh),
        spellings=sections.spellings(db),
        unreadable=sections.unreadable(db),
        words=words,
        most_segments=accounts.MOST_SEGMENTS,
    )


def _environment() -> Environment:
    """Everything is escaped, whatever the file is called; a misspelt name is an error, not a blank."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
