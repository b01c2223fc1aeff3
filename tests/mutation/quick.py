# SPDX-License-Identifier: MIT
"""What the gate asks of the mutants: that headers are read as they should be, that equivalent.txt
belongs to them, and that mutants of one cheap header are noticed."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import judging  # noqa: E402
import schemata  # noqa: E402
from mutants import mutants_of  # noqa: E402

HEADER = '''// SPDX-License-Identifier: MIT
#pragma once
#include <vector>
namespace house {
static_assert(1 + 1 == 2);
enum class Light { Off = 0, On = 1 };
/// a + b
template <class T, int kSize = 3>
[[nodiscard]] constexpr int weigh(const T& a, int b) noexcept(1 < 2) {
    using Pair = std::pair<int, int>;
    if (a.empty() || b <= 0) [[unlikely]]
        return -1;
    int sum = a.size() * 2;  // a * b
    ++sum;
    note(sum, "1 + 1", true);
    for (int i = 0; i < b; ++i) sum += std::min(a[i], b);
    if constexpr (kSize > 2) sum |= 0x10U;
    return a.full() ? sum : ~b;
}
class House {
public:
    explicit House(int rooms) : rooms_(rooms) { std::lock_guard lock{mutex_}; }
    House(const House&) = delete;
    ~House() = default;
    void close() { doors_.fetch_add(1, std::memory_order_relaxed); }

private:
    static constexpr int kMost = 10;
    int rooms_ = 0;
};
}
'''

EXPECTED = '''
11 condition  !(a.empty() || b <= 0)
11 deletion   false
11 logical    a.empty() && b <= 0
11 relational b < 0
11 relational b > 0
11 constant   1
12 arithmetic (1)
12 constant   0
12 constant   2
13 arithmetic a.size() / 2
13 constant   1
13 constant   3
14 arithmetic --sum
14 deletion   ;
15 deletion   ;
15 constant   false
16 constant   1
16 deletion   false
16 relational i <= b
16 relational i >= b
16 arithmetic --i
16 assignment sum -= std::min(a[i], b)
16 deletion   ;
16 swap       std::max(a[i], b)
17 deletion   false
17 relational kSize <= 2
17 relational kSize >= 2
17 constant   1
17 constant   3
17 assignment sum &= 0x10U
17 deletion   ;
17 constant   15U
17 constant   17U
18 condition  !(a.full())
18 bitwise    (b)
25 deletion   ;
25 swap       doors_.fetch_sub(1, std::memory_order_relaxed)
25 constant   0
25 constant   2
28 constant   11
28 constant   9
29 constant   1
'''


class Generator(unittest.TestCase):
    def setUp(self):
        self.mutants = mutants_of("house.hpp", HEADER)

    def test_a_known_header_has_the_mutants_it_should_have(self):
        found = sorted(f"{m.line:2} {m.kind:10} {' '.join(m.text.split())}" for m in self.mutants)
        self.assertEqual(sorted(EXPECTED.strip("\n").split("\n")), found)

    def test_a_mutant_is_known_by_its_line_wherever_that_stands(self):
        moved = mutants_of("house.hpp", HEADER.replace("#pragma once", "#pragma once\n// more\n"))
        self.assertEqual([m.id for m in self.mutants], [m.id for m in moved])
        changed = mutants_of("house.hpp", HEADER.replace("b <= 0", "b <= 1"))
        before, after = ({m.id for m in self.mutants if m.line != 11},
                         {m.id for m in changed if m.line != 11})
        self.assertEqual(before, after)
        self.assertFalse({m.id for m in self.mutants if m.line == 11 and m.kind == "deletion"} &
                         {m.id for m in changed})

    def test_ids_differ(self):
        self.assertEqual(len(self.mutants), len({m.id for m in self.mutants}))

    def test_a_schema_without_its_mutants_is_the_header(self):
        self.assertEqual(HEADER, schemata.Writer(HEADER, []).text)

    def test_a_schema_holds_every_mutant_but_those_of_the_compiler(self):
        for number, mutant in enumerate(self.mutants):
            mutant.number = number
        text = schemata.Writer(HEADER, self.mutants).text
        for mutant in self.mutants:
            self.assertEqual(mutant.form != "text", schemata.switch(mutant) in text, mutant.change)
        self.assertEqual({17}, {m.line for m in self.mutants if m.form == "text"})


class Committed(unittest.TestCase):
    def test_what_is_listed_as_equivalent_is_in_the_headers(self):
        done = judging.run([f"{HERE}/run", "--check"])
        self.assertEqual(0, done.returncode, done.stdout)


class Ring(unittest.TestCase):
    """Every mutant of a window's ring, in one program, without a test framework."""

    def test_every_mutant_is_noticed(self):
        name = "fusebox/window/ring.hpp"
        with open(f"{judging.ROOT}/include/{name}", encoding="utf-8") as file:
            source = file.read()
        mutants = mutants_of(name, source)
        with tempfile.TemporaryDirectory() as scratch:
            for number, mutant in enumerate(mutants):
                mutant.number = number
            os.makedirs(os.path.dirname(f"{scratch}/{name}"))
            with open(f"{scratch}/{name}", "w", encoding="utf-8") as file:
                file.write(schemata.instrument(source, mutants).text)
            done = judging.run([judging.COMPILER, "-std=c++20", "-O0", "-w", "-D_GLIBCXX_ASSERTIONS",
                                f"-I{scratch}",
                                f"-I{HERE}", f"-I{judging.ROOT}/include", f"{HERE}/ring.cpp", "-o",
                                f"{scratch}/ring"])
            self.assertEqual(0, done.returncode, done.stdout)
            self.assertEqual("survived", judging.ask([f"{scratch}/ring"], 20, {}))
            survivors = [m.change for m in mutants if judging.ask(
                [f"{scratch}/ring"], 20, {"FUSEBOX_MUTANT": str(m.number)}) == "survived"]
        self.assertEqual([], survivors)
        self.assertGreater(len(mutants), 20)


if __name__ == "__main__":
    unittest.main()
