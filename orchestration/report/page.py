"""The file: the front page and the pages behind it, put into the template.

Belongs here: the order of the work, the template's settings, writing the file.
Does not belong here: what a page says (pages/) or looks like (templates/).
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestration.audit.told import Told
from orchestration.report import pages, words
from orchestration.report.languages import current, many, mark, plain, say, using
from orchestration.report.pages.front import front
from orchestration.report.published import Published, open_published
from orchestration.report.shop import Shop
from orchestration.settings import SOURCE_LANGUAGE

TEMPLATES = Path(__file__).resolve().parent / "templates"


def write_report(
    database: Path,
    target: Path,
    audit: Told | None = None,
    before: Path | None = None,
    language: str = SOURCE_LANGUAGE,
) -> None:
    """Write the report on a published or candidate file as one HTML file that refers to nothing outside itself.

    The same arguments give the same bytes: the page has no date but those in the tables. Tables that are absent or
    empty are said to be so, or their part is left out.

    Args:
        database: segments.duckdb; opened read-only.
        target: the HTML file; its folder is made where it is missing, the file replaced where it exists.
        audit: what the checks of the refresh said; without it the page has the counts of the table `refreshes` alone,
            which are those from before the final audit.
        before: the segments.duckdb that was published before this one, for what turned since; opened read-only, and
            passed over where it is not there.
        language: the language of the page, one of `settings.report_languages()`.

    Raises:
        FileNotFoundError: there is no such database; the text names it.
        ValueError: there is no such language; the text names those that there are.
    """
    with ExitStack() as opened:
        opened.enter_context(using(language))
        db = opened.enter_context(open_published(database))
        earlier = opened.enter_context(open_published(before)) if before is not None and before.is_file() else None
        html = render(db, audit, earlier)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(html, encoding="utf-8", newline="\n")


def render(db: Published, audit: Told | None = None, before: Published | None = None) -> str:
    """The file as text, in the language that is in use."""
    shop = Shop(db, audit, before)
    found = pages.all_pages(shop)
    # The project's own files, not users' data: the only texts that are not escaped.
    style = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "report.js").read_text(encoding="utf-8"))
    # No script runs but this one: what a label holds can never become one.
    digest = base64.b64encode(hashlib.sha256(("\n" + script).encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            style=style,
            script=script,
            digest=digest,
            front=front(shop),
            pages=found,
            contents=[page for page in found if not page.parent],
            scheme_pages=[page for page in found if page.parent],
            language=current().tag,
            least=shop.least,
            a_window=shop.a_window,
        )
    )


@cache
def _environment() -> Environment:
    """Everything is escaped, whatever the file is called; a misspelt name is an error, not a blank."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(say=say, many=many, capital=words.capital)
    environment.filters.update(plain=plain, mark=mark)
    return environment
