"""The chart that the README shows: answers per second of each contestant, and CPU compared with the reference's."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from bench.programs import PROGRAMS
from bench.targets import Medians, medians

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

SHOWN = {
    "all": "/all",
    "user": "/user",
    "mod": "/mod",
    "admin": "/admin",
    "refresh": "refresh",
    "sign_in": "sign-in",
    "sign_up": "sign-up",
}
BARS = {
    "ours": ("this server", "#1f6feb"),
    "ours_bcrypt": ("this server, with the reference's bcrypt 8", "#8fbcff"),
    "express": (PROGRAMS["express"].title, "#d29922"),
    "djoser": (PROGRAMS["djoser"].title, "#8b949e"),
}
HEIGHT = 0.2


def draw(results: dict[str, Any], path: Path) -> None:
    known = medians(results)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.5), sharey=True, layout="constrained")
    for place, name in enumerate(BARS):
        _bars(left, place, name, {endpoint: known.get((endpoint, name, "rate")) for endpoint in SHOWN})
        _bars(right, place, name, {endpoint: _compared(known, endpoint, name) for endpoint in SHOWN}, start=1)
    left.set(title="answers per second (more is better)", xscale="log", yticks=range(len(SHOWN)))
    left.set_yticklabels(SHOWN.values())
    left.invert_yaxis()
    right.set(title="CPU per request, the reference's is 1 (less is better)", xscale="log", xlim=(0.1, 20))
    right.axvline(1, color=BARS["express"][1])
    left.margins(x=0.2)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(BARS), frameon=False)
    figure.suptitle(f"2 processes each, on one machine with MariaDB: {results['machine']['cpu']}", fontsize=10)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def _compared(known: Medians, endpoint: str, name: str) -> float | None:
    own, reference = known.get((endpoint, name, "cpu")), known.get((endpoint, "express", "cpu"))
    # The reference's own is the line at 1; and a load without a tick of CPU has no ratio.
    return own / reference if own and reference and name != "express" else None


def _bars(axes: Axes, place: int, name: str, values: dict[str, float | None], start: float = 0) -> None:
    title, color = BARS[name]
    found = [(row, value) for row, value in enumerate(values.values()) if value is not None]
    if not found:
        return
    rows = [row + (place - 1.5) * HEIGHT for row, _ in found]
    bars = axes.barh(rows, [value - start for _, value in found], HEIGHT, left=start, label=title, color=color)
    axes.bar_label(bars, [_short(value) for _, value in found], padding=2, fontsize=7)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
