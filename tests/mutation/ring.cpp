// SPDX-License-Identifier: MIT
// Whether a ring is one; or which mutant of one; FUSEBOX_MUTANT says which. See quick.py.
#include "fusebox/window/ring.hpp"

#include <cstdlib>

#include "fusebox_mutation.hpp"

namespace fusebox_mutation {
int active = -1;
unsigned char* reached = new unsigned char[1000];
}  // namespace fusebox_mutation

namespace {

void check(bool holds) {
    if (!holds) std::exit(1);
}

}  // namespace

int main() {
    if (const char* const mutant = std::getenv("FUSEBOX_MUTANT")) {
        fusebox_mutation::active = std::atoi(mutant);
    }
    fusebox::detail::Ring<int> ring(3);
    check(!ring.full() && ring.size() == 0 && ring.capacity() == 3);
    ring.push(1);
    check(!ring.full() && ring.size() == 1 && ring[0] == 1);
    ring.push(2);
    ring.push(3);
    check(ring.full() && ring.size() == 3 && ring[0] == 1 && ring[1] == 2 && ring[2] == 3);
    for (int next = 4; next < 12; ++next) {
        ring.pop();
        check(ring.size() == 2 && !ring.full() && ring[0] == next - 2 && ring[1] == next - 1);
        ring.push(next);
        check(ring.full() && ring[0] == next - 2 && ring[1] == next - 1 && ring[2] == next);
    }
    ring.clear();
    check(ring.size() == 0);
    for (int next = 1; next <= 3; ++next) ring.push(next);
    check(ring.full() && ring[0] == 1 && ring[1] == 2 && ring[2] == 3);

    fusebox::detail::Ring<int> single(1);
    for (int next = 1; next <= 3; ++next) {
        single.push(next);
        check(single.full() && single[0] == next);
        single.pop();
        check(single.size() == 0);
    }
}
