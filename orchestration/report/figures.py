"""The report's drawings, as SVG within the page: no script, no network, no colour but by class, so that the style sheet
chooses light, dark and paper.

Belongs here: what a drawing looks like. Labels are users' data: they are escaped, and cut where they are long.
Does not belong here: which rows are drawn. What can be a coloured table (matrices, heat maps, bars) is one: a table is
read by everybody.

Every drawing is one image with a name (`role="img"`, `aria-label`); what it shows stands beside it as a table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from orchestration.report import words
from orchestration.report.languages import Foreign, digits, many, plain, say

WIDTH = 560
# Letters of a label; the rest is in its title.
LETTERS = 24
# Lines and flows that eyes can tell apart: as many as the palette of the style sheet has.
COLOURS = 8


@dataclass(frozen=True)
class Bubble:
    """One segment: share of customers, share of spend (0 to 1), spend a member, `mass`, `edge` or `niche`."""

    label: str
    member_share: float
    spend_share: float
    position: str


@dataclass(frozen=True)
class Flow:
    """Members who went from one segment to another, or stayed."""

    source: str
    target: str
    members: int


@dataclass(frozen=True)
class Interval:
    """An estimate with its fixed interval and, where there is one, the interval of all looks at once."""

    estimate: float
    low: float | None
    high: float | None
    always_low: float | None = None
    always_high: float | None = None


def cut(label: str, letters: int = LETTERS) -> str:
    if len(label) <= letters:
        return label
    shorter = label[: letters - 1].rstrip() + "…"
    return Foreign(shorter, label.lang) if isinstance(label, Foreign) else shorter


def _text(x: float, y: float, label: str, css: str = "", anchor: str = "start", letters: int = LETTERS) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}<title>{}</title></text>').format(
        x, y, css, anchor, cut(label, letters), label
    )


def _drawing(width: float, height: float, name: str, parts: Sequence[Markup], css: str = "") -> Markup:
    return Markup('<svg role="img" aria-label="{}" class="drawing {}" viewBox="0 0 {:.0f} {:.0f}">{}</svg>').format(
        plain(name), css, width, height, Markup("").join(parts)
    )


def _spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places of labels, moved as little as needed to stand `gap` apart between `low` and `high`."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [0.0] * len(places)
    last = low - gap
    for i in order:
        last = moved[i] = max(places[i], last + gap)
    limit = high
    for i in reversed(order):
        limit = moved[i] = min(moved[i], limit)
        limit -= gap
    return moved


def bubbles(found: Sequence[Bubble], name: str) -> Markup:
    """Segments by their share of customers (across) and of spend (up); above the line they spend more than their size.

    The area is the share of spend, the mark its position in the market.
    """
    left, top, side = 46.0, 14.0, 330.0
    shares = [max(bubble.member_share, bubble.spend_share) for bubble in found]
    highest = max([0.05, *(share for share in shares if math.isfinite(share))]) * 1.12

    def across(value: float) -> float:
        return left + side * value / highest

    def up(value: float) -> float:
        return top + side - side * value / highest

    parts = [
        Markup('<line class="axis" x1="{0:.1f}" y1="{1:.1f}" x2="{2:.1f}" y2="{1:.1f}"/>').format(
            left, top + side, left + side
        ),
        Markup('<line class="axis" x1="{0:.1f}" y1="{1:.1f}" x2="{0:.1f}" y2="{2:.1f}"/>').format(
            left, top, top + side
        ),
        Markup('<line class="even" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
            left, top + side, left + side, top
        ),
        _text(left + side, top + side + 32, say("share of customers →"), "quiet", "end"),
        _text(left - 40, top - 2, say("share of spend ↑"), "quiet"),
    ]
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if highest / step <= 6 or step == 0.5)
    for place in range(1, int(highest / step) + 1):
        value = place * step
        label = f"{100 * value:.0f} %"
        parts.append(_text(across(value), top + side + 16, label, "quiet", "middle"))
        parts.append(_text(left - 6, up(value) + 4, label, "quiet", "end"))
    placed = _spread([up(bubble.spend_share) for bubble in found], 15, top + 8, top + side)
    # The largest first, so that none hides a smaller one.
    for bubble, y in sorted(zip(found, placed, strict=True), key=lambda pair: -pair[0].spend_share):
        x0, y0 = across(bubble.member_share), up(bubble.spend_share)
        radius = 4 + 26 * math.sqrt(max(bubble.spend_share, 0.0))
        said = plain(
            say(
                "{segment}: {customers} of customers, {spend} of spend",
                segment=bubble.label,
                customers=words.percent(bubble.member_share),
                spend=words.percent(bubble.spend_share),
            )
        )
        parts.append(
            Markup('<circle class="bubble {}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>').format(
                bubble.position if bubble.position in words.POSITIONS else "niche", x0, y0, radius, said
            )
        )
        parts.append(
            Markup('<line class="lead" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
                min(x0 + radius, left + side), y0, left + side + 6, y
            )
        )
        parts.append(_text(left + side + 9, y + 4, bubble.label))
    return _drawing(WIDTH, top + side + 38, name, parts)


def flows(found: Sequence[Flow], order: Sequence[str], labels: Mapping[str, str], name: str) -> Markup:
    """Where members were (left) and where they are (right). Who stayed is grey, who moved has the colour of the origin.

    `order` is that of the segments from top to bottom; flows between others are left out.
    """
    names = [s for s in order if any(s in (flow.source, flow.target) for flow in found)]
    found = [flow for flow in found if flow.source in names and flow.target in names and flow.members > 0]
    total = sum(flow.members for flow in found)
    if not total:
        return Markup("")
    gap, height = 8.0, max(220.0, 30.0 * len(names))
    left, right, wide = 150.0, WIDTH - 162.0, 12.0
    scale = height / total
    starts: list[dict[str, float]] = []
    for side in ("source", "target"):
        y, places = 22.0, {}
        for segment in names:
            places[segment] = y
            y += scale * sum(flow.members for flow in found if getattr(flow, side) == segment) + gap
        starts.append(places)
    bottom = 22 + height + gap * len(names)
    out, into = dict(starts[0]), dict(starts[1])
    colours = {segment: f"c{place % COLOURS}" for place, segment in enumerate(names)}
    rank = {segment: place for place, segment in enumerate(names)}
    parts = []
    for flow in sorted(found, key=lambda flow: (rank[flow.source], rank[flow.target])):
        thick = scale * flow.members
        y0, y1 = out[flow.source], into[flow.target]
        out[flow.source] += thick
        into[flow.target] += thick
        middle = (left + wide + right) / 2
        shape = (
            f"M{left + wide:.1f} {y0:.1f}C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {right:.1f} {y1:.1f}"
            f"V{y1 + thick:.1f}C{middle:.1f} {y1 + thick:.1f} {middle:.1f} {y0 + thick:.1f} {left + wide:.1f} "
            f"{y0 + thick:.1f}Z"
        )
        stays = flow.source == flow.target
        said = plain(
            many("{segment}: {n} stayed", "{segment}: {n} stayed", flow.members, segment=labels[flow.source])
            if stays
            else say(
                "{before} to {now}: {n}",
                before=labels[flow.source],
                now=labels[flow.target],
                n=words.count(flow.members),
            )
        )
        parts.append(
            Markup('<path class="flow {}" d="{}"><title>{}</title></path>').format(
                "stayed" if stays else colours[flow.source], shape, said
            )
        )
    for places, side, x, edge, anchor in (
        (starts[0], "source", left, left - 6, "end"),
        (starts[1], "target", right, right + wide + 6, "start"),
    ):
        sizes = {s: sum(flow.members for flow in found if getattr(flow, side) == s) for s in names}
        present = [segment for segment in names if sizes[segment]]
        middles = _spread([places[s] + scale * sizes[s] / 2 for s in present], 15, 22, bottom)
        for segment, y in zip(present, middles, strict=True):
            parts.append(
                Markup('<rect class="node {}" x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.1f}"/>').format(
                    colours[segment], x, places[segment], wide, max(scale * sizes[segment], 1.0)
                )
            )
            parts.append(_text(edge, y + 4, labels[segment], "", anchor, 20))
    parts.append(_text(left + wide, 12, say("before"), "quiet", "end"))
    parts.append(_text(right, 12, say("now"), "quiet", "start"))
    return _drawing(WIDTH, bottom + 4, name, parts)


def lines(months: Sequence[date], series: Sequence[tuple[str, Sequence[float | None]]], name: str) -> Markup:
    """A line a segment over months, named at its end; dashes as well as colours tell them apart."""
    left, right, top, height = 50.0, 172.0, 14.0, 250.0
    values = [value for _, line in series for value in line if value is not None]
    if not values or len(months) < 2:
        return Markup("")
    highest = max(*values, 1.0) * 1.06
    step = 10 ** math.floor(math.log10(highest))
    step = next(size for size in (step / 5, step / 2, step, step * 2) if highest / size <= 6)
    span = WIDTH - left - right

    def across(place: int) -> float:
        return left + span * place / (len(months) - 1)

    def up(value: float) -> float:
        return top + height - height * value / highest

    parts = []
    for place in range(int(highest / step) + 1):
        y = up(place * step)
        parts.append(
            Markup('<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
                left, y, WIDTH - right, y
            )
        )
        parts.append(
            _text(
                left - 6,
                y + 4,
                words.short(place * step) if step >= 1 else digits(f"{place * step:.1f}"),
                "quiet",
                "end",
            )
        )
    every = max(1, math.ceil(len(months) / 4))
    for place in range(0, len(months), every):
        parts.append(_text(across(place), top + height + 18, words.month_short(months[place]), "quiet", "middle"))
    ends = [up(next((v for v in reversed(line) if v is not None), 0.0)) for _, line in series]
    for (label, line), end, number in zip(
        series, _spread(ends, 15, top + 6, top + height), range(len(series)), strict=True
    ):
        points = [(across(place), up(value)) for place, value in enumerate(line) if value is not None]
        if not points:
            continue
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(
            Markup('<path class="line c{} dash{}" d="{}"><title>{}</title></path>').format(
                number % COLOURS, number // 4 % 3, path, label
            )
        )
        parts.append(
            Markup('<line class="lead" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
                points[-1][0] + 2, points[-1][1], WIDTH - right + 12, end
            )
        )
        parts.append(_text(WIDTH - right + 15, end + 4, label, f"c{number % COLOURS}"))
    return _drawing(WIDTH, top + height + 26, name, parts)


def interval(found: Interval, low: float, high: float) -> Markup:
    """One estimate on a scale that its column shares: thick the fixed interval, thin the one of all looks at once."""
    width, height, edge = 150.0, 18.0, 5.0
    span = (high - low) or 1.0

    def across(value: float) -> float:
        return edge + (width - 2 * edge) * (min(max(value, low), high) - low) / span

    parts = [Markup('<line class="zero" x1="{0:.1f}" y1="1" x2="{0:.1f}" y2="17"/>').format(across(0.0))]
    for start, end, css in (
        (found.always_low, found.always_high, "always"),
        (found.low, found.high, "fixed"),
    ):
        # An interval that is open at one end runs to the edge of the scale.
        if start is not None or end is not None:
            start, end = (low if start is None else start), (high if end is None else end)
            parts.append(
                Markup('<line class="{}" x1="{:.1f}" y1="9" x2="{:.1f}" y2="9"/>').format(
                    css, across(start), across(end)
                )
            )
    parts.append(Markup('<circle class="estimate" cx="{:.1f}" cy="9" r="3.5"/>').format(across(found.estimate)))
    # Its numbers stand in the row: a reader who listens needs no drawing.
    return Markup('<svg aria-hidden="true" class="interval" viewBox="0 0 {:.0f} {:.0f}">{}</svg>').format(
        width, height, Markup("").join(parts)
    )


def scale_of(found: Sequence[Interval]) -> tuple[float, float]:
    """The scale that holds 0 and all fixed intervals; the wider ones of all looks run to its edge."""
    ends = [0.0]
    for one in found:
        ends += [value for value in (one.low, one.high, one.estimate) if value is not None and math.isfinite(value)]
    return min(ends), max(ends)
