# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of HierFAVG's experiment as SVG text, readable on light and dark grounds and without colours."""

import html
import statistics

WIDTH, HEIGHT = 1000, 770
STYLE = """\
  <style>
    svg { --paper: #ffffff; --ink: #1f2933; --soft: #5b6875; --rule: #d5dde4; --c0: #6b7280; --c1: #b45309;
          --c2: #0b63c5; --c3: #0f7a54; --c4: #a21caf; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9aa7b4; --rule: #2b3542; --c0: #a3adb8; --c1: #e8a04c;
            --c2: #6cb0ff; --c3: #4fc792; --c4: #e08bf0; }
    }
    .paper { fill: var(--paper); }
    text { fill: var(--ink); font-size: 14px; }
    .small { font-size: 12.5px; fill: var(--soft); }
    .head { font-size: 16px; font-weight: 600; }
    .middle { text-anchor: middle; }
    .end { text-anchor: end; }
    .rule { stroke: var(--rule); stroke-width: 1; }
    .axis { stroke: var(--soft); stroke-width: 1.2; }
    .target { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 2 4; }
    .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    .bar { stroke-width: 1.6; }
    .s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); }
    .s4 { stroke: var(--c4); }
    .f1 { fill: var(--c1); stroke: none; } .f2 { fill: var(--c2); stroke: none; }
    .dot { stroke: none; fill-opacity: 0.45; }
  </style>
"""
# One for each setting: flat and the four of the paper.
DASHES = ("2 3", "", "9 4", "9 3 2 3", "4 3")


class Panel:
    """A plot's frame: from values to places on the page."""

    def __init__(self, left, top, width, height, xs, ys):
        self.left, self.top, self.width, self.height = left, top, width, height
        self.xs, self.ys = xs, ys

    def x(self, value):
        return self.left + (value - self.xs[0]) / (self.xs[1] - self.xs[0]) * self.width

    def y(self, value):
        return self.top + self.height - (value - self.ys[0]) / (self.ys[1] - self.ys[0]) * self.height

    def frame(self, title, unit_x, unit_y, xticks, yticks):
        bottom = self.top + self.height
        parts = [text(self.left - 44, self.top - 34, title, "head")]
        parts.append(text(self.left - 44, self.top - 13, unit_y, "small"))
        for value, word in yticks:
            place = self.y(value)
            parts.append(line(self.left, place, self.left + self.width, place, "rule"))
            parts.append(text(self.left - 8, place + 4.5, word, "small end"))
        for value, word in xticks:
            parts.append(line(self.x(value), bottom, self.x(value), bottom + 5, "axis"))
            parts.append(text(self.x(value), bottom + 19, word, "small middle"))
        parts.append(line(self.left, bottom, self.left + self.width, bottom, "axis"))
        parts.append(text(self.left + self.width / 2, bottom + 37, unit_x, "small middle"))
        return parts


def text(x, y, words, style):
    return f'  <text x="{x:.1f}" y="{y:.1f}" class="{style}">{html.escape(words)}</text>'


def line(x1, y1, x2, y2, style):
    return f'  <line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def steps(top, count):
    """Round numbers from 0 up to `top`, about `count` of them."""
    step = next(
        base * 10**power for power in range(-2, 6) for base in (1, 2, 5) if base * 10**power * count >= top
    )
    found, value = [], 0
    while value <= top * 1.0001:
        found.append((value, f"{value:g}"))
        value += step
    return found


def curves(panel, results, spread, settings, target):
    """Accuracy over virtual time of the first seed's runs."""
    parts = [line(panel.left, panel.y(target), panel.left + panel.width, panel.y(target), "target")]
    parts.append(text(panel.left + 4, panel.y(target) - 6, f"target {target:.2f}", "small"))
    for place, setting in enumerate(settings):
        dash = f' stroke-dasharray="{DASHES[place]}"' if DASHES[place] else ""
        run = results[spread, setting][0] or []
        places = [f"{panel.x(at):.1f},{panel.y(max(accuracy, panel.ys[0])):.1f}" for at, accuracy, _ in run]
        parts.append(f'  <polyline points="{" ".join(places)}" class="line s{place}"{dash}/>')
    return parts


