# SPDX-License-Identifier: MIT
"""What the programs on Google Benchmark have measured."""

import json
import statistics
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional


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


Choice = Callable[[Case], bool]


def parse_name(name: str) -> tuple[Case, int]:
    what, *parts = name.split("/")
    keys = dict(part.split(":", 1) for part in parts if ":" in part)
    threads = int(keys.pop("threads"))
    return Case(what, **keys), threads


@dataclass
class Sample:
    """One repetition: ns a call on each thread."""

    name: str
    threads: int
    elapsed: float
    processor: float
    core: float  # ns of a probe of the threads' cores


def registration(one: dict) -> tuple[int, int]:
    return one["family_index"], one["per_family_instance_index"]


def read_samples(path: Path) -> tuple[dict, list[Sample]]:
    """The context of a run and what it measured, in the order in which it was registered."""
    run = json.loads(path.read_text())
    samples = []
    for one in sorted(run["benchmarks"], key=registration):
        if one.get("error_occurred"):
            sys.exit(f"{one['run_name']}: {one['error_message']}")
        if one["run_type"] == "iteration":
            # Elapsed time comes by the calls of all threads, processor time by each thread's.
            elapsed = one["real_time"] * one["threads"]
            samples.append(Sample(one["run_name"], one["threads"], elapsed, one["cpu_time"],
                                  one["core"]))
    return run["context"], samples


# A probe of cores that took so much longer than the fastest had a neighbour there.
DISTURBED = 1.08


@dataclass
class Undisturbed:
    """The repetitions whose threads had their cores to themselves, and those by more threads than
    cores. What they measured is not looked at."""

    samples: list[Sample]
    share: float  # of all that could have been
    fewest: int  # of any case


def undisturbed(context: dict, samples: list[Sample]) -> Undisturbed:
    cores = context["num_cpus"]
    probes = [one.core for one in samples if one.threads <= cores]
    slowest = DISTURBED * statistics.quantiles(probes, n=100)[0]
    share = sum(probe <= slowest for probe in probes) / len(probes)
    kept = [one for one in samples if one.threads > cores or one.core <= slowest]
    counts = Counter(one.name for one in kept)
    for one in samples:
        if not counts[one.name]:
            sys.exit(f"{one.name}: its threads never had their cores to themselves; repeat it on "
                     "an idle machine")
    return Undisturbed(kept, share, min(counts.values()))


@dataclass
class Medians:
    """Of the repetitions of one case."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def elapsed(self) -> float:
        return statistics.median(sample.elapsed for sample in self.samples)

    @property
    def ns(self) -> float:
        """What a call costs each thread. One thread waits for nobody but for other programs, so
        that its processor time says more; several may wait for each other, and that counts."""
        if self.samples[0].threads == 1:
            return statistics.median(sample.processor for sample in self.samples)
        return self.elapsed

    @property
    def processor_share(self) -> float:
        return statistics.median(sample.processor / sample.elapsed for sample in self.samples)


ByThreads = dict[int, Medians]


def ns_of(by_threads: ByThreads, threads: int) -> Optional[float]:
    return by_threads[threads].ns if threads in by_threads else None


def scaling(by_threads: ByThreads) -> Optional[float]:
    """The throughput of two threads, in units of one thread's."""
    if not {1, 2} <= by_threads.keys():
        return None
    return 2 * by_threads[1].elapsed / by_threads[2].elapsed


class Calls:
    """One run of fusebox_calls_bench."""

    def __init__(self, path: Path):
        self.context, samples = read_samples(path)
        self.kept = undisturbed(self.context, samples)
        self.cases: dict[Case, ByThreads] = defaultdict(lambda: defaultdict(Medians))
        for sample in self.kept.samples:
            case, threads = parse_name(sample.name)
            self.cases[case][threads].samples.append(sample)
        self.floors = {case.entry: by for case, by in self.cases.items() if case.what == "floor"}

    def ns(self, case: Case) -> float:
        return self.cases[case][1].ns

    def floor(self, case: Case) -> Optional[float]:
        return self.floors[case.floor][1].ns if case.floor else None

    def of_floor(self, case: Case) -> Optional[float]:
        return self.ns(case) / self.floor(case) if case.floor else None

    def select(self, choose: Choice) -> list[Case]:
        return [case for case in self.cases if case.by == "fusebox" and choose(case)]

    def noise(self) -> float:
        """How far the medians of two equal programs are apart."""
        one, other = (self.floors[entry][1].ns for entry in ("plain", "plain again"))
        return max(one, other) / min(one, other) - 1

    def processor_share(self) -> float:
        """How much of two processors two threads got that wait for nobody."""
        pairs = [by[2] for by in self.floors.values() if 2 in by]
        return statistics.median(pair.processor_share for pair in pairs) if pairs else 1.0
