// SPDX-License-Identifier: MIT
#include <cstdio>

#include "view.hpp"

int main() {
    if (look() != secondView()) {
        std::fputs("the two translation units see different libraries\n", stderr);
        return 1;
    }

    const auto breaker = fusebox::createCircuitBreaker(breakerName);
    tripInSecond();
    if (!breaker->isOpen()) {
        std::fputs("a breaker tripped in the second unit is not open in the first\n", stderr);
        return 1;
    }
    return 0;
}
