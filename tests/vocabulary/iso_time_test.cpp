// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/iso_time.hpp"

#include <chrono>

#include "support/catch.hpp"

using fusebox::isoTime;

TEST_CASE("A time in ISO 8601 is rounded down, and held at the ends of four-digit years") {
    using namespace std::chrono;
    CHECK(isoTime({}) == "1970-01-01T00:00:00.000Z");
    CHECK(isoTime(system_clock::time_point{} - milliseconds{1}) == "1969-12-31T23:59:59.999Z");
    CHECK(isoTime(sys_days{year{2026} / 11 / 22} + hours{3} + microseconds{1999}) ==
          "2026-11-22T03:00:00.001Z");
    // Beyond the range of a system_clock in nanoseconds; others have more.
    CHECK(isoTime(sys_days{year{0} / 1 / 1}) == "0000-01-01T00:00:00.000Z");
    CHECK(isoTime(sys_days{year{0} / 1 / 1} - milliseconds{1}) == "0000-01-01T00:00:00.000Z");
    CHECK(isoTime(sys_days{year{10000} / 1 / 1} - milliseconds{1}) == "9999-12-31T23:59:59.999Z");
    CHECK(isoTime(sys_days{year{10000} / 1 / 1}) == "9999-12-31T23:59:59.999Z");
    CHECK(isoTime(sys_days{year{20000} / 1 / 1}) == "9999-12-31T23:59:59.999Z");
}
