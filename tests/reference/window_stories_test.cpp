// SPDX-License-Identifier: MIT
#include "reference/window_stories.hpp"

#include "support/catch.hpp"

using namespace fusebox::test;

TEST_CASE("E 25-32: windows of any length count what deques of every call count") {
    std::uint64_t operations = 0;
    const std::string found = walkWindows(1, 20'000, operations);
    INFO(found);
    CHECK(found.empty());
    CHECK(operations > 500'000);
}
