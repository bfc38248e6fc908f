"""The pages of the report, in the order of the navigation. A page more is a module with `pages(shop)` and a line here.

A module gives a list of pages (blocks.Page): none where the data have nothing to say, several where one has pages of
its own under it (each scheme under `schemes`). The front page has a template of its own (front.py).
"""

from __future__ import annotations

from collections.abc import Callable

from orchestration.report.blocks import Page
from orchestration.report.pages import companies, experiments, movement, occasions, prospects, quality, schemes, selling
from orchestration.report.shop import Shop

PAGES: tuple[Callable[[Shop], list[Page]], ...] = (
    schemes.pages,
    movement.pages,
    selling.pages,
    occasions.pages,
    companies.pages,
    prospects.pages,
    experiments.pages,
    quality.pages,
)


def all_pages(shop: Shop) -> list[Page]:
    """Every page but the front page."""
    return [page for make in PAGES for page in make(shop)]
