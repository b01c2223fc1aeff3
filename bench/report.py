#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Evaluates what the programs of bench/ have measured; bench/run calls it.

    report.py budget [--markdown] FOLDER    the costs of the design: measured, beside their budgets
    report.py all|registry|memory [--markdown] FOLDER
    report.py page FOLDER DOCUMENT          puts every table into the document

FOLDER holds calls.json, registry.json and memory.json. The exit code of `budget` and `memory` is 1
if something is over budget, 2 if the run was too noisy to tell.
"""

import argparse
import json
import os
import re
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

# How much a ratio may exceed its budget before it counts: medians of nine interleaved repetitions of
# one and the same program, compared within one run, differ by up to this much on a virtual machine
# that is otherwise idle. The runs check it: they measure one floor twice, under two names.
NOISE = 0.07

# A closed failure takes a mutex and the policy's arithmetic: 30 ns where the plain floor takes 2.3.
FAILURE_BUDGET = 30 / 2.3

# Two threads on one breaker, in units of one thread's throughput.
SCALING_BUDGET = 1.9

# A breaker of default options, used by one thread.
MEMORY_BUDGET = 2048


# --- Tables ------------------------------------------------------------------------------------


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
        return "\n".join([self.title, ""] + body + ([self.notes] if self.notes else []))

    def markdown(self) -> str:
        def piped(cells):
            return "| " + " | ".join(cells) + " |"

        lines = [piped(self.header), piped(["---"] * len(self.header))]
        lines += [piped(row) for row in self.rows]
        return "\n".join([f"**{self.title}**", ""] + lines + (["", self.notes] if self.notes else []))


def is_numeric(cell: str) -> bool:
    return cell == "" or re.match(r"[-+<>]?[\d,.]+( |x|%|$)", cell) is not None


def ns(value: Optional[float]) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.1f}"


def times(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.2f} x"


# --- What was measured -------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One benchmark, from its name: `what/key:value/.../threads:N`."""

    what: str
    by: str = ""
    policy: str = ""
    clock: str = ""
    options: str = ""
    entry: str = ""
    floor: str = ""

    def words(self) -> str:
        entry = "" if self.entry == "execute" else self.entry
        clock = "" if self.clock in ("", "steady") else f"{self.clock} clock"
        return ", ".join(filter(None, [self.policy, clock, entry]))


def parse_name(name: str) -> tuple[Case, int]:
    what, *parts = name.split("/")
    keys = dict(part.split(":", 1) for part in parts if ":" in part)
    threads = int(keys.pop("threads"))
    return Case(what, **keys), threads


def read_samples(path: Path) -> tuple[dict, dict[str, list[float]]]:
    """The context of a run and, by name, the nanoseconds a call took on each thread."""
    run = json.loads(path.read_text())
    samples = defaultdict(list)
    for one in run["benchmarks"]:
        if one.get("error_occurred"):
            sys.exit(f"{one['run_name']}: {one['error_message']}")
        if one["run_type"] == "iteration":
            # real_time is what the threads together needed a call.
            samples[one["run_name"]].append(one["real_time"] * one["threads"])
    return run["context"], samples


class Calls:
    """The medians of one run of fusebox_calls_bench."""

    def __init__(self, path: Path):
        self.context, samples = read_samples(path)
        self.ns: dict[Case, dict[int, float]] = defaultdict(dict)
        for name, values in samples.items():
            case, threads = parse_name(name)
            self.ns[case][threads] = statistics.median(values)
        self.floors = {case.entry: by for case, by in self.ns.items() if case.what == "floor"}

    def select(self, choose: Callable[[Case], bool]) -> list[Case]:
        return [case for case in self.ns if case.by == "fusebox" and choose(case)]

    def floor(self, case: Case, threads: int = 1) -> Optional[float]:
        return self.floors.get(case.floor, {}).get(threads)

    def of_floor(self, case: Case, threads: int = 1) -> Optional[float]:
        floor = self.floor(case, threads)
        return self.ns[case][threads] / floor if floor else None

    def noise(self) -> float:
        """How far the medians of two equal programs are apart."""
        one, other = self.floors["plain"][1], self.floors["plain again"][1]
        return max(one, other) / min(one, other) - 1


