# SPDX-License-Identifier: MIT
"""What calls may cost, and whether they do."""

from dataclasses import dataclass
from typing import Callable, Optional

from measured import Calls, Case, Choice, scaling
from tables import Table, ns, times

# How much a ratio may exceed its budget before it counts. Each run checks that it can tell as much:
# it measures one floor twice, under two names.
NOISE = 0.07

# Less of the processor than this, and two threads were in the way of other programs.
ENOUGH_PROCESSOR = 0.95

# Medians of less say nothing.
ENOUGH_REPETITIONS = 7

# A closed failure takes a mutex and the policy's arithmetic: 30 ns where the plain floor takes 2.3.
FAILURE_BUDGET = 30 / 2.3

# Two threads on one breaker, in units of one thread's throughput.
SCALING_BUDGET = 1.9

# A breaker of the default policy and options, used by one thread.
MEMORY_BUDGET = 2048


def hand_written(calls: Calls, what: str, by: str, entry: str) -> Optional[float]:
    for case in calls.cases:
        if (case.what, case.by, case.entry) == (what, f"mutex, {by}", entry):
            return calls.ns(case)
    return None


@dataclass
class Cost:
    """A line of the design's table: which cases it is about, and what they may cost."""

    path: str
    chosen: Choice
    budget: Optional[float]  # in floors; None: the design has none
    mutex: tuple[str, str, str] = ("", "", "")  # its hand-written counterpart: what, by, entry
    # What is granted beyond the budget: a clock reading that some policies cannot do without.
    extra: Callable[[Calls, Case], float] = lambda calls, case: 0.0

    def allowed(self, calls: Calls, case: Case) -> float:
        extra = self.extra(calls, case)
        return (self.budget or 1) * (calls.floor(case) - extra) + extra


def reading_of(calls: Calls, case: Case) -> float:
    """What of the case's floor is a reading of the clock."""
    return calls.floor(case) - calls.floors["plain"][1].ns


def successes(options: str, floor: str, entry: str = "", clock: str = "") -> Choice:
    """Successes with these options and this kind of floor; `execute` or `others`, one clock."""

    def chosen(case: Case) -> bool:
        if (case.what, case.options) != ("closed success", options):
            return False
        if case.floor.split(" ")[0] != floor or case.entry == "subscriber":
            return False
        right_entry = not entry or (entry == "execute") == (case.entry == "execute")
        return right_entry and clock in ("", case.clock)

    return chosen


def by_name(case: Case) -> bool:
    named = case.what == "by name" and case.entry != "hash+handle"
    return named and case.options == "no latency"


def refused(case: Case) -> bool:
    return case.what == "open rejected" and case.entry != "exception"


def failed(case: Case) -> bool:
    return case.what == "closed failure" and case.options == "no latency"


IN_A_ROW = ("closed success", "in a row", "")
ROLLING = ("closed success", "rolling window", "")

COSTS = [
    Cost("closed, success, any policy, latency off", successes("no latency", "plain", "execute"),
         1.5, IN_A_ROW),
    Cost("- by fallback, result type", successes("no latency", "plain", "others"), 1.5, IN_A_ROW),
    Cost("- by permit", successes("no latency", "permit"), 1.5, IN_A_ROW),
    Cost("closed, success, latency on", successes("latency", "latency", "execute", "steady"), 1.15,
         ROLLING),
    Cost("- with detectOverdue", successes("overdue", "latency", "execute", "steady"), None, ROLLING),
    Cost("- by fallback, result type", successes("latency", "latency", "others", "steady"), 1.15,
         ROLLING),
    Cost("- by permit", successes("latency", "permit"), 1.15, ROLLING),
    Cost("- on CoarseSteadyClock", successes("latency", "latency", "execute", "coarse"), None,
         ROLLING),
    Cost("- on TscClock", successes("latency", "latency", "execute", "tsc"), None, ROLLING),
    Cost("- on RelaxedTscClock", successes("latency", "latency", "execute", "relaxed tsc"), None,
         ROLLING),
    Cost("closed, success, time window, latency off", successes("no latency", "coarse"), 1.25,
         ROLLING),
    Cost("closed, success, trackInFlight", successes("in flight", "plain"), 2.3, IN_A_ROW),
    Cost("open, rejected, not thrown", refused, 1.25, ("open rejected", "in a row", "permit")),
    Cost("closed, failure by result", failed, FAILURE_BUDGET, ("closed failure", "in a row", ""),
         reading_of),
    Cost("lookup by name + call", by_name, 2.0, ("by name", "in a row", "shared_mutex")),
]

