// SPDX-License-Identifier: MIT
// Measures how fast a counter counts, and whether it does so evenly.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

#include "fusebox/vocabulary/detail/tick_steering.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

/// Two samples that measure the pace of a counter, or what is wrong with it.
struct TickCalibration {
    Complaint complaint{};
    TickSample first{};
    TickSample last{};
};

/// How long the pace is measured, and then again. Two samples' 50 ns of doubt in both together
/// make 12 ppm.
inline constexpr std::chrono::nanoseconds kCalibrationSpan = std::chrono::milliseconds{2};

[[nodiscard]] inline std::string toMegahertz(double nanosecondsPerTick) {
    return toText(std::round(10'000 / nanosecondsPerTick) / 10) + " MHz";
}

/// Spins for a span, and takes a sample. `wentBack` is set if the counter did, within this thread.
template <class Counter>
[[nodiscard]] TickSample sampleAfterSpan(const Counter& counter, bool& wentBack) noexcept {
    const std::int64_t until = counter.steady() + kCalibrationSpan.count();
    std::uint64_t last = counter.ticks();
    while (counter.steady() < until) {
        const std::uint64_t ticks = counter.ticks();
        if (static_cast<std::int64_t>(ticks - last) < 0) wentBack = true;
        last = ticks;
    }
    return takeSample(counter, 8);
}

/// Takes two spans; others if the thread was held up while it took a sample, eight at worst.
template <class Counter>
[[nodiscard]] TickCalibration calibrate(const Counter& counter) {
    constexpr double kMostDifference = 0.001;
    constexpr double kSlowest = 1000;  // nanoseconds a tick
    TickCalibration result;
    result.last = takeSample(counter, 8);
    for (int attempts = 4;; --attempts) {
        result.first = result.last;
        bool wentBack = false;
        const TickSample middle = sampleAfterSpan(counter, wentBack);
        result.last = sampleAfterSpan(counter, wentBack);
        if (wentBack) {
            result.complaint = complain("counter", "going back", "one that only goes forward");
            return result;
        }
        const double before = rateBetween(result.first, middle);
        const double after = rateBetween(middle, result.last);
        // Infinite if it stood still.
        if (!(before > 0 && before <= kSlowest && after > 0 && after <= kSlowest)) {
            result.complaint = complain("pace of the counter", "below 1 MHz", "1 MHz or more");
            return result;
        }
        if (std::abs(before - after) <= kMostDifference * after) return result;
        const std::uint64_t doubt =
            std::max({result.first.doubt(), middle.doubt(), result.last.doubt()});
        const bool certain = static_cast<double>(doubt) * after <
                             kMostDifference / 4 * static_cast<double>(kCalibrationSpan.count());
        if (certain || attempts == 1) {
            result.complaint = complain("pace of the counter",
                                        toMegahertz(before) + ", then " + toMegahertz(after),
                                        "the same twice, to 0.1 %");
            return result;
        }
    }
}

}  // namespace fusebox::detail
