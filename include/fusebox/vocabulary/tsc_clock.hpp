// SPDX-License-Identifier: MIT
// Clocks that read the time stamp counter of x86-64. Not part of fusebox.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "fusebox/vocabulary/clock.hpp"
#include "fusebox/vocabulary/detail/tick_calibration.hpp"
#include "fusebox/vocabulary/detail/tick_steering.hpp"
#include "fusebox/vocabulary/detail/tick_timeline.hpp"
#include "fusebox/vocabulary/detail/tsc_machine.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/never_destroyed.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

namespace detail {

/// The time of a machine by its time stamp counter, or why it has none.
class TscTime {
public:
    using Measure = TickCalibration (*)(const TscCounter&);

    explicit TscTime(const TscFacts& facts, Measure measure = &calibrate<TscCounter>)
        : complaint_(validate(facts)) {
        if (complaint_) return;
        const TickCalibration pace = measure(TscCounter{});
        complaint_ = pace.complaint;
        if (!complaint_) timeline_.emplace(TscCounter{}, TickSteering{pace.first, pace.last});
    }

    [[nodiscard]] const Complaint& complaint() const noexcept { return complaint_; }
    /// @pre !complaint()
    [[nodiscard]] TickTimeline<TscCounter>& timeline() noexcept { return *timeline_; }

private:
    Complaint complaint_;
    std::optional<TickTimeline<TscCounter>> timeline_;
};

template <int version>
[[nodiscard]] FUSEBOX_PROCESS_WIDE TscTime& processTscTime() {
    static NeverDestroyed<TscTime> time{tscFacts()};
    return time.get();
}

/// What a reading of the counter waits for.
enum class TscOrder : std::uint8_t { Ordered, Relaxed };

template <TscOrder order, class Counter = TscCounter>
[[nodiscard]] FUSEBOX_HOT std::uint64_t readTicks() noexcept {
    return order == TscOrder::Ordered ? Counter::ticks() : Counter::relaxedTicks();
}

template <TscOrder order>
class BasicTscClock {
public:
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr bool is_steady = order == TscOrder::Ordered;

    /// @throws ConfigError saying why the counter cannot be trusted, as `complaint()` does. Without
    /// exceptions prints that sentence and aborts.
    BasicTscClock() : BasicTscClock(processTscTime<kVersion>()) {}
    /// @param time outlives the clock.
    explicit BasicTscClock(TscTime& time) {
        if (time.complaint()) raise(ConfigError{"TscClock: " + *time.complaint()});
        timeline_ = &time.timeline();
    }

    /// Why there is no such clock on this machine; empty if there is.
    [[nodiscard]] static Complaint complaint() { return processTscTime<kVersion>().complaint(); }

    [[nodiscard]] FUSEBOX_HOT time_point now() const noexcept {
        return time_point{std::chrono::duration_cast<duration>(
            std::chrono::nanoseconds{timeline_->at(readTicks<order>())})};
    }

private:
    TickTimeline<TscCounter>* timeline_ = nullptr;
};

}  // namespace detail

/// The steady time line, read from the time stamp counter instead of the system's clock; see
/// docs/concepts/clock.md for how far the two may be apart, and what the counter is trusted for.
///
/// A reading that happens before another is not later, whatever their threads. Instances share one
/// time; the first of the process takes 4 ms to measure the counter. `now()` may be called
/// concurrently, but not from a signal handler.
using TscClock = detail::BasicTscClock<detail::TscOrder::Ordered>;

/// The same at less cost, by readings that do not wait for what comes before them: one may be
/// as of up to a few microseconds earlier, and so earlier than one that another thread has handed
/// over. For latencies that does not matter.
using RelaxedTscClock = detail::BasicTscClock<detail::TscOrder::Relaxed>;

template <detail::TscOrder order>
struct ClockTraits<detail::BasicTscClock<order>> {
    // Also where it is relaxed: a breaker compares the times of different threads under its mutex
    // only, and lets none of them go back there. Elsewhere a microsecond is none.
    static constexpr bool neverStepsBack = true;

    /// The steady clock may be ahead of this one by what the two come apart before the next bend.
    /// So far they do if the steady clock changes its pace by an eighth: NTP changes it by 0.05 %
    /// at most, chrony by 8.3 %.
    static constexpr std::chrono::nanoseconds margin = 2 * detail::TickSteering::kPiece / 8;

    static constexpr std::chrono::nanoseconds coarseLag =
        ClockTraits<std::chrono::steady_clock>::coarseLag + margin;

    /// The coarse steady clock, which costs less than `TscClock::now()`.
    [[nodiscard]] static std::chrono::steady_clock::time_point coarseNow(
        const detail::BasicTscClock<order>&) noexcept {
        return ClockTraits<std::chrono::steady_clock>::coarseNow() -
               std::chrono::duration_cast<std::chrono::steady_clock::duration>(margin);
    }
};

}  // namespace fusebox