def scaling(by_threads: dict[int, float], threads: int = 2) -> Optional[float]:
    """The throughput of so many threads, in units of one thread's."""
    if not {1, threads} <= by_threads.keys():
        return None
    return threads * by_threads[1] / by_threads[threads]


def hand_written(calls: Calls, what: str, by: str, entry: str) -> Optional[float]:
    for case, by_threads in calls.ns.items():
        if (case.what, case.by, case.entry) == (what, f"mutex, {by}", entry):
            return by_threads.get(1)
    return None


# --- The budgets -------------------------------------------------------------------------------


@dataclass
class Cost:
    """A line of the design's table: which cases it is about, and what they may cost."""

    path: str
    chosen: Callable[[Case], bool]
    budget: float  # in floors
    mutex: tuple[str, str, str] = ("", "", "")  # its hand-written counterpart: what, by, entry
    # What is granted beyond the budget: a clock reading that some policies cannot do without.
    extra: Callable[[Calls, Case], float] = lambda calls, case: 0.0

    def allowed(self, calls: Calls, case: Case) -> float:
        return self.budget * (calls.floor(case) - self.extra(calls, case)) + self.extra(calls, case)


def reading_of(calls: Calls, case: Case) -> float:
    """What of the case's floor is a reading of the clock."""
    return calls.floor(case) - calls.floors["plain"][1]


def is_success(options: str, floor: str) -> Callable[[Case], bool]:
    def chosen(case: Case) -> bool:
        same = case.what == "closed success" and case.options == options
        return same and case.floor.split(" ")[0] == floor and case.entry != "subscriber"

    return chosen


def executed(choose: Callable[[Case], bool], yes: bool = True) -> Callable[[Case], bool]:
    return lambda case: choose(case) and (case.entry == "execute") == yes


def is_by_name(case: Case) -> bool:
    named = case.what == "by name" and case.entry != "hash+handle"
    return named and case.options == "no latency"


def is_refused(case: Case) -> bool:
    return case.what == "open rejected" and case.entry != "exception"


IN_A_ROW = ("closed success", "in a row", "")
PLAIN = is_success("no latency", "plain")
TIMED = is_success("latency", "latency")
SLICED = is_success("no latency", "coarse")
TRACKED = is_success("in flight", "plain")

COSTS = [
    Cost("closed, success, any policy, latency off", executed(PLAIN), 1.5, IN_A_ROW),
    Cost("the same by permit, fallback, result type", executed(PLAIN, False), 1.5, IN_A_ROW),
    Cost("closed, success, latency on", executed(TIMED), 1.15,
         ("closed success", "rolling window", "")),
    Cost("the same by permit, fallback, result type", executed(TIMED, False), 1.15,
         ("closed success", "rolling window", "")),
    Cost("closed, success, time window, latency off", SLICED, 1.25,
         ("closed success", "rolling window", "")),
    Cost("closed, success, trackInFlight", TRACKED, 2.3, IN_A_ROW),
    Cost("open, rejected, not thrown", is_refused, 1.25, ("open rejected", "in a row", "permit")),
    Cost("closed, failure by result",
         lambda case: case.what == "closed failure" and case.options == "no latency",
         FAILURE_BUDGET, ("closed failure", "in a row", ""), reading_of),
    Cost("lookup by name + call", is_by_name, 2.0, ("by name", "in a row", "shared_mutex")),
]

SCALINGS = [
    ("closed, success, latency off", PLAIN),
    ("closed, success, latency on", TIMED),
    ("closed, success, time window, latency off", SLICED),
    ("closed, success, trackInFlight", TRACKED),
    ("lookup by name + call", is_by_name),
]


