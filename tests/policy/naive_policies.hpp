// SPDX-License-Identifier: MIT
// What the policies should say, by their definitions, told of every single call.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "fusebox/policy/composite.hpp"
#include "fusebox/policy/consecutive_failures.hpp"
#include "fusebox/policy/cusum.hpp"
#include "fusebox/policy/failure_count.hpp"
#include "fusebox/policy/failure_rate.hpp"
#include "fusebox/policy/slow_call_rate.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "window/naive_windows.hpp"

namespace fusebox::test {

/// A call as it happened. `CallRecord::slow` is set from the smallest `slowerThan` of the policy.
struct Call {
    std::chrono::nanoseconds time{0};
    std::chrono::nanoseconds elapsed{0};
    bool failed = false;
    bool slow = false;
};

class NaivePolicy {
public:
    virtual ~NaivePolicy() = default;
    /// Whether this very call trips, and whether the condition holds after it.
    virtual Verdict add(const Call& call) = 0;
    /// The window, if there is one.
    virtual std::optional<CallCounts> counts(std::chrono::nanoseconds) { return std::nullopt; }
};

using NaivePolicyPtr = std::unique_ptr<NaivePolicy>;

class NaiveConsecutiveFailures : public NaivePolicy {
public:
    NaiveConsecutiveFailures(const ConsecutiveFailures& policy, std::chrono::nanoseconds)
        : policy_(policy) {}

    Verdict add(const Call& call) override {
        inARow_ = call.failed ? inARow_ + 1 : 0;
        return inARow_ >= policy_.threshold;
    }

private:
    ConsecutiveFailures policy_;
    int inARow_ = 0;
};

class NaiveFailureCount : public NaivePolicy {
public:
    NaiveFailureCount(const FailureCount& policy, std::chrono::nanoseconds) : policy_(policy) {}

    Verdict add(const Call& call) override {
        ++position_;
        if (call.failed)
            failures_.push_back(policy_.window.isTime() ? call.time.count() : position_);
        const bool holds = failuresAt(call.time) >= policy_.threshold;
        return {call.failed && holds, holds};
    }

    std::optional<CallCounts> counts(std::chrono::nanoseconds now) override {
        const auto failures =
            static_cast<std::uint64_t>(std::min<std::int64_t>(failuresAt(now), policy_.threshold));
        if (policy_.window.isTime()) return CallCounts{failures, failures, 0};
        const auto calls = std::min<std::int64_t>(position_, policy_.window.calls());
        return CallCounts{static_cast<std::uint64_t>(calls), failures, 0};
    }

private:
    std::int64_t failuresAt(std::chrono::nanoseconds time) {
        const bool isTime = policy_.window.isTime();
        const std::int64_t now = isTime ? time.count() : position_;
        const std::int64_t span =
            isTime ? policy_.window.duration().count() : policy_.window.calls();
        while (!failures_.empty() && now - failures_.front() >= span) failures_.pop_front();
        return static_cast<std::int64_t>(failures_.size());
    }

    FailureCount policy_;
    std::int64_t position_ = 0;
    std::deque<std::int64_t> failures_;
};

/// The window that both rates look at.
class NaiveWindow {
public:
    NaiveWindow(const Window& window, std::chrono::nanoseconds origin)
        : isTime_(window.isTime()),
          byCalls_(static_cast<std::uint64_t>(window.calls())),
          byTime_(window.duration(), origin) {}

    void add(const NaiveCall& call) { isTime_ ? byTime_.add(call) : byCalls_.add(call); }
    CallCounts counts(std::chrono::nanoseconds now) {
        return isTime_ ? byTime_.counts(now) : byCalls_.counts();
    }

private:
    bool isTime_;
    NaiveLastCalls byCalls_;
    NaiveLastTime byTime_;
};

class NaiveFailureRate : public NaivePolicy {
public:
    NaiveFailureRate(const FailureRate& policy, std::chrono::nanoseconds origin)
        : policy_(policy), window_(policy.window, origin) {}

    Verdict add(const Call& call) override {
        window_.add({call.time, call.failed, call.slow});
        const CallCounts now = window_.counts(call.time);
        const bool holds =
            now.calls >= static_cast<std::uint64_t>(policy_.minimumCalls) &&
            static_cast<double>(now.failures) / static_cast<double>(now.calls) >= policy_.threshold;
        return {call.failed && holds, holds};
    }

