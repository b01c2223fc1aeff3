// SPDX-License-Identifier: MIT
// Who draws the next line when several come by, made certain by a mutex that lets others go first.
#include "fusebox/vocabulary/detail/tick_timeline.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "support/catch.hpp"
#include "support/other_thread.hpp"
#include "vocabulary/made_up_counter.hpp"

using namespace std::chrono_literals;
using fusebox::detail::TickCalibration;
using fusebox::detail::TickSteering;
using fusebox::detail::TickTimeline;
using fusebox::test::HookedMutex;
using fusebox::test::HookedPlatform;
using fusebox::test::MadeUpCounter;
using std::chrono::nanoseconds;

namespace {

/// Counts the samples, of which the steady clock is one reading each, and interrupts some.
struct CountingCounter {
    MadeUpCounter machine;
    int* samples;
    int* interruptions;

    [[nodiscard]] std::uint64_t ticks() const { return machine.ticks(); }
    [[nodiscard]] std::int64_t steady() const {
        ++*samples;
        const std::int64_t now = machine.steady();
        if (*interruptions > 0) {
            --*interruptions;
            machine.pass(1ms);
        }
        return now;
    }
};

class Timeline {
public:
    Timeline() {
        HookedMutex::reset();
        const TickCalibration pace = fusebox::detail::calibrate(machine_);
        timeline_.emplace(CountingCounter{machine_, &samples_, &interruptions_},
                          fusebox::detail::TickSteering{pace.first, pace.last});
    }

    std::int64_t now() { return timeline_->at(machine_.ticks()); }
    void pass(nanoseconds duration) { machine_.pass(duration); }
    [[nodiscard]] nanoseconds deviation() { return nanoseconds{now()} - machine_.machine().steady; }
    /// Samples since this was last asked.
    [[nodiscard]] int samples() { return std::exchange(samples_, 0); }
    /// Holds the thread up in so many samples from now on.
    void interrupt(int samples) { interruptions_ = samples; }

private:
    int samples_ = 0;
    int interruptions_ = 0;
    MadeUpCounter machine_;
    std::optional<TickTimeline<CountingCounter, HookedPlatform>> timeline_;
};

/// Where a line grows old.
constexpr nanoseconds kOld = TickSteering::kPiece + TickSteering::kPiece / 2;

}  // namespace

TEST_CASE("A line is followed once, when it is old") {
    Timeline time;
    time.pass(kOld - 10us);
    time.now();
    CHECK(time.samples() == 0);
    time.pass(20us);
    time.now();
    CHECK(time.samples() > 0);
    time.now();
    time.pass(TickSteering::kPiece - 100us);
    time.now();
    CHECK(time.samples() == 0);
    time.pass(200us);
    time.now();
    CHECK(time.samples() > 0);
}

TEST_CASE("A thread that is held up twice begins a line at the right time all the same") {
    Timeline time;
    time.pass(1s);
    time.interrupt(2);
    time.now();
    CHECK(time.samples() == 3);
    CHECK(std::chrono::abs(time.deviation()) <= 100ns);
}

TEST_CASE("Who finds another thread following a line reads on") {
    Timeline time;
    HookedMutex::isTaken = true;
    time.pass(kOld + 1us);
    CHECK(std::chrono::abs(time.deviation()) <= 100ns);
    time.pass(TickSteering::kPiece / 2 - 10us);
    CHECK(std::chrono::abs(time.deviation()) <= 100ns);
    CHECK(time.samples() == 0);
}

TEST_CASE("Who comes to follow a line after another thread did does nothing") {
    Timeline time;
    time.pass(kOld + 1us);
    int othersSamples = 0;
    HookedMutex::before = [&] {
        time.now();
        othersSamples = time.samples();
    };
    time.now();
    CHECK(othersSamples > 0);
    CHECK(time.samples() == 0);
}

TEST_CASE("Who waited while another thread began a line reads that") {
    Timeline time;
    time.pass(1s);
    int othersSamples = 0;
    HookedMutex::before = [&] {
        time.now();
        othersSamples = time.samples();
    };
    const std::int64_t first = time.now();
    CHECK(othersSamples > 0);
    CHECK(time.samples() == 0);
    CHECK(std::chrono::abs(time.deviation()) <= 100ns);
    CHECK(time.now() > first);
}

TEST_CASE("Who follows a line too late begins another") {
    Timeline time;
    time.pass(kOld + 1us);
    HookedMutex::before = [&] { time.pass(TickSteering::kPiece); };
    const std::int64_t old = time.now();
    CHECK(time.samples() > 0);
    CHECK(std::chrono::abs(time.deviation()) <= 100ns);
    CHECK(time.now() > old);
    CHECK(time.samples() == 0);
}
