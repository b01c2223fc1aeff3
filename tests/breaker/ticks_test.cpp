// SPDX-License-Identifier: MIT
// When the tracker of a policy is ticked: at the instant that it named last, and not before.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"
#include "support/clocks.hpp"
#include "support/other_thread.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;
using std::chrono::nanoseconds;

namespace {

struct Tick {
    std::uint64_t calls;
    nanoseconds time;
    friend bool operator==(const Tick&, const Tick&) = default;
};
using Ticks = std::vector<Tick>;

/// A policy that wants a tick 10 s after whatever its tracker was told last.
struct Metronome {
    std::shared_ptr<Ticks> ticks = std::make_shared<Ticks>();
    bool precise = false;
    friend bool operator==(const Metronome&, const Metronome&) = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const Metronome& policy)
            : ticks_(policy.ticks), precise_(policy.precise) {}
        [[nodiscard]] TrackerNeeds needs() const noexcept {
            return {.time = true, .ticks = true, .preciseTicks = precise_};
        }
        void enter(nanoseconds now) noexcept { next_ = now + 10s; }
        Verdict record(const CallRecord& call) noexcept {
            next_ = call.time + 10s;
            return false;
        }
        void tick(std::uint64_t position, nanoseconds now) noexcept {
            ticks_->push_back({position, now});
            next_ = now + 10s;
        }
        [[nodiscard]] nanoseconds nextTick() const noexcept { return next_; }

    private:
        std::shared_ptr<Ticks> ticks_;
        bool precise_;
        nanoseconds next_ = kForever;
    };
};

/// Its clock stands at 0 when it is made.
struct Beating : Rig<Metronome> {
    using Rig::Rig;

    /// The ticks since the last call of this.
    [[nodiscard]] Ticks ticks() { return std::exchange(*breaker.policy().ticks, {}); }

    /// Not after eight; and then after so many calls.
    void ticksTenSecondsFromNow(std::uint64_t calls) {
        const auto due = clock.now().time_since_epoch() + 10s;
        clock.advance(8s);
        succeed();
        CHECK(ticks() == Ticks{});
        clock.advance(2s);
        succeed();
        CHECK(ticks() == Ticks{{calls, due}});
    }
};

}  // namespace

TEST_CASE("The first success at or after the instant that a tracker names ticks it, once") {
    const auto options = GENERATE(values<CircuitBreakerOptions>({
        {},
        {.measureLatency = false},
        {.measureLatency = false, .trackInFlight = true},
        {.detectOverdue = true},
    }));
    const std::string way = GENERATE("by permit", "by its own measure", "by execute");
    Beating rig{options};
    const auto succeed = [&] {
        if (way == "by permit") {
            rig.succeed();
        } else if (way == "by execute") {
            rig.breaker.execute([] {});
        } else {
            rig.begin().report(Outcome::Success, 1ms);
        }
    };
    INFO(toString(options) << ", " << way);
    rig.clock.advance(10s - 1ns);
    succeed();
    CHECK(rig.ticks() == Ticks{});
    rig.clock.advance(1ns);
    succeed();
    CHECK(rig.ticks() == Ticks{{1, 10s}});
    succeed();
    CHECK(rig.ticks() == Ticks{});
    rig.clock.advance(1h);
    succeed();
    succeed();
    CHECK(rig.ticks() == Ticks{{3, 10s + 1h}});
    CHECK(rig.stats().windowCalls == 5);
}

TEST_CASE("A tracker that names another instant when it is told of a call is not ticked before") {
    Beating rig;
    rig.clock.advance(8s);
    rig.fail();
    rig.ticksTenSecondsFromNow(2);
}

TEST_CASE("A tracker that names another instant when it is told of an overdue call, too") {
    Beating rig{{.requestTimeout = 1600ms, .detectOverdue = true}};
    const auto hung = rig.begin();
    rig.clock.advance(8s);
    rig.ignore();  // looks
    CHECK(rig.stats().windowFailures == 1);
    rig.ticksTenSecondsFromNow(2);
}

TEST_CASE("A tracker that names another instant when a closed period begins, too") {
    Beating rig;
    rig.breaker.open();
    rig.clock.advance(8s);
    rig.breaker.close();
    rig.ticksTenSecondsFromNow(1);
}

TEST_CASE("A tracker that names another instant when it takes over, too") {
    Beating rig;
    rig.clock.advance(8s);
    rig.breaker.reconfigure(Metronome{});
    rig.ticksTenSecondsFromNow(1);
}

TEST_CASE("A success that read no clock ticks by the cheaper one, unless the tracker needs more") {
    for (const bool precise : {false, true}) {
        const fusebox::test::LaggingClock clock;
        const Metronome policy{.precise = precise};
        CircuitBreaker breaker{"beating", policy, {.measureLatency = false}, clock};
        *clock.at += 10s;
        breaker.execute([] {});
        CHECK(policy.ticks->size() == (precise ? 1 : 0));
        *clock.at += 5ms;
        breaker.execute([] {});
        CHECK(policy.ticks->size() == 1);
    }
}

TEST_CASE("While others are at the tracker a success leaves the tick to the next one") {
    using fusebox::test::HookedMutex;
    HookedMutex::reset();
    fusebox::test::ManualClock clock;
    const Metronome policy;
    detail::BreakerCore<fusebox::test::ManualClock, Metronome, fusebox::test::HookedPlatform> core{
        "hooked", policy, {.measureLatency = false}, clock};
    const auto succeed = [&] {
        detail::Ticket ticket;
        REQUIRE(core.machine().admit(ticket));
        return core.succeed(ticket);
    };
    clock.advance(10s);
    HookedMutex::isTaken = true;
    CHECK(succeed() == ReportResult::Recorded);
    CHECK(*policy.ticks == Ticks{});
    HookedMutex::isTaken = false;
    // Another epoch has begun: what came before is not of its time.
    HookedMutex::before = [&] { core.machine().setMode(ControlMode::Shadow); };
    CHECK(succeed() == ReportResult::Stale);
    CHECK(*policy.ticks == Ticks{});
    CHECK(succeed() == ReportResult::Recorded);
    CHECK(*policy.ticks == Ticks{{1, 10s}});
}
