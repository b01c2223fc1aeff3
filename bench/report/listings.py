# SPDX-License-Identifier: MIT
"""Everything that was measured, budget or not."""

import re
from collections import defaultdict
from pathlib import Path

from budgets import MEMORY_BUDGET, Verdicts
from measured import ByThreads, Calls, Medians, ns_of, read_samples, scaling, undisturbed
from tables import Table, ns, times

FAMILIES = {
    "floor": "Floors: what cannot be done without",
    "closed success": "Closed, success",
    "by name": "Closed, success, by name",
    "deadline": "Closed, success, with a deadline; in an executor (at once, if not said otherwise)",
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
    cases = [case for case in calls.cases if case.what == what]
    keys = [key for key in ("by", "policy", "clock", "options", "entry")
            if len({getattr(case, key) for case in cases}) > 1] or ["policy"]
    counts = sorted({threads for case in cases for threads in calls.cases[case]})
    table = Table(title, keys + ["ns, 1 thread"] + [str(n) for n in counts[1:]] +
                  ["of floor"] + (["2 of 1"] if 2 in counts else []))
    for case in cases:
        by_threads = calls.cases[case]
        row = [getattr(case, key) for key in keys]
        row += [ns(ns_of(by_threads, n)) for n in counts]
        row.append(times(calls.of_floor(case)))
        if 2 in counts:
            row.append(times(scaling(by_threads)))
        table.rows.append(row)
    return table


def family_tables(calls: Calls) -> list[Table]:
    measured = {case.what for case in calls.cases}
    return [family_table(calls, what, FAMILIES[what]) for what in FAMILIES if what in measured]


def rejection_table(calls: Calls) -> Table:
    """What throwing a rejection costs instead of returning it."""
    table = Table("A rejection, returned and thrown",
                  ["how the caller learns of it", "ns, 1 thread", "2 threads", "in permits"])
    cases = {case.entry: case for case in calls.cases
             if (case.what, case.by, case.clock) == ("open rejected", "fusebox", "steady")}
    for entry, case in cases.items():
        table.rows.append([entry, ns(calls.ns(case)), ns(ns_of(calls.cases[case], 2)),
                           times(calls.ns(case) / calls.ns(cases["permit"]))])
    return table


def registry_table(path: Path) -> Table:
    table = Table("Closed calls by name, among so many breakers, in an order that no cache likes",
                  ["latency", "breakers", "by", "ns, 1 thread", "2", "4", "of floor", "2 of 1"],
                  notes="Floor: the hash of the name, and a call through the handle.")
    measured: dict[tuple, ByThreads] = defaultdict(lambda: defaultdict(Medians))
    for sample in undisturbed(*read_samples(path)).samples:
        name = re.match(r"(\w+)/breakers:(\d+)/latency:(\d)/", sample.name)
        by, breakers, latency = name.groups()
        measured[int(latency), int(breakers), by][sample.threads].samples.append(sample)
    for (latency, breakers, by), by_threads in sorted(measured.items()):
        floor = measured[latency, breakers, "floor"][1].ns
        table.rows.append(["on" if latency else "off", f"{breakers:,}", by] +
                          [ns(ns_of(by_threads, n)) for n in (1, 2, 4)] +
                          [times(by_threads[1].ns / floor), times(scaling(by_threads))])
    return table


def memory_tables(memory: dict, verdicts: Verdicts) -> list[Table]:
    ours = Table(
        "What a breaker takes, in bytes: itself and what it holds on the heap",
        ["policy", "options", "sizeof", "new", "used by 1 thread", "by 8", "budget", "verdict"],
        notes="Used: by 1,000 successes of each thread and one failure. With a name of 22 bytes. The "
        "budget is for the default policy and options, and one thread.")
    for one in memory["policies"]:
        used = one["used by one thread"]
        judged = (one["policy"], one["options"]) == ("ConsecutiveFailures", "default")
        ours.rows.append(
            [one["policy"], one["options"]] +
            [f"{one[key]:,}" for key in ("sizeof", "made")] + [f"{used:,}"] +
            [f"{one['used by eight']:,}", f"{MEMORY_BUDGET:,}" if judged else "",
             verdicts.exactly(used <= MEMORY_BUDGET) if judged else ""])
    many = Table("Breakers by name, default options: bytes each, name and registry entry included",
                 ["breakers", "when", "heap", "resident memory"])
    for one in memory["named"]:
        each = [f"{one[key] / one['breakers']:,.0f}" for key in ("heap", "resident")]
        many.rows.append([f"{one['breakers']:,}", one["when"]] + each)
    return [ours, many]
