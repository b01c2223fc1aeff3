# SPDX-License-Identifier: MIT
"""check_test_names.py <repository>

In docs/reliability.md, what stands in backquotes in a table's column `test` or `tests` is a test:
a TEST_CASE in tests/, a property or seeded bug of the Spin models, or what `fusebox_explorer` can
be asked for. Lists those that are not there, and fails if there are any.

No TEST_CASE may have a square bracket or a semicolon in its name. CMake does not end an item of a
list within brackets, so ctest would take it and all cases behind it for one test; at a semicolon it
does, so ctest would know half of the name. Either way none of them is run, and that passes."""

import re
import sys
from pathlib import Path

EXPLORATIONS = {f"fusebox_explorer {what}" for what in ("litmus", "pairs", "triples", "special", "orders")}


SIGNS = {"[": "square bracket", "]": "square bracket", ";": "semicolon"}


def namesIn(tests):
    literal = r'"((?:[^"\\]|\\.)*)"'
    names = set()
    for file in tests.rglob("*_test.cpp"):
        if "test_names" in file.relative_to(tests).parts:
            continue  # What this script itself is tried on.
        for case in re.finditer(rf"TEST_CASE\(\s*((?:{literal}\s*)+)", file.read_text()):
            names.add("".join(re.findall(literal, case.group(1))).replace('\\"', '"'))
    for file in tests.rglob("*.pml"):
        names.update(re.findall(r"\b[A-Za-z_]{4,}\b", file.read_text()))
    return names | EXPLORATIONS


def cellsOf(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def quotedTests(page):
    """(line, test) of every test that a table names."""
    columns = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns = [i for i, head in enumerate(cellsOf(line)) if head in ("test", "tests")]
        else:
            cells = cellsOf(line)
            for column in columns:
                if column < len(cells):
                    for name in re.findall(r"`([^`]+)`", cells[column]):
                        yield number, name


def main():
    root = Path(sys.argv[1])
    names = namesIn(root / "tests")
    quoted = list(quotedTests(root / "docs/reliability.md"))
    missing = [(line, name) for line, name in quoted if name not in names]
    for line, name in missing:
        print(f"docs/reliability.md:{line}: there is no test `{name}`")
    broken = [(what, name) for sign, what in SIGNS.items() for name in sorted(names) if sign in name]
    for what, name in broken:
        print(f"tests: a {what} in the name of `{name}`")
    print(f"{len(quoted)} tests are named")
    return 1 if missing or broken or not quoted else 0


if __name__ == "__main__":
    sys.exit(main())
