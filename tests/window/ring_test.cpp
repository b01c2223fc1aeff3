// SPDX-License-Identifier: MIT
#include "fusebox/window/ring.hpp"

#include <cstddef>
#include <deque>
#include <random>

#include "support/catch.hpp"

using fusebox::detail::Ring;

TEST_CASE("A ring is first in, first out, within its capacity") {
    const std::size_t capacity = GENERATE(1u, 2u, 3u, 10u);
    Ring<int> ring{capacity};
    std::deque<int> naive;
    std::mt19937 random{7};
    int differences = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto choice = random() % 100;
        if (choice == 0) {
            ring.clear();
            naive.clear();
        } else if (choice < 55 ? !ring.full() : ring.size() == 0) {
            ring.push(i);
            naive.push_back(i);
        } else {
            ring.pop();
            naive.pop_front();
        }
        differences += ring.size() != naive.size() || ring.full() != (naive.size() == capacity);
        for (std::size_t age = 0; age < naive.size(); ++age) {
            differences += ring[age] != naive[age];
        }
    }
    CHECK(differences == 0);
}