    std::optional<CallCounts> counts(std::chrono::nanoseconds now) override {
        return window_.counts(now);
    }

private:
    FailureRate policy_;
    NaiveWindow window_;
};

class NaiveSlowCallRate : public NaivePolicy {
public:
    NaiveSlowCallRate(const SlowCallRate& policy, std::chrono::nanoseconds origin)
        : policy_(policy), window_(policy.window, origin) {}

    Verdict add(const Call& call) override {
        const bool slow = call.elapsed >= policy_.slowerThan;
        window_.add({call.time, call.failed, slow});
        const CallCounts now = window_.counts(call.time);
        const bool holds =
            now.calls >= static_cast<std::uint64_t>(policy_.minimumCalls) &&
            static_cast<double>(now.slow) / static_cast<double>(now.calls) >= policy_.threshold;
        return {slow && holds, holds};
    }

    std::optional<CallCounts> counts(std::chrono::nanoseconds now) override {
        return window_.counts(now);
    }

private:
    SlowCallRate policy_;
    NaiveWindow window_;
};

/// Page's recursion, one call at a time, in floating point.
class NaiveCusum : public NaivePolicy {
public:
    NaiveCusum(const Cusum& policy, std::chrono::nanoseconds)
        : rise_(std::log(policy.unacceptableFailureRate / policy.acceptableFailureRate)),
          fall_(
              std::log((1 - policy.acceptableFailureRate) / (1 - policy.unacceptableFailureRate))),
          limit_(std::log(policy.callsBetweenFalseTrips) +
                 std::log(policy.unacceptableFailureRate)) {}

    Verdict add(const Call& call) override {
        score_ = std::max(0.0, call.failed ? score_ + rise_ : score_ - fall_);
        // Round figures make ties, and sums of logarithms miss them by the last bits.
        const bool holds = score_ >= limit_ - 1e-9;
        return {call.failed && holds, holds};
    }

private:
    double rise_;
    double fall_;
    double limit_;
    double score_ = 0;
};

class NaiveComposite : public NaivePolicy {
public:
    NaiveComposite(detail::Combination how, std::vector<NaivePolicyPtr> parts)
        : any_(how == detail::Combination::Any), parts_(std::move(parts)) {}

    Verdict add(const Call& call) override {
        std::vector<Verdict> verdicts;
        for (const NaivePolicyPtr& part : parts_) verdicts.push_back(part->add(call));
        const auto trips = [](const Verdict& verdict) { return verdict.trips; };
        const auto holds = [](const Verdict& verdict) { return verdict.holds; };
        const bool oneTrips = std::any_of(verdicts.begin(), verdicts.end(), trips);
        if (any_) return {oneTrips, std::any_of(verdicts.begin(), verdicts.end(), holds)};
        const bool allHold = std::all_of(verdicts.begin(), verdicts.end(), holds);
        return {oneTrips && allHold, allHold};
    }

    std::optional<CallCounts> counts(std::chrono::nanoseconds now) override {
        for (const NaivePolicyPtr& part : parts_) {
            if (const auto counts = part->counts(now)) return counts;
        }
        return std::nullopt;
    }

private:
    bool any_;
    std::vector<NaivePolicyPtr> parts_;
};

[[nodiscard]] inline NaivePolicyPtr naive(const ConsecutiveFailures& policy,
                                          std::chrono::nanoseconds origin) {
    return std::make_unique<NaiveConsecutiveFailures>(policy, origin);
}
[[nodiscard]] inline NaivePolicyPtr naive(const FailureCount& policy,
                                          std::chrono::nanoseconds origin) {
    return std::make_unique<NaiveFailureCount>(policy, origin);
}
[[nodiscard]] inline NaivePolicyPtr naive(const FailureRate& policy,
                                          std::chrono::nanoseconds origin) {
    return std::make_unique<NaiveFailureRate>(policy, origin);
}
[[nodiscard]] inline NaivePolicyPtr naive(const SlowCallRate& policy,
                                          std::chrono::nanoseconds origin) {
    return std::make_unique<NaiveSlowCallRate>(policy, origin);
}
[[nodiscard]] inline NaivePolicyPtr naive(const Cusum& policy, std::chrono::nanoseconds origin) {
    return std::make_unique<NaiveCusum>(policy, origin);
}
template <detail::Combination How, class... Policies>
[[nodiscard]] NaivePolicyPtr naive(const detail::CompositePolicy<How, Policies...>& policy,
                                   std::chrono::nanoseconds origin) {
    std::vector<NaivePolicyPtr> parts;
    detail::forEach(policy.parts(),
                    [&](const auto& part) { parts.push_back(naive(part, origin)); });
    return std::make_unique<NaiveComposite>(How, std::move(parts));
}

}  // namespace fusebox::test
