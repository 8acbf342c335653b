"""The chart that the README shows: answers per second of each contestant, and CPU compared with the reference's."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

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
    "ours_bcrypt": ("this server, bcrypt 8 as the reference", "#8fbcff"),
    "express": ("Express, as the reference", "#d29922"),
    "djoser": ("djoser on gunicorn", "#8b949e"),
}
HEIGHT = 0.2


def draw(results: dict[str, Any], path: Path) -> None:
    known = medians(results)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.5), sharey=True, layout="constrained")
    for place, name in enumerate(BARS):
        _bars(left, known, "rate", place, name)
        _bars(right, known, "cpu", place, name)
    left.set(title="answers per second (more is better)", xscale="log", yticks=range(len(SHOWN)))
    left.set_yticklabels(SHOWN.values())
    left.invert_yaxis()
    right.set(title="ms of CPU per request (less is better)", xscale="log")
    for axes in (left, right):
        axes.margins(x=0.2)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(BARS), frameon=False)
    machine = results["machine"]
    figure.suptitle(f"2 processes each, on one machine with its MariaDB: {machine['cpu']}", fontsize=10)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def _bars(axes: Axes, known: Medians, figure: str, place: int, name: str) -> None:
    title, color = BARS[name]
    keys = [(endpoint, name, figure) for endpoint in SHOWN]
    found = [(row, known[key]) for row, key in enumerate(keys) if key in known]
    if not found:
        return
    rows, values = zip(*found, strict=True)
    bars = axes.barh([row + (place - 1.5) * HEIGHT for row in rows], values, HEIGHT, label=title, color=color)
    axes.bar_label(bars, [_short(value) for value in values], padding=2, fontsize=7)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
