"""The report's charts, drawn here and now as SVG, so that the page needs neither scripts nor a network.

Belongs here: what a chart looks like. Labels are users' data: they reach the drawing as data, never as markup.
Does not belong here: which rows are drawn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import altair as alt
import vl_convert
from markupsafe import Markup

INK, QUIET, GRID = "#1d2733", "#52606d", "#e3e7ec"
CUSTOMERS, SPEND = "#8796a8", "#0b6e7f"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif"
ROW_HEIGHT = 34
CELL = 46
# Width of a character of a label at 12 px in the widest of the fonts above: the drawing is measured with one font and
# read with another, so room is kept for the widest.
CHARACTER = 7.7
MOST_LABEL = 200
# Where on the scale of colours white reads better than black: at 0.74 both have the contrast of 4.5 that readers need.
SCALE = ("#f3f6f8", "#0b5563")
INK_TURNS = 0.74


@dataclass(frozen=True)
class SizeBar:
    """One segment: shares 0 to 1."""

    label: str
    member_share: float
    spend_share: float


@dataclass(frozen=True)
class PairCell:
    """One pair of segments: divergence 0 to 1, `sign` of the verdict."""

    row: str
    column: str
    divergence: float
    sign: str


def unique(labels: list[str]) -> list[str]:
    """The labels, with a number behind those that came before: a chart puts equal labels in one place."""
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return result


def room(labels: list[str]) -> float:
    """Pixels that the longest label may need beside a chart."""
    return min(max((len(label) for label in labels), default=0), MOST_LABEL / 6) * CHARACTER + 6


def side_axis(labels: list[str]) -> alt.Axis:
    """Names of segments at the left of a chart."""
    return alt.Axis(labelLimit=MOST_LABEL, ticks=False, domain=False, minExtent=room(labels))


def size_chart(bars: list[SizeBar], title: str) -> Markup:
    """Two bars a segment: its share of customers above its share of spend."""
    labels = [bar.label for bar in bars]
    values = [
        {"label": bar.label, "kind": kind, "share": value}
        for bar in bars
        for kind, value in (("customers", bar.member_share), ("spend", bar.spend_share))
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("label:N", sort=labels, title=None, axis=side_axis(labels)),
        yOffset=alt.YOffset("kind:N", sort=["customers", "spend"]),
    )
    highest = max((value["share"] for value in values if isinstance(value["share"], float)), default=1.0)
    shares = alt.X(
        "share:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(highest * 1.12, 0.01)]),
        axis=alt.Axis(format=".0%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["customers", "spend"], range=[CUSTOMERS, SPEND]))
    drawn = base.mark_bar().encode(x=shares, color=colour)
    figures = base.mark_text(align="left", dx=4, fontSize=10.5, color=QUIET).encode(
        x=shares, text=alt.Text("share:Q", format=".1%")
    )
    return draw((drawn + figures).properties(width=440, height=ROW_HEIGHT * len(bars)), title)


def pair_chart(cells: list[PairCell], labels: list[str], title: str) -> Markup:
    """A triangle of pairs: the darker, the more different; the sign is the verdict. Figures are divergence × 100."""
    values = [
        {
            "row": cell.row,
            "column": cell.column,
            "divergence": cell.divergence,
            "text": f"{100 * cell.divergence:.0f} {cell.sign}",
        }
        for cell in cells
    ]
    rows = [label for label in labels if any(cell.row == label for cell in cells)]
    columns = [label for label in labels if any(cell.column == label for cell in cells)]
    highest = max((cell.divergence for cell in cells), default=0.0)
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X(
            "column:N",
            sort=columns,
            title=None,
            axis=alt.Axis(
                orient="bottom",
                labelAngle=-40,
                labelLimit=MOST_LABEL,
                labelOverlap=False,
                ticks=False,
                domain=False,
                minExtent=0.55 * room(columns),
            ),
        ),
        y=alt.Y("row:N", sort=rows, title=None, axis=side_axis(rows)),
    )
    scale = alt.Scale(domain=[0, max(highest, 0.3)], range=list(SCALE), interpolate="lab")
    squares = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color("divergence:Q", legend=None, scale=scale)
    )
    ink = alt.condition(f"datum.divergence > {INK_TURNS * max(highest, 0.3)!r}", alt.value("white"), alt.value("black"))
    figures = base.mark_text(fontSize=12).encode(text="text:N", color=ink)
    return draw((squares + figures).properties(width=CELL * len(columns), height=32 * len(rows)), title)


def draw(chart: alt.LayerChart, title: str) -> Markup:
    """The chart as an `svg` element: named for those who cannot see it, without ids or addresses of any kind."""
    styled = chart.configure(
        font=FONT,
        background="transparent",
        axis=alt.AxisConfig(labelFontSize=12, labelColor=INK, gridColor=GRID),
        view=alt.ViewConfig(stroke=None),
        padding=2,
        # The drawing's own descriptions are for programs; a reader of the page hears the title, and has the table.
        aria=False,
    )
    svg = vl_convert.vegalite_to_svg(styled.to_dict(), allowed_base_urls=[])
    # Within an HTML page the element needs no namespace; so the page holds no address at all.
    svg = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", svg, count=2)
    return Markup(svg.replace("<svg", Markup('<svg role="img" aria-label="{}"').format(title), 1))