class Verdicts:
    """Says whether a figure keeps its budget, and remembers whether any did not."""

    def __init__(self):
        self.over = False

    def at_most(self, excess: float) -> str:
        """`excess`: the figure in units of its budget."""
        if excess <= 1:
            return "ok"
        if excess <= 1 + NOISE:
            return "ok within noise"
        self.over = True
        return "OVER"


def costs_table(calls: Calls, verdicts: Verdicts) -> Table:
    table = Table(
        "What calls cost on one thread, in ns and in units of their floor",
        ["path", "the worst", "floor", "measured", "ratio", "budget", "mutex", "verdict"],
        notes=f"Of each path the worst of all its cases. mutex: the hand-written breaker beside it. "
        f"Over budget: by more than {NOISE:.0%}.")
    for cost in COSTS:
        cases = calls.select(cost.chosen)
        if not cases:
            table.rows.append([cost.path] + [""] * 6 + ["not measured"])
            continue
        worst = max(cases, key=lambda case: calls.ns[case][1] / cost.allowed(calls, case))
        measured, floor = calls.ns[worst][1], calls.floor(worst)
        allowed = cost.allowed(calls, worst)
        table.rows.append([
            cost.path, worst.words(), ns(floor), ns(measured), times(measured / floor),
            times(allowed / floor), ns(hand_written(calls, *cost.mutex)),
            verdicts.at_most(measured / allowed)
        ])
    return table


def scaling_table(calls: Calls, verdicts: Verdicts) -> Table:
    table = Table(
        "Two threads on one breaker: throughput in units of one thread's",
        ["path", "the worst", "ns, 1 thread", "2 threads", "scaling", "floor's", "needed", "verdict"],
        notes=f"Needed: {SCALING_BUDGET}, or where the floor itself does not double on this machine "
        f"that share of what the floor does. Below it: by more than {NOISE:.0%}.")
    for path, chosen in SCALINGS:
        cases = [case for case in calls.select(chosen) if scaling(calls.ns[case])]
        if not cases:
            table.rows.append([path] + [""] * 6 + ["not measured"])
            continue

        def needed(case: Case) -> float:
            return SCALING_BUDGET * min(1.0, scaling(calls.floors[case.floor]) / 2)

        worst = min(cases, key=lambda case: scaling(calls.ns[case]) / needed(case))
        by_threads = calls.ns[worst]
        table.rows.append([
            path, worst.words(), ns(by_threads[1]), ns(by_threads[2]), times(scaling(by_threads)),
            times(scaling(calls.floors[worst.floor])), times(needed(worst)),
            verdicts.at_most(needed(worst) / scaling(by_threads))
        ])
    return table


def allocations_table(memory: dict, verdicts: Verdicts) -> Table:
    table = Table("Heap allocations", ["paths", "calls", "allocations", "budget", "verdict"])
    paths = memory["allocations"]
    bad = [path["path"] for path in paths if path["allocations"]]
    verdicts.over = verdicts.over or bool(bad)
    table.rows.append([
        "; ".join(bad) or f"{len(paths)}: every policy, closed and rejected; by name",
        f"{sum(path['calls'] for path in paths):,}",
        str(sum(path["allocations"] for path in paths)), "0", "OVER" if bad else "ok"
    ])
    return table


# --- Everything else that was measured ---------------------------------------------------------

FAMILIES = {
    "floor": "Floors: what cannot be done without",
    "closed success": "Closed, success",
    "by name": "Closed, success, by name",
    "closed failure": "Closed, failure that is returned",
    "closed exception": "Closed, failure that is thrown",
    "open rejected": "Open, rejected",
    "half-open busy": "Half-open, rejected because the probes are busy",
    "half-open probe": "Half-open, a successful probe",
    "half-open cycle": "Opened by hand, half-open, closed by one probe",
    "read closed": "Reading a closed breaker",
    "read open": "Reading an open breaker",
}


