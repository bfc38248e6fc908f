"""Prospects: who they are like, and how far to trust the scores.

Belongs here: what `orchestration.report.prospects.prospects` counted in, blocks out. No page where that module is not
there, or where there is no prospect.
Does not belong here: the counts.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from orchestration.report.blocks import Block, Cell, Column, Fold, Page, Part, Prose, Table
from orchestration.report.pages import common
from orchestration.report.shop import Shop

COUNTS = "orchestration.report.prospects"


def pages(shop: Shop) -> list[Page]:
    """One page: segments, those without one by reason, models with their calibration, personas."""
    if importlib.util.find_spec(COUNTS) is None:
        return []
    found: Mapping[str, Any] | None = importlib.import_module(COUNTS).prospects(shop.db)
    return [] if found is None else [page(shop, found)]


def page(shop: Shop, found: Mapping[str, Any]) -> Page:
    """The page of the counts, which are texts already; counts of too few are withheld."""

    def counted(said: str) -> Cell:
        number = float(said.replace(",", "")) if said.replace(",", "").isdigit() else None
        return common.members(shop, number) if shop.is_few(number) else common.number(number, said)

    def share(said: str) -> Cell:
        bare = said.replace("\u00a0", " ").removesuffix(" %").replace(",", "")
        number = float(bare) / 100 if bare.replace(".", "", 1).isdigit() else None
        return common.number(number, said)

    total = float(str(found["total"]).split()[0].replace(",", ""))
    if shop.is_few(total):
        return Page("prospects", "Prospects", "Who are prospects like?", [Prose(f"Fewer than {shop.least} prospects.")])
    known = counted(found["known"]).text
    blocks: list[Block] = [
        Prose(
            f"{known} of {found['total']} have a segment: that of the customers who say the same of themselves.",
            "lead",
        )
    ]
    if found["segments"]:
        columns = [
            Column("Segment"),
            Column("Scheme", minor=True),
            Column("Prospects", True),
            Column("Mean score", True),
            Column("May be written to", True),
            Column("Share of customers", True, minor=True),
        ]
        rows = [
            [
                common.label(row["segment"]),
                common.text(row["scheme"]),
                counted(row["prospects"]),
                share(row["score"]),
                counted(row["contactable"]),
                share(row["member_share"]),
            ]
            for row in found["segments"]
        ]
        blocks.append(Part("By segment", [Table("Prospects by segment", columns, rows)], "prospect-segments"))
    if found["unknown"]:
        rows = [[common.label(row["why"]), counted(row["n"]), common.text(row["remedy"])] for row in found["unknown"]]
        columns = [Column("Why"), Column("Prospects", True), Column("What helps")]
        blocks.append(Part("Without a segment", [Table("Prospects without a segment", columns, rows)]))
    models = found["models"]["rows"]
    if models:
        blocks.append(Part("How far to trust the scores", calibration(models, counted, share), "calibration"))
    if found["personas"]:
        rows = [
            [
                common.label(row["persona"], note=row["description"]),
                common.text(row["segment"]),
                common.text(row["scheme"]),
                counted(row["near"]),
            ]
            for row in found["personas"]
        ]
        columns = [Column("Persona"), Column("Segment"), Column("Scheme", minor=True), Column("Prospects near", True)]
        blocks.append(Part("The persons you described", [Table("Personas", columns, rows)]))
    return Page("prospects", "Prospects", "Who are prospects like?", blocks)


def calibration(models: list[dict[str, Any]], counted: Any, share: Any) -> list[Block]:
    """What scores said and what came, of the model with most prospects; all models behind a fold."""
    first = models[0]
    bins = [
        [common.label(b["from"]), share(b["said"]), share(b["were"]), counted(b["members"])]
        for b in first["bins"]
        if int(str(b["members"]).replace(",", "")) > 0
    ]
    rows = [
        [
            common.label(row["attributes"]),
            common.text(row["scheme"]),
            counted(row["prospects"]),
            common.text(row["model"] if row["beats_base"] else f"{row['model']}, no better than the base rate"),
            counted(row["judged"]),
            share(row["top1"]),
            share(row["base_top1"]),
            common.number(None, f"{row['log_loss']} against {row['base_log_loss']}"),
            share(row["calibration_error"]),
        ]
        for row in models
    ]
    columns = [
        Column("By"),
        Column("Scheme", minor=True),
        Column("Prospects", True),
        Column("Model"),
        Column("Judged on", True, minor=True),
        Column("Right", True),
        Column("Right by the largest segment", True),
        Column("Log loss", True, "against the base rate", minor=True),
        Column("Scores are off by", True),
    ]
    return [
        Prose("Judged on customers whom no model had seen: where a score says 60 %, 60 % should have the segment."),
        Table(
            "Calibration of the scores",
            [Column("Scores from"), Column("said", True), Column("were", True), Column("Customers", True)],
            bins,
        ),
        Fold("How sure", [Table("Models of prospects", columns, rows)]),
    ]
