// SPDX-License-Identifier: MIT
// A trip policy that also checks how it is used.
#pragma once

#include <cstdint>

#include "breaker/history.hpp"
#include "engine/platform.hpp"
#include "fusebox/policy/trip_policy.hpp"

namespace fusebox::model {

/// Trips on so many failures since the entry into Closed.
struct ModelPolicy {
    int failures = 1;
    bool ticks = false;      ///< It asks for ticks, one each 10 ns.
    bool successes = false;  ///< It asks to be told of every success.
    bool watched = false;    ///< Its failures may be of calls that are in flight.
    History* history = nullptr;
};

class ModelTracker {
public:
    explicit ModelTracker(const ModelPolicy& policy) : policy_(policy) {}

    [[nodiscard]] TrackerNeeds needs() const noexcept {
        return {.time = false, .successes = policy_.successes, .ticks = policy_.ticks};
    }
    void enter(Nanoseconds now) noexcept {
        seen_.write() = {};
        seen_.write().nextTick = now + kTick;
    }
    [[nodiscard]] Verdict record(const CallRecord& call) noexcept {
        Seen& seen = seen_.write();
        if (call.position <= seen.position) execution().fail("positions do not grow");
        seen.position = call.position;
        if (!policy_.watched) policy_.history->requirePresent("record");
        if (!call.failed) return false;
        return ++seen.failures >= policy_.failures;
    }
    [[nodiscard]] Nanoseconds nextTick() const noexcept {
        return policy_.ticks ? seen_.read().nextTick : kForever;
    }
    void tick(std::uint64_t position, Nanoseconds now) noexcept {
        Seen& seen = seen_.write();
        if (position < seen.position) execution().fail("a tick goes back to an earlier position");
        seen.nextTick = std::max(seen.nextTick, now + kTick);
    }

private:
    static constexpr Nanoseconds kTick{10};

    struct Seen {
        std::uint64_t position = 0;
        int failures = 0;
        Nanoseconds nextTick{0};
    };

    ModelPolicy policy_;
    Plain<Seen> seen_{};
};

}  // namespace fusebox::model
