"""Draws the growth curves of var/curves.json into docs/: `python -m tests.bench.plots`."""

import json
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

CURVES, DOCS = Path("var/curves.json"), Path("docs")
# Greys and colours that stand out from white and from black alike.
INK, GRID = "#808890", "#80889040"
COLOURS = ("#3a82f7", "#e0702c", "#2aa876", "#c0559f")
TITLES = {
    "events": "events stored", "budgets": "enabled budgets", "clients": "clients at a time",
}  # fmt: skip


def main() -> None:
    """One drawing for each thing that was varied."""
    mpl.rcParams.update({
        "svg.fonttype": "none", "svg.hashsalt": "tallyman", "font.family": "sans-serif",
        "font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
        "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
        "axes.spines.right": False,
    })  # fmt: skip
    for kind, curve in json.loads(CURVES.read_text()).items():
        _draw(kind, curve).savefig(
            DOCS / f"growth-{kind}.svg", transparent=True, metadata={"Date": None}
        )


def _draw(kind: str, curve: dict[str, list[float]]) -> Figure:
    """Latencies to the left, rates and the like to the right; both against size, logarithmic."""
    figure = Figure(figsize=(9, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    times = {name: values for name, values in curve.items() if name.endswith(", ms")}
    others = {name: values for name, values in curve.items() if name not in times and name != "x"}
    for axes, lines, title in ((left, times, "milliseconds"), (right, others, "rates")):
        measured = list(dict.fromkeys(map(_measured, lines)))
        for name, values in lines.items():
            axes.plot(
                curve["x"], values, marker="o", label=name.removesuffix(", ms"),
                color=COLOURS[measured.index(_measured(name)) % len(COLOURS)],
                linestyle="--" if ", p99" in name else "-",
            )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel=TITLES[kind], title=title)
        axes.set_xticks(curve["x"], [f"{size:,.0f}" for size in curve["x"]])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(color=GRID)
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False, fontsize=8,
            labelcolor=INK,
        )  # fmt: skip
    return figure


def _measured(name: str) -> str:
    """What a line is about, whichever percentile it shows."""
    return name.partition(", p")[0]


if __name__ == "__main__":
    main()
