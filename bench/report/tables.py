# SPDX-License-Identifier: MIT
"""Tables, as text and as Markdown."""

import re
from dataclasses import dataclass, field
from typing import Optional


@dataclass
class Table:
    title: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: str = ""

    def text(self) -> str:
        lines = [self.header] + self.rows
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        numeric = [all(is_numeric(row[i]) for row in self.rows) for i in range(len(self.header))]

        def aligned(line):
            cells = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric))
            return "  ".join(cells).rstrip()

        body = [aligned(self.header), "  ".join("-" * w for w in widths)]
        body += [aligned(row) for row in self.rows]
        body += [self.notes] if self.notes else []
        return "\n".join([self.title, "", *body])

    def markdown(self) -> str:
        def piped(cells):
            return "| " + " | ".join(cells) + " |"

        lines = [piped(self.header), piped(["---"] * len(self.header))]
        lines += [piped(row) for row in self.rows]
        lines += ["", self.notes] if self.notes else []
        return "\n".join([f"**{self.title}**", "", *lines])


def is_numeric(cell: str) -> bool:
    return cell == "" or re.match(r"[-+<>]?[\d,.]+( |x|%|$)", cell) is not None


def ns(value: Optional[float]) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.1f}"


def times(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.2f} x"
