#!/usr/bin/env python3
"""Draws what the number of records costs, from a result of bench.py.

Usage: plot.py RESULT DOCS      (`make bench-docs` runs it)

Writes DOCS/benchmarks-METRIC.svg, the tables between the two marks in DOCS/benchmarks.md, and DOCS/benchmarks.json, a copy of RESULT from
which both can be made again.
"""
import html
import json
import math
import pathlib
import sys

METRICS = [("ms", "time", "Time", "ms"), ("cpu", "cpu", "CPU time, user and system", "ms"), ("mib", "memory", "Peak memory", "MiB"),
           ("requests", "requests", "Requests to all servers", "requests"), ("bytes", "bytes", "Bytes sent and received", "bytes"),
           ("trips", "trips", "Round trips one after another", "round trips")]
CASES = ["cold get", "warm get", "list", "verify", "put"]
# In the light, in the dark, and a marker that differs, too.
PROGRAMS = {"oras discover": ("#c2568a", "#e58bb4", "M-4,0 0,-4 4,0 0,4z"), "notation verify": ("#5b48b8", "#a79df0", "M-4,3.5 4,3.5 0,-4z"),
            "cosign verify-attestation": ("#128a60", "#35bd8d", "M-4,-3.5 4,-3.5 0,4z"), "notary": ("#d2551f", "#f0803f", "M-3.5,-3.5h7v7h-7z"),
            "manifesto": ("#2a70cc", "#5aa2f5", "M-4,0a4,4 0 1 0 8,0a4,4 0 1 0 -8,0z")}
BEGIN, END = "<!-- made by `make bench-docs`: begin -->", "<!-- made by `make bench-docs`: end -->"
WIDTH, LEFT, GAP, TOP = 860, 62, 46, 58  # pixels
PLOT_W, PLOT_H, ROW_H = 220, 150, 222


