"""The table of what was measured."""

import statistics

from cases import LESS, MORE, SHOWN
from sides import KAFKA, MINI_BROKER


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def spread(values):
    """The median, and behind it the least and the most."""
    if not values:
        return "failed"
    middle = number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values))}..{number(max(values))})"


def verdict(better, ratio):
    """Whether the goal is met: at least Kafka's rate, at most its time; and the aim: by twice."""
    if better == SHOWN:
        return ""
    gain = ratio if better == MORE else 1 / ratio if ratio else float("inf")
    return "missed" if gain < 1 else "aim" if gain >= 2 else "met"


def header():
    return (f"{'case':<36} {'measure':<31} {MINI_BROKER:<28} {KAFKA:<28} "
            f"{'ratio':>6}  goal")


def row(title, measure, results):
    """`results`: {kind: [value of each run]}."""
    ours, theirs = results[MINI_BROKER], results.get(KAFKA)
    ratio = verdict_text = ""
    if ours and theirs:
        value = statistics.median(ours) / (statistics.median(theirs) or 1e-9)
        ratio, verdict_text = f"{value:.2f}", verdict(measure.better, value)
    line = (f"{title:<36} {measure.unit:<31} {spread(ours):<28} "
            f"{'' if theirs is None else spread(theirs):<28} {ratio:>6}  {verdict_text}")
    return line.rstrip()


def rows(case, results):
    """`results`: {kind: [figures of each run]}, all with the names of `case.measures`."""
    for name, measure in case.measures.items():
        values = {kind: [run[name] for run in runs] for kind, runs in results.items()}
        yield row(case.title, measure, values)