SCALINGS = [
    ("closed, success, latency off", successes("no latency", "plain")),
    ("closed, success, latency on", successes("latency", "latency")),
    ("closed, success, time window, latency off", successes("no latency", "coarse")),
    ("closed, success, trackInFlight", successes("in flight", "plain")),
    ("lookup by name + call", by_name),
]


class Verdicts:
    """Says whether a figure keeps its budget, and remembers whether any did not."""

    def __init__(self):
        self.over = False

    def at_most(self, excess: float) -> str:
        """`excess`: the figure in units of its budget."""
        if excess <= 1:
            return "ok"
        return "ok within noise" if excess <= 1 + NOISE else self.exactly(False)

    def exactly(self, kept: bool) -> str:
        """Of a figure that is counted, not timed."""
        if kept:
            return "ok"
        self.over = True
        return "OVER"


def costs_table(calls: Calls, verdicts: Verdicts) -> Table:
    table = Table(
        "What calls cost on one thread, in ns and in units of their floor",
        ["path", "the worst", "floor", "measured", "ratio", "budget", "mutex", "verdict"],
        notes="Of each path the worst of all its cases. mutex: the hand-written breaker beside it. "
        f"Over budget: by more than {NOISE:.0%}.")
    for cost in COSTS:
        cases = calls.select(cost.chosen)
        if not cases:
            table.rows.append([cost.path] + [""] * 6 + ["not measured"])
            continue
        worst = max(cases, key=lambda case: calls.ns(case) / cost.allowed(calls, case))
        measured, floor = calls.ns(worst), calls.floor(worst)
        allowed = cost.allowed(calls, worst)
        table.rows.append([
            cost.path, worst.words(), ns(floor), ns(measured), times(measured / floor),
            times(allowed / floor) if cost.budget else "",
            ns(hand_written(calls, *cost.mutex)),
            verdicts.at_most(measured / allowed) if cost.budget else "no budget"
        ])
    return table


def scaling_table(calls: Calls, verdicts: Verdicts) -> Table:
    table = Table(
        "Two threads on one breaker: throughput in units of one thread's",
        ["path", "the worst", "ns, 1 thread", "2", "scaling", "floor's", "needed", "verdict"],
        notes=f"Needed: {SCALING_BUDGET}; where the floor itself does not double on this machine, "
        f"as much less as it does. Below it: by more than {NOISE:.0%}.")
    calm = calls.processor_share() >= ENOUGH_PROCESSOR
    for path, chosen in SCALINGS:
        cases = [case for case in calls.select(chosen) if scaling(calls.cases[case])]
        if not cases:
            table.rows.append([path] + [""] * 6 + ["not measured"])
            continue

        def needed(case: Case) -> float:
            return SCALING_BUDGET * min(1.0, scaling(calls.floors[case.floor]) / 2)

        worst = min(cases, key=lambda case: scaling(calls.cases[case]) / needed(case))
        by_threads = calls.cases[worst]
        table.rows.append([
            path, worst.words(), ns(by_threads[1].elapsed), ns(by_threads[2].elapsed),
            times(scaling(by_threads)), times(scaling(calls.floors[worst.floor])),
            times(needed(worst)),
            verdicts.at_most(needed(worst) / scaling(by_threads)) if calm else "machine busy"
        ])
    return table


def allocations_table(memory: dict, verdicts: Verdicts) -> Table:
    table = Table("Heap allocations", ["paths", "calls", "allocations", "budget", "verdict"])
    paths = memory["allocations"]
    bad = [path["path"] for path in paths if path["allocations"]]
    table.rows.append([
        "; ".join(bad) or f"{len(paths)}: every policy, closed and rejected; by name",
        f"{sum(path['calls'] for path in paths):,}",
        str(sum(path["allocations"] for path in paths)), "0",
        verdicts.exactly(not bad)
    ])
    return table
