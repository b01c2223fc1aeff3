// SPDX-License-Identifier: MIT
// A timeline on made-up counters: uneven ones, ones that leap, stop or wrap over.
#include "fusebox/vocabulary/detail/tick_steering.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>

#include "fusebox/vocabulary/detail/tick_timeline.hpp"
#include "support/catch.hpp"
#include "vocabulary/made_up_counter.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::WithinRel;
using fusebox::detail::TickLine;
using fusebox::detail::TickSample;
using fusebox::detail::TickSteering;
using fusebox::test::MadeUpCounter;
using fusebox::test::MadeUpTime;
using std::chrono::nanoseconds;

namespace {

/// What a run of readings came to.
struct Readings {
    nanoseconds furthestAhead = nanoseconds::min();
    nanoseconds furthestBehind = nanoseconds::min();
    int wentBack = 0;

    [[nodiscard]] nanoseconds furthest() const { return std::max(furthestAhead, furthestBehind); }
};

/// Reads the clock every `step` for so long.
Readings readFor(MadeUpTime& time, nanoseconds duration, nanoseconds step = 100us) {
    Readings readings;
    const nanoseconds end = time.machine().steady + duration;
    nanoseconds last = time.now();
    while (time.machine().steady < end) {
        const nanoseconds deviation = time.deviation();
        readings.furthestAhead = std::max(readings.furthestAhead, deviation);
        readings.furthestBehind = std::max(readings.furthestBehind, -deviation);
        const nanoseconds now = time.now();
        if (now < last) ++readings.wentBack;
        last = now;
        time.pass(step);
    }
    return readings;
}

MadeUpCounter counterOf(long double ticksPerNanosecond, std::uint64_t origin = 0) {
    MadeUpCounter counter;
    counter.machine().ticksPerNanosecond = ticksPerNanosecond;
    counter.machine().origin = origin;
    return counter;
}

/// By how much a reading may be wrong on an even counter: a sample takes 40 ns.
constexpr nanoseconds kCalm = 60ns;

}  // namespace

TEST_CASE("On an even counter of any pace the time is the steady clock's") {
    const auto pace = GENERATE(0.01L, 1.0L, 1.00001L, 2.596154L, 10.0L);
    MadeUpTime time{counterOf(pace)};
    // Whole ticks are all there is.
    const auto tick = nanoseconds{static_cast<int>(1 / pace)};
    const Readings readings = readFor(time, 2s);
    CHECK(readings.furthest() <= kCalm + 2 * tick);
    CHECK(readings.wentBack == 0);
}

TEST_CASE("When the pace changes by 500 ppm, two pieces of that is as far as they come apart") {
    const auto change = GENERATE(0.0005L, -0.0005L);
    MadeUpTime time;
    CHECK(readFor(time, 1s).furthest() <= kCalm);
    time.machine().ticksPerNanosecond *= 1 + change;
    const Readings after = readFor(time, 4 * TickSteering::kPiece);
    CHECK(after.furthest() <= 2 * TickSteering::kPiece / 2000 + kCalm);
    CHECK(after.furthest() >= TickSteering::kPiece / 2000);  // the change was there to be seen
    CHECK(after.wentBack == 0);
    // The new pace is learned: nothing of it is left.
    const Readings later = readFor(time, 2s);
    CHECK(later.furthest() <= kCalm);
    CHECK(later.wentBack == 0);
}