def means(panel, results, spreads, settings, index):
    """Means over the seeds with a standard deviation up and down, and a dot for every seed."""
    parts = []
    for order, spread in enumerate(spreads):
        style, shift = f"s{order + 1}", (order - 0.5) * 0.12
        places = []
        for place, setting in enumerate(settings):
            values = [run[-1][index] for run in results[spread, setting] if run]
            if not values:
                continue
            mean, deviation = statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0
            x = panel.x(place + shift)
            if setting != "flat":
                places.append(f"{x:.1f},{panel.y(mean):.1f}")
            parts.append(line(x, panel.y(mean - deviation), x, panel.y(mean + deviation), f"bar {style}"))
            parts += [dot(order, x, panel.y(value)) for value in values]
            parts.append(mark(order, x, panel.y(mean)))
        dash = ' stroke-dasharray="7 4"' if order else ""
        parts.append(f'  <polyline points="{" ".join(places)}" class="line {style}"{dash}/>')
    return parts


def dot(order, x, y):
    """A seed's value, beside the mean's mark."""
    return f'  <circle cx="{x + 16 * (order - 0.5):.1f}" cy="{y:.1f}" r="2.4" class="f{order + 1} dot"/>'


def mark(order, x, y):
    if order == 0:
        return f'  <circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="f1"/>'
    return f'  <rect x="{x - 4.6:.1f}" y="{y - 4.6:.1f}" width="9.2" height="9.2" class="f2"/>'


def legends(settings, spreads):
    parts = []
    for place, (_, words) in enumerate(settings.items()):
        x, dash = 70 + 150 * place, f' stroke-dasharray="{DASHES[place]}"' if DASHES[place] else ""
        parts.append(f'  <line x1="{x}" y1="54" x2="{x + 36}" y2="54" class="line s{place}"{dash}/>')
        parts.append(text(x + 44, 59, words, "small"))
    for order, words in enumerate(spreads.values()):
        x = 70 + 150 * order
        parts += [mark(order, x + 18, 425), text(x + 44, 430, words, "small")]
    parts.append(text(370, 430, "mean, standard deviation, and each seed as a dot", "small"))
    return parts


def picture(results, spreads, settings, target, words):
    """The picture's text.

    `results` has for each (spread, setting) a list of runs, each a list of (seconds, accuracy, joules) by round, or
    None; `spreads` and `settings` name them for readers, `words` say what the runs share.
    """
    points = [run for own in results.values() for run in own if run]
    longest = max(run[-1][0] for run in points) * 1.03
    parts = [text(26, 28, f"HierFAVG on Fashion-MNIST, {words}: to an accuracy of {target:.2f}", "head")]
    parts += legends(settings, spreads)
    for place, (spread, name) in enumerate(spreads.items()):
        panel = Panel(70 + 490 * place, 130, 410, 210, (0, longest), (0.3, 0.85))
        ticks = [(value / 100, f"{value / 100:.1f}") for value in range(30, 81, 10)]
        parts += panel.frame(f"{name}: accuracy", "virtual seconds", "of the first seed", steps(longest, 6), ticks)
        parts += curves(panel, results, spread, settings, target)
    names = list(enumerate(settings.values()))
    for place, (index, title, unit) in enumerate(
        ((0, "Time to the target", "virtual seconds"), (2, "Energy of a device to the target", "joules"))
    ):
        top = max(run[-1][index] for run in points) * 1.08
        panel = Panel(70 + 490 * place, 495, 410, 210, (-0.5, len(settings) - 0.5), (0, top))
        parts += panel.frame(title, "(kappa1, kappa2)", unit, names, steps(top, 6))
        parts += means(panel, results, spreads, settings, index)
    names = ", ".join(spreads.values())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"\n'
        "     aria-labelledby=\"title description\" font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', "
        'sans-serif">\n'
        "  <!-- Copyright (c) 2026 the Tributary authors\n       SPDX-License-Identifier: Apache-2.0\n"
        "       Written by Tests/Verify/hierfavg.py. -->\n"
        '  <title id="title">HierFAVG on Fashion-MNIST</title>\n'
        f'  <desc id="description">Accuracy over virtual time for {names}; time and energy to the target for every '
        "setting. The numbers are in the table of Documentation/hierfavg.md.</desc>\n"
    )
    ground = f'  <rect width="{WIDTH}" height="{HEIGHT}" class="paper"/>\n'
    return head + STYLE + ground + "\n".join(parts) + "\n</svg>\n"
