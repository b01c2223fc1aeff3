// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/duration.hpp"

#include <chrono>
#include <limits>
#include <ratio>

#include "fusebox/vocabulary/text.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::kForever;
using fusebox::saturatingAdd;
using fusebox::saturatingMultiply;
using fusebox::saturatingNanoseconds;
using fusebox::saturatingSubtract;
using std::chrono::nanoseconds;

static_assert(kForever == nanoseconds::max());
static_assert(saturatingAdd(1ns, 2ns) == 3ns);

TEST_CASE("Adding durations holds at the ends of the range") {
    CHECK(saturatingAdd(5s, -7s) == -2s);
    CHECK(saturatingAdd(kForever, 0ns) == kForever);
    CHECK(saturatingAdd(kForever, 1ns) == kForever);
    CHECK(saturatingAdd(1ns, kForever) == kForever);
    CHECK(saturatingAdd(kForever, kForever) == kForever);
    CHECK(saturatingAdd(kForever - 1ns, 1ns) == kForever);
    CHECK(saturatingAdd(nanoseconds::min(), -1ns) == nanoseconds::min());
    CHECK(saturatingAdd(-1ns, nanoseconds::min()) == nanoseconds::min());
}

TEST_CASE("Never plus anything is never") {
    CHECK(saturatingAdd(kForever, -1ns) == kForever);
    CHECK(saturatingAdd(-1ns, kForever) == kForever);
    CHECK(saturatingAdd(nanoseconds::min(), kForever) == kForever);
}

TEST_CASE("Subtracting durations holds at the ends of the range") {
    CHECK(saturatingSubtract(5s, 7s) == -2s);
    CHECK(saturatingSubtract(kForever, kForever) == 0ns);
    CHECK(saturatingSubtract(kForever, -1ns) == kForever);
    CHECK(saturatingSubtract(0ns, nanoseconds::min()) == kForever);
    CHECK(saturatingSubtract(-1ns, nanoseconds::min()) == kForever);
    CHECK(saturatingSubtract(nanoseconds::min(), 1ns) == nanoseconds::min());
    CHECK(saturatingSubtract(-2ns, kForever) == nanoseconds::min());
    CHECK(saturatingSubtract(-1ns, kForever) == nanoseconds::min());
    CHECK(saturatingSubtract(0ns, kForever) == nanoseconds::min() + 1ns);
}

TEST_CASE("Multiplying a duration by a factor gives at most never") {
    CHECK(saturatingMultiply(10s, 1.5) == 15s);
    CHECK(saturatingMultiply(10s, 0.0) == 0s);
    CHECK(saturatingMultiply(0ns, 1e308) == 0ns);
    CHECK(saturatingMultiply(kForever, 1.0) == kForever);
    CHECK(saturatingMultiply(kForever, 1.1) == kForever);
    CHECK(saturatingMultiply(1ns, 9223372036854775807.0) == kForever);
    CHECK(saturatingMultiply(1ns, std::numeric_limits<double>::infinity()) == kForever);
    CHECK(saturatingMultiply(kForever, 0.5) < kForever);
}

TEST_CASE("Multiplying by one is exact even where a double is not") {
    CHECK(saturatingMultiply(kForever - 1ns, 1.0) == kForever - 1ns);
}

TEST_CASE("Any duration becomes nanoseconds without overflow") {
    using Years = std::chrono::duration<double, std::ratio<31556952>>;
    CHECK(saturatingNanoseconds(3ms) == 3'000'000ns);
    CHECK(saturatingNanoseconds(std::chrono::hours::max()) == kForever);
    CHECK(saturatingNanoseconds(std::chrono::hours::min()) == nanoseconds::min());
    CHECK(saturatingNanoseconds(Years{1e9}) == kForever);
    CHECK(saturatingNanoseconds(Years{-1e9}) == nanoseconds::min());
    CHECK(saturatingNanoseconds(Years{std::numeric_limits<double>::infinity()}) == kForever);
    CHECK(saturatingNanoseconds(Years{std::numeric_limits<double>::quiet_NaN()}) == 0ns);
    CHECK(saturatingNanoseconds(std::chrono::duration<double>{0.25}) == 250ms);
    CHECK(saturatingNanoseconds(kForever) == kForever);
}

TEST_CASE("Durations are written in a unit that people read") {
    using fusebox::detail::toText;
    CHECK(toText(0ns) == "0 ns");
    CHECK(toText(999ns) == "999 ns");
    CHECK(toText(1500ns) == "1.5 us");
    CHECK(toText(2500us) == "2.5 ms");
    CHECK(toText(30s) == "30 s");
    CHECK(toText(90s) == "90 s");
    CHECK(toText(10min) == "10 min");
    CHECK(toText(2h) == "2 h");
    CHECK(toText(-3s) == "-3 s");
    CHECK(toText(kForever) == "never");
}

TEST_CASE("Numbers are written shortest, and what is not a number by name") {
    using fusebox::detail::toPercent;
    using fusebox::detail::toText;
    CHECK(toText(0.1) == "0.1");
    CHECK(toText(std::numeric_limits<double>::quiet_NaN()) == "NaN");
    CHECK(toText(std::numeric_limits<double>::infinity()) == "infinity");
    CHECK(toText(-std::numeric_limits<double>::infinity()) == "-infinity");
    CHECK(toPercent(0.07) == "7 %");
    CHECK(toPercent(1.0) == "100 %");
}