TEST_CASE("A pace that was measured wrong is corrected") {
    MadeUpCounter counter;
    fusebox::detail::TickSample first = fusebox::detail::takeSample(counter, 1);
    counter.pass(10ms);
    fusebox::detail::TickSample last = fusebox::detail::takeSample(counter, 1);
    first.steady += 5'000;  // 500 ppm of 10 ms
    fusebox::detail::TickTimeline<MadeUpCounter> timeline{counter, {first, last}};
    nanoseconds furthest{0};
    for (int i = 0; i < 10'000; ++i) {
        counter.pass(100us);
        const std::uint64_t ticks = counter.ticks();
        const nanoseconds steady = counter.machine().steady;
        const nanoseconds deviation = nanoseconds{timeline.at(ticks)} - steady;
        if (i > 1'000) furthest = std::max(furthest, std::chrono::abs(deviation));
    }
    CHECK(furthest <= kCalm);
}

TEST_CASE("A counter wraps over unnoticed") {
    // Within the calibration, the first line, and later.
    const auto ticksLeft =
        GENERATE(std::uint64_t{5'000'000}, std::uint64_t{60'000'000}, std::uint64_t{1'000'000'000});
    MadeUpTime time{counterOf(2.5L, 0 - ticksLeft)};
    const Readings readings = readFor(time, 2s);
    CHECK(readings.furthest() <= kCalm);
    CHECK(readings.wentBack == 0);
}

TEST_CASE("After a pause of any length the first reading is right") {
    const auto pause = GENERATE(8ms, 9ms, 17ms, 24ms, 25ms, 33ms, 1s, 60s, 24h, 24h * 365);
    MadeUpTime time;
    const nanoseconds before = time.now();
    time.pass(pause);
    CHECK(std::chrono::abs(time.deviation()) <= kCalm);
    CHECK(time.now() > before);
    CHECK(readFor(time, 100ms).furthest() <= kCalm);
}

TEST_CASE("A pause does not outlast what was learned of the pace") {
    MadeUpTime time;
    time.machine().ticksPerNanosecond *= 1.0005L;
    for (int i = 0; i < 20; ++i) {
        time.pass(1s);
        CHECK(std::chrono::abs(time.deviation()) <= kCalm);
        // Right after it the old pace goes on for as long as a line.
        const Readings readings = readFor(time, 2 * TickSteering::kPiece);
        CHECK(readings.wentBack == 0);
        if (i > 0) CHECK(readings.furthest() <= kCalm);
    }
}

TEST_CASE("The pace is learned from one pause to the next, too") {
    MadeUpTime time;
    time.machine().ticksPerNanosecond *= 1.0005L;
    for (int i = 0; i < 5; ++i) {
        time.pass(1s);
        (void)time.now();
        time.pass(TickSteering::kPiece);  // too early for another sample
        if (i > 0) CHECK(std::chrono::abs(time.deviation()) <= kCalm);
    }
}

TEST_CASE("A pace is learned between half and twice the one that was measured first") {
    // 1 ns a tick, until a second later by the steady clock it is another.
    struct Pace {
        std::int64_t ticks;
        double learned;
    };
    constexpr std::int64_t kSecond = 1'000'000'000;
    const auto pace =
        GENERATE(Pace{kSecond * 2 / 5, 1.0}, Pace{kSecond / 2, 1.0}, Pace{kSecond * 4 / 7, 1.75},
                 Pace{kSecond * 5 / 3, 0.6}, Pace{kSecond * 2, 1.0}, Pace{kSecond * 3, 1.0},
                 Pace{0, 1.0}, Pace{-kSecond, 1.0});
    CAPTURE(pace.ticks);
    constexpr std::uint64_t kBegin = std::uint64_t{1} << 40;
    const auto sampleAt = [](std::int64_t ticks, std::int64_t steady) {
        const std::uint64_t at = kBegin + static_cast<std::uint64_t>(ticks);
        return TickSample{at, steady, at};
    };
    TickSteering steering{sampleAt(0, 0), sampleAt(1'000'000, 1'000'000)};
    TickLine line = steering.start();
    line = steering.restart(line, sampleAt(1'000'000 + pace.ticks, 1'000'000 + kSecond));
    CHECK_THAT(static_cast<double>(line.second.rate) / 0x1p32, WithinRel(pace.learned, 1e-6));
}

TEST_CASE("A pace is learned as soon as the doubt of both samples is 2^-18 of their distance") {
    constexpr std::uint64_t kDoubt = 50;
    const auto rateAfter = [](std::uint64_t ticks) {
        const auto sampleAt = [](std::uint64_t at, std::int64_t steady) {
            return TickSample{at - kDoubt, steady, at + kDoubt};
        };
        TickSteering steering{sampleAt(1'000'000, 0), sampleAt(11'000'000, 20'000'000)};
        // 3 ns a tick from now on, instead of 2.
        const auto steady = static_cast<std::int64_t>(20'000'000 + ticks * 3);
        const TickLine line =
            steering.restart(steering.start(), sampleAt(11'000'000 + ticks, steady));
        return static_cast<double>(line.second.rate) / 0x1p32;
    };
    constexpr std::uint64_t kEnough = 2 * kDoubt << 18;
    CHECK_THAT(rateAfter(kEnough), WithinRel(3.0, 1e-6));
    CHECK_THAT(rateAfter(kEnough - 1), WithinRel(2.0, 1e-6));
    // At half the pace as long as the line before is ahead.
    CHECK_THAT(rateAfter(2), WithinRel(1.0, 1e-6));
    CHECK_THAT(rateAfter(1), WithinRel(1.0, 1e-6));
}

namespace {

/// A steering at 1 ns a tick whose pieces are a microsecond, and whose samples are too doubtful to
/// teach it a pace.
struct ShortSteering {
    static constexpr std::uint64_t kBegin = 1'000'000;
    static constexpr std::uint64_t kDoubt = 3;

    static TickSample sampleAt(std::uint64_t ticks, std::int64_t steady) {
        return {ticks - kDoubt, steady, ticks + kDoubt};
    }
    TickSteering steering{sampleAt(kBegin - 500'000, 0), sampleAt(kBegin, 500'000), 1us};
    TickLine line = steering.start();
};

}  // namespace

TEST_CASE("A line follows the steady clock but for the doubt of a sample and one for rounding") {
    constexpr std::int64_t kLeft = ShortSteering::kDoubt + 1;
    constexpr std::uint64_t kAge = 1'750;
    for (std::int64_t behind = -3 * kLeft; behind <= 3 * kLeft; ++behind) {
        CAPTURE(behind);
        ShortSteering by;
        const std::int64_t now = by.line.at(kAge);
        const TickLine next = by.steering.extend(
            by.line, ShortSteering::sampleAt(ShortSteering::kBegin + kAge, now + behind));
        // Behind, it leaps where its first piece ends; ahead, it goes slower from there on.
        const std::int64_t leap = std::max<std::int64_t>(behind - kLeft, 0);
        const std::int64_t slower = std::max<std::int64_t>(-behind - kLeft, 0);
        CHECK(next.second.base - by.line.end() == leap);
        const double pace = static_cast<double>(next.second.rate) / 0x1p32;
        CHECK(std::llround((1 - pace) * 1'000) == slower);
    }
}

TEST_CASE("A time that is far ahead goes at half the pace") {
    ShortSteering by;
    const TickLine next = by.steering.restart(
        by.line, ShortSteering::sampleAt(ShortSteering::kBegin + 5'000, by.line.end() - 501));
    CHECK(next.first.base == by.line.end());
    CHECK(next.first.rate == by.line.first.rate / 2);
}

TEST_CASE("A counter that stood begins to be measured anew when it goes on") {
    constexpr std::uint64_t kDoubt = 50;
    const auto sampleAt = [](std::uint64_t ticks, std::int64_t steady) {
        return TickSample{ticks - kDoubt, steady, ticks + kDoubt};
    };
    TickSteering steering{sampleAt(1'000'000, 0), sampleAt(11'000'000, 10'000'000)};
    TickLine line = steering.start();
    line = steering.restart(line, sampleAt(11'000'000, 60'000'000));
    line = steering.restart(line, sampleAt(111'000'000, 160'000'000));
    CHECK_THAT(static_cast<double>(line.second.rate) / 0x1p32, WithinRel(1.0, 1e-6));
}

TEST_CASE("A thread that is held up while it takes a sample moves nothing") {
    MadeUpTime time;
    readFor(time, 1s);
    time.machine().interruption = 3ms;
    const Readings held = readFor(time, 1s);
    CHECK(held.furthest() <= 2 * kCalm);
    CHECK(held.wentBack == 0);
}

TEST_CASE("A doubtful sample does not keep the pace from being learned") {
    MadeUpTime time;
    time.machine().interruption = 3ms;
    time.pass(1h);
    (void)time.now();
    time.machine().interruption = 0ns;
    time.machine().ticksPerNanosecond *= 1.0005L;
    readFor(time, 1s);
    CHECK(readFor(time, 1s).furthest() <= kCalm);
}

TEST_CASE("A slow steady clock is followed all the same") {
    MadeUpTime time;
    time.machine().reading = 1us;
    // The first change is still learned from a sample of the fast clock.
    for (const long double change : {1.0005L, 1 / 1.0005L}) {
        time.machine().ticksPerNanosecond *= change;
        readFor(time, 10s);
        const Readings readings = readFor(time, 1s);
        CHECK(readings.furthest() <= 2us);
        CHECK(readings.wentBack == 0);
    }
}

TEST_CASE("A counter that leaps forward puts the time ahead by two pieces at most, for eight") {
    // In nanoseconds, at 2.5 ticks each.
    const auto leap = GENERATE(1us, 1ms, 15ms, 31ms, 33ms, 1s, 24h);
    const auto phase = GENERATE(0ms, 3ms, 7ms, 11ms, 15ms);
    MadeUpTime time;
    readFor(time, 100ms + phase);
    time.machine().ticks += 2.5L * nanoseconds{leap}.count();
    const Readings after = readFor(time, 8 * TickSteering::kPiece);
    CHECK(after.wentBack == 0);
    CHECK(after.furthestAhead <= 2 * TickSteering::kPiece + kCalm);
    CHECK(readFor(time, 1s).furthest() <= kCalm);
}

TEST_CASE("A counter that leaps back moves the time by two pieces at most, for eight") {
    const auto leap = GENERATE(1us, 1ms, 15ms, 31ms, 33ms, 1s, 24h);
    const auto phase = GENERATE(0ms, 3ms, 7ms, 11ms, 15ms);
    MadeUpTime time;
    readFor(time, 100ms + phase);
    const nanoseconds before = time.now();
    time.machine().ticks -= 2.5L * nanoseconds{leap}.count();
    CHECK(time.now() >= before - nanoseconds{leap});
    const Readings after = readFor(time, 8 * TickSteering::kPiece);
    CHECK(after.furthest() <= 2 * TickSteering::kPiece + kCalm);
    CHECK(readFor(time, 1s).furthest() <= kCalm);
}

TEST_CASE("A counter that stops is a clock that stops, until it goes on") {
    MadeUpTime time;
    readFor(time, 100ms);
    const auto pace = std::exchange(time.machine().ticksPerNanosecond, 0.0L);
    const nanoseconds stopped = time.now();
    time.pass(1s);
    CHECK(time.now() == stopped);
    time.machine().ticksPerNanosecond = pace;
    CHECK(readFor(time, 3 * TickSteering::kPiece).wentBack == 0);
    CHECK(readFor(time, 1s).furthest() <= kCalm);
}

TEST_CASE("On a counter that goes forward, however unevenly, the time never goes back") {
    std::mt19937 random{GENERATE(1U, 2U, 3U, 4U, 5U)};
    const auto pick = [&](int below) {
        return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    MadeUpTime time;
    nanoseconds last = time.now();
    int wentBack = 0;
    for (int i = 0; i < 200'000; ++i) {
        switch (pick(200)) {
            case 0: time.machine().ticksPerNanosecond = 2.5L * (0.8L + pick(400) / 1000.0L); break;
            case 1: time.machine().ticks += pick(200'000'000); break;
            case 2: time.pass(nanoseconds{pick(100'000'000)}); break;
            case 3: time.machine().interruption = nanoseconds{pick(2) * pick(20'000'000)}; break;
            case 4: time.machine().reading = nanoseconds{1 + pick(2'000)}; break;
            default: time.pass(nanoseconds{pick(200'000)}); break;
        }
        const nanoseconds now = time.now();
        if (now < last) ++wentBack;
        last = now;
    }
    CHECK(wentBack == 0);
    time.machine().interruption = 0ns;
    time.machine().reading = 20ns;
    readFor(time, 1s);
    CHECK(readFor(time, 1s).furthest() <= kCalm);
}
