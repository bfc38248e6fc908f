"""The pages of the report, in the order of the navigation. A page more is a module with `pages(shop)` and a line here.

A module gives a list of pages (blocks.Page): none where the data have nothing to say, several where one has pages of
its own under it (each scheme under `schemes`). The front page has a template of its own (front.py).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

from orchestration.report.blocks import Page
from orchestration.report.pages import companies, experiments, movement, occasions, quality, schemes, selling
from orchestration.report.shop import Shop

PROSPECTS = "orchestration.report.prospects"


def prospects(shop: Shop) -> list[Page]:
    """Prospects and their calibration: `pages(shop)` of a module of its own, where there is one."""
    if importlib.util.find_spec(PROSPECTS) is None:
        return []
    found: list[Page] = importlib.import_module(PROSPECTS).pages(shop)
    return found


PAGES: tuple[Callable[[Shop], list[Page]], ...] = (
    schemes.pages,
    movement.pages,
    selling.pages,
    occasions.pages,
    companies.pages,
    prospects,
    experiments.pages,
    quality.pages,
)


def all_pages(shop: Shop) -> list[Page]:
    """Every page but the front page."""
    return [page for make in PAGES for page in make(shop)]