def family_table(calls: Calls, what: str, title: str) -> Table:
    cases = [case for case in calls.ns if case.what == what]
    keys = [key for key in ("by", "policy", "clock", "options", "entry")
            if len({getattr(case, key) for case in cases}) > 1] or ["policy"]
    counts = sorted({threads for case in cases for threads in calls.ns[case]})
    table = Table(title, keys + ["ns, 1 thread"] + [str(n) for n in counts[1:]] +
                  ["of floor"] + (["2 of 1"] if 2 in counts else []))
    for case in cases:
        by_threads = calls.ns[case]
        row = [getattr(case, key) for key in keys]
        row += [ns(by_threads.get(n)) for n in counts]
        row.append(times(calls.of_floor(case)))
        if 2 in counts:
            row.append(times(scaling(by_threads)))
        table.rows.append(row)
    return table


def family_tables(calls: Calls) -> list[Table]:
    measured = {case.what for case in calls.ns}
    return [family_table(calls, what, title) for what, title in FAMILIES.items() if what in measured]


def rejection_table(calls: Calls) -> Table:
    """What throwing a rejection costs instead of returning it."""
    table = Table("A rejection, returned and thrown",
                  ["how the caller learns of it", "ns, 1 thread", "2 threads", "in permits"])
    cases = {case.entry: case for case in calls.ns
             if (case.what, case.by, case.clock) == ("open rejected", "fusebox", "steady")}
    for entry, case in cases.items():
        by_threads = calls.ns[case]
        table.rows.append([entry, ns(by_threads[1]), ns(by_threads.get(2)),
                           times(by_threads[1] / calls.ns[cases["permit"]][1])])
    return table


def registry_table(path: Path) -> Table:
    _, samples = read_samples(path)
    table = Table("Closed calls by name, among so many breakers, in an order that no cache likes",
                  ["latency", "breakers", "by", "ns, 1 thread", "2", "4", "of floor", "2 of 1"],
                  notes="Floor: the hash of the name, and a call through the handle.")
    measured = defaultdict(dict)
    for name, values in samples.items():
        by, breakers, latency, threads = re.match(
            r"(\w+)/breakers:(\d+)/latency:(\d)/.*threads:(\d+)", name).groups()
        key = (int(latency), int(breakers), by)
        measured[key][int(threads)] = statistics.median(values)
    for (latency, breakers, by), by_threads in sorted(measured.items()):
        floor = measured[latency, breakers, "floor"][1]
        table.rows.append(["on" if latency else "off", f"{breakers:,}", by] +
                          [ns(by_threads.get(n)) for n in (1, 2, 4)] +
                          [times(by_threads[1] / floor), times(scaling(by_threads))])
    return table


def memory_tables(memory: dict, verdicts: Verdicts) -> list[Table]:
    ours = Table(
        "What a breaker takes, in bytes: itself and what it holds on the heap",
        ["policy", "options", "sizeof", "new", "used by 1 thread", "by 8", "budget", "verdict"],
        notes="Used: by 1,000 successes of each thread and one failure. The budget is for default "
        "options and one thread.")
    for one in memory["policies"]:
        used = one["used by one thread"]
        judged = one["options"] == "default"
        ours.rows.append(
            [one["policy"], one["options"]] +
            [f"{one[key]:,}" for key in ("sizeof", "made")] + [f"{used:,}"] +
            [f"{one['used by eight']:,}", f"{MEMORY_BUDGET:,}" if judged else "",
             verdict_of_size(used, verdicts) if judged else ""])
    many = Table("Breakers by name, default options: bytes each, name and registry entry included",
                 ["breakers", "when", "heap", "resident memory"])
    for one in memory["named"]:
        each = [f"{one[key] / one['breakers']:,.0f}" for key in ("heap", "resident")]
        many.rows.append([f"{one['breakers']:,}", one["when"]] + each)
    return [ours, many]


def verdict_of_size(size: int, verdicts: Verdicts) -> str:
    if size <= MEMORY_BUDGET:
        return "ok"
    verdicts.over = True
    return "OVER"


# --- The commands ------------------------------------------------------------------------------


