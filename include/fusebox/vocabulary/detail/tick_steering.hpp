// SPDX-License-Identifier: MIT
// Keeps the time that a counter tells beside the steady clock, without ever taking it back.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "fusebox/vocabulary/detail/tick_line.hpp"

namespace fusebox::detail {

/// The steady clock, read between two readings of a counter.
struct TickSample {
    std::uint64_t before;
    std::int64_t steady;  ///< Nanoseconds.
    std::uint64_t after;

    /// How far the reading may have been from `middle()`, in ticks.
    [[nodiscard]] constexpr std::uint64_t doubt() const noexcept { return (after - before) / 2; }
    [[nodiscard]] constexpr std::uint64_t middle() const noexcept { return before + doubt(); }
};

/// The tightest of several samples, the first of equal ones: one that was interrupted says little.
/// @tparam Counter has `ticks()`, and `steady()` in nanoseconds.
template <class Counter>
[[nodiscard]] TickSample takeSample(const Counter& counter, int attempts) noexcept {
    // Braces take their values from left to right.
    const auto sampleOnce = [&] {
        return TickSample{counter.ticks(), counter.steady(), counter.ticks()};
    };
    TickSample best = sampleOnce();
    for (int i = 1; i < attempts; ++i) {
        const TickSample sample = sampleOnce();
        if (sample.doubt() < best.doubt()) best = sample;
    }
    return best;
}

/// Ticks from one sample to the next; negative if the counter went back.
[[nodiscard]] constexpr std::int64_t ticksBetween(const TickSample& from,
                                                  const TickSample& to) noexcept {
    return static_cast<std::int64_t>(to.middle() - from.middle());
}

/// Nanoseconds a tick between two samples.
[[nodiscard]] constexpr double rateBetween(const TickSample& from, const TickSample& to) noexcept {
    return static_cast<double>(to.steady - from.steady) /
           static_cast<double>(ticksBetween(from, to));
}

/// Draws the lines. Where the time is behind the steady clock it leaps forward to it, at a bend;
/// where it is ahead it goes slower, at half the pace at worst, until the steady clock is there.
///
/// So while the counter is even and the steady clock's pace does not change, both agree to within
/// the doubt of a sample and what the pace was measured wrong by. When the pace changes by a
/// fraction f, they come apart by f times two pieces at most, until the next bend. A counter that
/// leaps moves the time by two pieces at most, and eight pieces later nothing is left of it.
class TickSteering {
public:
    /// How long a piece is.
    static constexpr std::chrono::nanoseconds kPiece = std::chrono::milliseconds{16};

    /// From two samples that measure the pace of the counter.
    /// @pre ticksBetween(first, last) > 0
    TickSteering(const TickSample& first, const TickSample& last,
                 std::chrono::nanoseconds piece = kPiece) noexcept
        : measured_(rateBetween(first, last)),
          rate_(measured_),
          length_(static_cast<std::uint64_t>(static_cast<double>(piece.count()) / measured_)),
          anchor_(last) {}

    /// The first line, from the last sample on.
    [[nodiscard]] TickLine start() const noexcept { return lineFrom(anchor_, anchor_.steady); }

    /// The line that follows one that grows old: the same until its end.
    [[nodiscard]] TickLine extend(const TickLine& line, const TickSample& sample) noexcept {
        const std::uint64_t age = line.age(sample.middle());
        if (!line.isOld(age)) return restart(line, sample);
        learn(sample);
        const std::uint64_t bend = line.begin + line.length;
        const std::uint64_t end = bend + line.length;
        // What the sample cannot tell from the truth is left alone.
        const std::int64_t doubt = 1 + std::llround(static_cast<double>(sample.doubt()) * rate_);
        const std::int64_t now =
            std::clamp(line.at(age), sample.steady - doubt, sample.steady + doubt);
        return {bend, length_, line.second, piece(line.end(), steadyAt(end, sample, now))};
    }

    /// The line that follows one that is over, or lost to a counter that leapt: from the sample on.
    [[nodiscard]] TickLine restart(const TickLine& line, const TickSample& sample) noexcept {
        learn(sample);
        return lineFrom(sample, line.end());
    }

private:
    // A pace is learned where it is certain to 2^-18 (4 ppm): a sample's 50 ns take 13 ms.
    static constexpr double kMostDoubt = 1.0 / 262144;

    void learn(const TickSample& sample) noexcept {
        const auto ticks = static_cast<double>(ticksBetween(anchor_, sample));
        const auto doubt = static_cast<double>(anchor_.doubt() + sample.doubt());
        if (ticks > 0 && doubt > ticks * kMostDoubt) {
            if (sample.doubt() < anchor_.doubt()) anchor_ = sample;
            return;
        }
        // A counter that leapt teaches nothing; nor does one that stood, whose rate is infinite.
        const double rate = rateBetween(anchor_, sample);
        if (rate > measured_ / 2 && rate < measured_ * 2) rate_ = rate;
        anchor_ = sample;
    }

    /// Where the steady clock will be at `ticks`, if it is at `now` in the middle of the sample.
    [[nodiscard]] std::int64_t steadyAt(std::uint64_t ticks, const TickSample& sample,
                                        std::int64_t now) const noexcept {
        const auto ahead = static_cast<std::int64_t>(ticks - sample.middle());
        return now + std::llround(static_cast<double>(ahead) * rate_);
    }

    /// A piece from `floor` or the steady clock, whichever is later; they meet at its end if they
    /// can.
    [[nodiscard]] TickPiece piece(std::int64_t floor, std::int64_t steady) const noexcept {
        const std::int64_t base = std::max(floor, steady);
        const double slower =
            rate_ - static_cast<double>(base - steady) / static_cast<double>(length_);
        const double rate = std::max(slower, rate_ / 2);
        return {base, static_cast<std::uint64_t>(std::llround(rate * 0x1p32))};
    }

    /// A line that begins with the sample, and no earlier than `floor`.
    [[nodiscard]] TickLine lineFrom(const TickSample& sample, std::int64_t floor) const noexcept {
        const std::uint64_t begin = sample.middle();
        const TickPiece first = piece(floor, sample.steady);
        const std::int64_t steady = steadyAt(begin + length_, sample, sample.steady);
        return {begin, length_, first, piece(first.after(length_), steady)};
    }

    double measured_;
    double rate_;
    std::uint64_t length_;
    TickSample anchor_;
};

}  // namespace fusebox::detail
