// SPDX-License-Identifier: MIT
// Lines that are followed by others while threads read them, thousands of times a second.
#include "fusebox/vocabulary/detail/tick_timeline.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <thread>

#include "fusebox/vocabulary/detail/latched.hpp"
#include "fusebox/vocabulary/detail/tick_calibration.hpp"
#include "fusebox/vocabulary/detail/tick_steering.hpp"
#include "stress/hand_over.hpp"
#include "stress/load.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::detail::Latched;
using fusebox::detail::TickCalibration;
using fusebox::detail::TickTimeline;
using std::chrono::nanoseconds;

namespace {

/// A counter that every machine has: the steady clock, in ticks of 0.8 ns.
struct SteadyCounter {
    [[nodiscard]] static std::int64_t steady() noexcept {
        return nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count();
    }
    [[nodiscard]] static std::uint64_t ticks() noexcept {
        const auto now = static_cast<std::uint64_t>(steady());
        return now + now / 4;
    }
};

/// As many lines as possible.
constexpr nanoseconds kPiece = 20us;

class ShortLines {
public:
    /// @param wrongBy what the pace seems to be off by.
    explicit ShortLines(nanoseconds wrongBy = 0ns) : timeline_({}, steering(wrongBy)) {}

    [[nodiscard]] std::int64_t now() noexcept { return timeline_.at(SteadyCounter::ticks()); }

private:
    static fusebox::detail::TickSteering steering(nanoseconds wrongBy) {
        TickCalibration pace = fusebox::detail::calibrate(SteadyCounter{});
        pace.first.steady += wrongBy.count();
        return {pace.first, pace.last, kPiece};
    }

    TickTimeline<SteadyCounter> timeline_;
};

}  // namespace

TEST_CASE("Readings never go back from thread to thread while lines follow each other") {
    const auto wrongBy = GENERATE(0ns, 40us, -40us);  // of 4 ms: 1 %
    const int threads = GENERATE(2, 4);
    ShortLines time{wrongBy};
    const std::uint64_t readings = scaled(2'000'000);
    const HandOvers result = handOver(threads, readings, readings, [&] { return time.now(); });
    CHECK(result.wentBack == 0);
    CHECK(result.made > 0);
}

TEST_CASE("Readings stay beside the steady clock while lines follow each other") {
    ShortLines time;
    HighWater furthest;
    onThreads(3, [&](int i) {
        Random random{static_cast<std::uint64_t>(i) + 1};
        std::int64_t after = SteadyCounter::steady();
        for (std::uint64_t n = 0; n < scaled(1'000'000); ++n) {
            // Long enough for the line to end, now and then.
            if (random.oneIn(1'000)) std::this_thread::yield();
            for (auto spins = random.oneIn(100) ? random.below(2'000) : 0; spins > 0; --spins) {
                after = SteadyCounter::steady();
            }
            const std::int64_t before = after;
            const std::int64_t reading = time.now();
            after = SteadyCounter::steady();
            furthest.see(std::max(reading - after, before - reading));
        }
    });
    CHECK(nanoseconds{furthest.get()} <= 2 * kPiece);
}

TEST_CASE("A value that is replaced is never read in parts, nor an older one after a newer") {
    using Value = std::array<std::uint64_t, 6>;
    const auto valueOf = [](std::uint64_t n) {
        Value value;
        std::iota(value.begin(), value.end(), n);
        return value;
    };
    Latched<Value> latched{valueOf(0)};
    Count torn;
    Count older;
    const std::uint64_t values = scaled(5'000'000);
    onThreads(3, [&](int i) {
        if (i == 0) {
            for (std::uint64_t n = 1; n <= values; ++n) {
                latched.store(valueOf(n));
                // In bursts, to meet readers at work, and slowly, so that some get a value.
                const bool burst = n / 64 % 2 == 0;
                for (auto spins = burst ? 0 : n % 32; spins > 0; --spins) (void)latched.load();
            }
            return;
        }
        for (std::uint64_t last = 0; last < values;) {
            const Value value = latched.load();
            torn.addIf(value != valueOf(value[0]));
            older.addIf(value[0] < last);
            last = value[0];
        }
    });
    CHECK(torn.get() == 0);
    CHECK(older.get() == 0);
}
