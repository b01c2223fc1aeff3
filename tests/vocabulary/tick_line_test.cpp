// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/detail/tick_line.hpp"

#include <cstdint>
#include <limits>

#include "support/catch.hpp"

using fusebox::detail::TickLine;
using fusebox::detail::TickPiece;

namespace {

constexpr std::uint64_t kOne = std::uint64_t{1} << 32;  // 1 ns a tick

/// 1000 ticks of 2 ns from 500 on, then 1000 of half a nanosecond from 3000 on: a leap of 500.
constexpr TickLine kLine{10'000, 1'000, TickPiece{500, 2 * kOne}, TickPiece{3'000, kOne / 2}};

}  // namespace

TEST_CASE("A piece is exact at whole nanoseconds and rounds down between them") {
    constexpr TickPiece half{7, kOne / 2};
    CHECK(half.after(0) == 7);
    CHECK(half.after(1) == 7);
    CHECK(half.after(2) == 8);
    CHECK(half.after(4'000'000'001) == 2'000'000'007);
    // Up to just below 2^32 ns in 64 bits, whatever the pace.
    CHECK(TickPiece{0, kOne}.after(kOne - 1) == std::int64_t{kOne} - 1);
    CHECK(TickPiece{0, 1'000'000'000 * kOne}.after(4) == 4'000'000'000);
    CHECK(TickPiece{0, kOne / 8}.after(8 * kOne - 8) == std::int64_t{kOne} - 1);
}

TEST_CASE("A line tells the time of its two pieces") {
    const auto at = [](std::uint64_t ticks) { return kLine.at(kLine.age(ticks)); };
    CHECK(at(10'000) == 500);
    CHECK(at(10'999) == 2'498);
    CHECK(at(11'000) == 3'000);
    CHECK(at(11'002) == 3'001);
    CHECK(at(11'999) == 3'499);
    CHECK(kLine.end() == 3'500);
}

TEST_CASE("A line knows its age") {
    CHECK(kLine.isYoung(0));
    CHECK(kLine.isYoung(1'499));
    CHECK_FALSE(kLine.isYoung(1'500));
    CHECK_FALSE(kLine.isOld(1'499));
    CHECK(kLine.isOld(1'500));
    CHECK(kLine.isOld(1'999));
    CHECK_FALSE(kLine.isOld(2'000));
    CHECK(kLine.covers(1'999));
    CHECK_FALSE(kLine.covers(2'000));
}

TEST_CASE("A line that overtook a reading of the counter gives it its beginning") {
    const std::uint64_t before = kLine.age(9'999);
    CHECK_FALSE(kLine.isYoung(before));
    CHECK_FALSE(kLine.isOld(before));
    CHECK(kLine.covers(before));
    CHECK(kLine.at(before) == 500);
    CHECK(kLine.covers(kLine.age(9'500)));
    CHECK_FALSE(kLine.covers(kLine.age(9'499)));
}

TEST_CASE("A counter wraps over within a line") {
    TickLine line = kLine;
    line.begin = std::numeric_limits<std::uint64_t>::max() - 499;  // 500 ticks before the end
    CHECK(line.at(line.age(line.begin + 499)) == 1'498);
    CHECK(line.at(line.age(0)) == 1'500);
    CHECK(line.at(line.age(500)) == 3'000);
    CHECK(line.covers(line.age(line.begin - 1)));
}