def cpu_model() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown processor"


def machine_line(context: dict) -> str:
    return (f"{cpu_model()}, {context['num_cpus']} cores, Linux {os.uname().release}; "
            f"gcc {context['compiler']}, -O3; load when it began {context['load_avg'][0]:.2f}; "
            f"{context['date'][:10]}")


def load_memory(folder: Path) -> dict:
    return json.loads((folder / "memory.json").read_text())


def budget_tables(folder: Path, verdicts: Verdicts) -> list[Table]:
    calls = Calls(folder / "calls.json")
    return [costs_table(calls, verdicts), scaling_table(calls, verdicts),
            allocations_table(load_memory(folder), verdicts)]


def noise_line(calls: Calls) -> str:
    return (f"One floor, measured twice under two names: {calls.noise():.1%} apart. "
            f"Beyond {NOISE:.0%} the run says nothing.")


def print_tables(tables: list[Table], markdown: bool):
    for table in tables:
        print(table.markdown() if markdown else table.text(), end="\n\n")


def judged(verdicts: Verdicts, calls: Optional[Calls] = None) -> int:
    if calls and calls.noise() > NOISE:
        print("Too noisy to tell: repeat it on an idle machine.", file=sys.stderr)
        return 2
    if verdicts.over:
        print("Over budget.", file=sys.stderr)
    return 1 if verdicts.over else 0


def report_budget(folder: Path, markdown: bool) -> int:
    verdicts = Verdicts()
    calls = Calls(folder / "calls.json")
    print(machine_line(calls.context), end="\n\n")
    print_tables(budget_tables(folder, verdicts), markdown)
    print(noise_line(calls))
    return judged(verdicts, calls)


def report_all(folder: Path, markdown: bool) -> int:
    calls = Calls(folder / "calls.json")
    print(machine_line(calls.context), end="\n\n")
    print_tables(family_tables(calls), markdown)
    print(noise_line(calls))
    return 0


def report_registry(folder: Path, markdown: bool) -> int:
    print_tables([registry_table(folder / "registry.json")], markdown)
    return 0


def report_memory(folder: Path, markdown: bool) -> int:
    verdicts = Verdicts()
    memory = load_memory(folder)
    print_tables(memory_tables(memory, verdicts) + [allocations_table(memory, verdicts)], markdown)
    return judged(verdicts)


def report_page(folder: Path, document: Path) -> int:
    """Replaces what is between `<!-- bench: NAME -->` and `<!-- bench: end -->`."""
    calls, verdicts = Calls(folder / "calls.json"), Verdicts()
    memory = load_memory(folder)
    sections = {
        "machine": [machine_line(calls.context) + ". " + noise_line(calls)],
        "budget": [table.markdown() for table in budget_tables(folder, verdicts)],
        "rejection": [rejection_table(calls).markdown()],
        "memory": [table.markdown() for table in memory_tables(memory, verdicts)],
        "registry": [registry_table(folder / "registry.json").markdown()],
        "all": [table.markdown() for table in family_tables(calls)],
    }

    def filled(found: re.Match) -> str:
        name = found.group(1)
        if name not in sections:
            sys.exit(f"{document}: no table '{name}', there are: {', '.join(sections)}")
        return "\n\n".join([f"<!-- bench: {name} -->", *sections[name], "<!-- bench: end -->"])

    pattern = re.compile(r"<!-- bench: (?!end)(\w+) -->.*?<!-- bench: end -->", re.DOTALL)
    text, count = pattern.subn(filled, document.read_text())
    document.write_text(text)
    print(f"{document}: {count} tables")
    return 0


def main() -> int:
    reports = {"budget": report_budget, "all": report_all, "registry": report_registry,
               "memory": report_memory}
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", choices=[*reports, "page"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("document", type=Path, nargs="?")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    if given.report == "page":
        return report_page(given.folder, given.document)
    return reports[given.report](given.folder, given.markdown)


if __name__ == "__main__":
    sys.exit(main())
