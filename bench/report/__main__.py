#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Evaluates what the programs of bench/ have measured; bench/run calls it.

    report budget [--markdown] FOLDER    the costs of the design: measured, beside their budgets
    report all|registry|memory [--markdown] FOLDER
    report page FOLDER DOCUMENT          puts every table into the document

FOLDER holds calls.json, registry.json and memory.json. The exit code of `budget` and `memory` is 1
if something is over budget, 2 if nothing is but the run was too noisy to tell.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Optional

from budgets import (ENOUGH_PROCESSOR, ENOUGH_REPETITIONS, NOISE, Verdicts, allocations_table,
                     costs_table, scaling_table)
from listings import family_tables, memory_tables, registry_table, rejection_table
from measured import Calls
from tables import Table


def cpu_model() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown processor"


def machine_line(context: dict) -> str:
    return (f"{cpu_model()}, {context['num_cpus']} cores, Linux {os.uname().release}; "
            f"{context['compiler']}, -O3; load when it began {context['load_avg'][0]:.2f}; "
            f"{context['date'][:10]}")


def load_memory(folder: Path) -> dict:
    return json.loads((folder / "memory.json").read_text())


def budget_tables(folder: Path, verdicts: Verdicts) -> list[Table]:
    calls = Calls(folder / "calls.json")
    return [costs_table(calls, verdicts), scaling_table(calls, verdicts),
            allocations_table(load_memory(folder), verdicts)]


def noise_line(calls: Calls) -> str:
    return (f"One floor, measured twice under two names: {calls.noise():.1%} apart; beyond "
            f"{NOISE:.0%} the run says nothing. Two threads had {calls.processor_share():.0%} of "
            f"their processors; below {ENOUGH_PROCESSOR:.0%} it says nothing of threads. In "
            f"{calls.kept.share:.0%} of the repetitions threads had their cores to themselves: "
            f"only those count, at least {calls.kept.fewest} of each case; fewer than "
            f"{ENOUGH_REPETITIONS} say nothing.")


def print_tables(tables: list[Table], markdown: bool):
    for table in tables:
        print(table.markdown() if markdown else table.text(), end="\n\n")


def judged(verdicts: Verdicts, calls: Optional[Calls] = None) -> int:
    noisy = calls and (calls.noise() > NOISE or calls.processor_share() < ENOUGH_PROCESSOR or
                       calls.kept.fewest < ENOUGH_REPETITIONS)
    if noisy:
        print("Too noisy to tell: repeat it on an idle machine.", file=sys.stderr)
    if verdicts.over:
        print("Over budget.", file=sys.stderr)
    return 1 if verdicts.over else 2 if noisy else 0


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
    print(f"{document}: {count} places filled")
    return judged(verdicts, calls)


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