def short(value):
    """A decade: 1, 10, 1k, 10M; 0.1 as it is."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return "%g%s" % (value / factor, letter)
    return "%g" % value


def number(value):
    return format(round(value), ",") if value >= 100 or value == int(value) else "%.1f" % value


def ratio(value):
    return "%.2f" % value if value >= 0.1 else "%.2g" % value


class Axis:
    """A logarithmic scale from decade to decade, onto pixels."""

    def __init__(self, values, start, end):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values)) - 1e-9), self.low + 1)
        self.start, self.end = start, end

    def at(self, value):
        return self.start + (self.end - self.start) * (math.log10(value) - self.low) / (self.high - self.low)

    def decades(self):
        return [10.0 ** e for e in range(self.low, self.high + 1)]


def style():
    light = ["svg{background:#fff}", "text{font:12px system-ui,sans-serif;fill:#333}", ".b{fill:#fff}", ".h{font-weight:600;fill:#111}",
             ".g{stroke:#ddd}", "path.l{fill:none;stroke-width:2}"]
    dark = ["svg{background:#0d1117}", "text{fill:#c9d1d9}", ".b{fill:#0d1117}", ".h{fill:#f0f6fc}", ".g{stroke:#30363d}"]
    for i, colours in enumerate(PROGRAMS.values()):
        for rules, colour in zip((light, dark), colours):
            rules.append(".p%d{stroke:%s}.m%d{fill:%s}" % (i, colour, i, colour))
    return "<style>%s@media(prefers-color-scheme:dark){%s}</style>" % ("".join(light), "".join(dark))


def text(x, y, what, extra=""):
    return '<text x="%g" y="%g"%s>%s</text>' % (x, y, extra and " " + extra, html.escape(what))


def panel(case, series, x, y):
    """One case: grid, scales, and a line for each program."""
    out = [text(x.start, y.end - 10, case, 'class="h"')]
    for value in y.decades():
        out += ['<path class="g" d="M%g,%.1fH%g"/>' % (x.start, y.at(value), x.end),
                text(x.start - 6, y.at(value) + 4, short(value), 'text-anchor="end"')]
    for value in x.decades():
        out += ['<path class="g" d="M%.1f,%gV%g"/>' % (x.at(value), y.start, y.end),
                text(x.at(value), y.start + 16, short(value), 'text-anchor="middle"')]
    out.append(text((x.start + x.end) / 2, y.start + 32, "records", 'text-anchor="middle"'))
    for i, program in enumerate(PROGRAMS):
        points = [(x.at(n), y.at(value)) for n, value in sorted(series.get((case, program), {}).items()) if value > 0]
        if points:
            out.append('<path class="l p%d" d="M%s"/>' % (i, " ".join("%.1f,%.1f" % point for point in points)))
            out += ['<path class="m%d" d="%s" transform="translate(%.1f,%.1f)"/>' % (i, PROGRAMS[program][2], *point) for point in points]
    return out


def legend(series, left, top):
    out, at = [], top
    for i, program in reversed(list(enumerate(PROGRAMS))):
        if any(name == program for _, name in series):
            out += ['<path class="l p%d" d="M%g,%gh28"/>' % (i, left, at),
                    '<path class="m%d" d="%s" transform="translate(%g,%g)"/>' % (i, PROGRAMS[program][2], left + 14, at),
                    text(left + 36, at + 4, program)]
            at += 22
    return out


def draw(series, title, unit):
    values = [value for points in series.values() for value in points.values() if value > 0]
    records = [n for points in series.values() for n in points]
    height = TOP + 2 * ROW_H
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">' % (WIDTH, height),
           "<title>%s</title>" % html.escape("%s, in %s, against the number of records" % (title, unit)), style(),
           '<path class="b" d="M0,0h%dv%dh-%dz"/>' % (WIDTH, height, WIDTH),
           text(LEFT, 22, "%s against the number of records" % title, 'class="h"')]
    for i, case in enumerate(CASES):
        left, top = LEFT + i % 3 * (PLOT_W + GAP), TOP + i // 3 * ROW_H
        out += panel(case, series, Axis(records, left, left + PLOT_W), Axis(values, top + PLOT_H, top))
        if i % 3 == 0:
            middle = top + PLOT_H / 2
            out.append(text(13, middle, unit, 'text-anchor="middle" transform="rotate(-90 13 %g)"' % middle))
    out += legend(series, LEFT + 2 * (PLOT_W + GAP), TOP + ROW_H + 12)
    return "\n".join(out + ["</svg>"]) + "\n"


def table(head, rows, words=1):
    align = ["---"] * words + ["--:"] * (len(head) - words)
    return ["| " + " | ".join(line) + " |" for line in [head, align, *rows]]


def verdicts(result):
    rows = [[v["case"], format(v["records"], ","), *(number(value) for value in v["ours"]), *(number(value) for value in v["theirs"]),
             ratio(v["time"]), ratio(v["cpu"]), v["verdict"].replace("NOT MET", "**not met**")] for v in result["verdicts"]]
    return table(["case", "records", "manifesto", "CPU", "MiB", "notary", "CPU", "MiB", "ratio", "CPU", "goals"], rows)


def section(result, all_series):
    out = ["%s; %s; medians of %d runs or more, of at most 3 from 50,000 records on. Elapsed and CPU time are in ms, memory in MiB; a ratio is "
           "manifesto's value divided by notary's." % (result["date"], result["machine"], result["runs"]), "", *verdicts(result)]
    sizes = sorted({cost["records"] for cost in result["costs"]})
    for key, name, title, unit in METRICS:
        rows = [[case, program, *(number(series[n]) if n in series else "" for n in sizes)]
                for case in CASES for program, series in [(p, all_series[key].get((case, p))) for p in reversed(PROGRAMS)] if series]
        out += ["", "### %s" % title, "", "![%s, in %s, against the number of records](benchmarks-%s.svg)" % (title, unit, name), "",
                *table([unit, "program", *(format(n, ",") for n in sizes)], rows, words=2)]
    return "\n".join(out)


def main(source, docs):
    result = json.loads(source.read_text(encoding="utf-8"))
    all_series = {key: {} for key, *_ in METRICS}
    for cost in result["costs"]:
        for key in set(all_series) & set(cost):
            all_series[key].setdefault((cost["case"], cost["program"]), {})[cost["records"]] = cost[key]
    for key, name, title, unit in METRICS:
        shown = {at: points for at, points in all_series[key].items() if at[0] in CASES}
        (docs / ("benchmarks-%s.svg" % name)).write_text(draw(shown, title, unit), encoding="utf-8")
    page = docs / "benchmarks.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    page.write_text(before + BEGIN + "\n\n" + section(result, all_series) + "\n\n" + END + rest.split(END)[1], encoding="utf-8")
    (docs / "benchmarks.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
