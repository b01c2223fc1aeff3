# SPDX-License-Identifier: MIT
"""tests/coverage/exempt.py [include]

What coverage leaves out. As a program it checks that each of these lines still stands in these
headers: else the next run of the coverage, which the gate does without, would be the first to say.
"""

import sys
from pathlib import Path

# What no test can reach at will, and why: the header, what stands in the line, the reason.
EXEMPT = {
    ("breaker/detached_thread.hpp", "pthread_attr_init(&attributes) != 0"):
        "fails nowhere on Linux",
    ("breaker/deadline_timer.hpp", "Forever()"):
        "runs in the compiler: the timer is a constant, and never destroyed",
    ("breaker/audience.hpp", "if (!listeners_.compare_exchange_strong(others"):
        "another thread listens first since the lines before",
    ("breaker/audience.hpp", "return *others;"):
        "another thread listens first since the lines before",
    ("breaker/stop_at_deadline.hpp", "if (!source_.stop_possible() && fresh"):
        "another thread asks for the first token since the lines before",
    ("registry/breaker_maker.hpp", "!entry.reportConflict()) {"):
        "another thread reports the same conflict since the line before",
    ("registry/breaker_store.hpp", "if (unused && mayGo()) {"):
        "another thread opens the breaker since the line before",
}


def main():
    include = Path(__file__).resolve().parent.parent.parent / "include"
    if len(sys.argv) > 1:
        include = Path(sys.argv[1])
    wrong = 0
    for header, code in EXEMPT:
        file = include / "fusebox" / header
        if not file.exists() or code not in file.read_text():
            wrong += 1
            print(f"{header} has no longer: {code}")
    print(f"{len(EXEMPT)} lines")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
