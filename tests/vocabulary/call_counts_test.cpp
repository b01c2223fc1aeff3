// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/call_counts.hpp"

#include <optional>

#include "support/catch.hpp"

using fusebox::CallCounts;

static_assert(CallCounts{4, 1, 2}.failureRate() == 0.25);

TEST_CASE("No calls give no rate, whatever the minimum") {
    CHECK_FALSE(CallCounts{}.failureRate());
    CHECK_FALSE(CallCounts{}.failureRate(0));
    CHECK_FALSE(CallCounts{}.slowCallRate());
    CHECK_FALSE(CallCounts{}.slowCallRate(0));
}

TEST_CASE("Rates are empty below the minimum of calls and there from it on") {
    CHECK_FALSE(CallCounts{9, 9, 9}.failureRate(10));
    CHECK_FALSE(CallCounts{9, 9, 9}.slowCallRate(10));
    CHECK(CallCounts{10, 5, 1}.failureRate(10) == 0.5);
    CHECK(CallCounts{10, 5, 1}.slowCallRate(10) == 0.1);
}

TEST_CASE("One call is enough for a rate where no minimum is asked for") {
    CHECK(CallCounts{1, 1, 0}.failureRate() == 1.0);
    CHECK(CallCounts{1, 0, 1}.slowCallRate() == 1.0);
}

TEST_CASE("A rate equals the decimal fraction that a person would write") {
    CHECK(CallCounts{100, 7, 0}.failureRate() == 0.07);
    CHECK(CallCounts{100, 29, 0}.failureRate() == 0.29);
    CHECK(CallCounts{3, 0, 3}.slowCallRate() == 1.0);
}
