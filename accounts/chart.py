"""Bars for numbers by day, as an SVG has them: across in percent, so that they fit any page, and down in pixels."""

from dataclasses import dataclass
from itertools import accumulate

MOST_STEPS = 4


@dataclass(frozen=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A part of a column; `kind` is the name of what it counts."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True)
class Scale:
    """From 0 at `bottom` to at least `largest` at `top`, both in pixels from above."""

    largest: int
    top: float
    bottom: float

    @property
    def step(self) -> int:
        """1, 2 or 5 times a power of ten."""
        step, factors = 1, (2, 2.5, 2)
        number = 0
        while step * MOST_STEPS < self.largest:
            step = int(step * factors[number % 3])
            number += 1
        return step

    @property
    def end(self) -> int:
        """The largest number of the scale, a multiple of its step."""
        return max(-(-self.largest // self.step), 1) * self.step

    @property
    def ticks(self) -> list[Tick]:
        return [Tick(self.y(number), short(number)) for number in range(0, self.end + 1, self.step)]

    def y(self, number: int) -> float:
        return round(self.bottom - (self.bottom - self.top) * number / self.end, 2)

    def stacked(self, numbers: dict[str, int]) -> list[Bar]:
        """A column of bars, the first at the bottom."""
        sums = [0, *accumulate(numbers.values())]
        return [
            Bar(kind, self.y(above), round(self.y(below) - self.y(above), 2))
            for kind, below, above in zip(numbers, sums, sums[1:], strict=False)
            if above > below
        ]


@dataclass(frozen=True)
class Column:
    """A day's share of the width, and the part of it that its bars take; in percent."""

    x: float
    width: float
    bar_x: float
    bar_width: float
    middle: float


def columns(number: int) -> list[Column]:
    share = 100 / number
    return [
        Column(
            x=round(share * index, 3),
            width=round(share, 3),
            bar_x=round(share * (index + 0.15), 3),
            bar_width=round(share * 0.7, 3),
            middle=round(share * (index + 0.5), 3),
        )
        for index in range(number)
    ]


def short(number: int) -> str:
    """1500 is 1.5k; at most one digit after the point, which is all that the steps of a scale need."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return str(number)
