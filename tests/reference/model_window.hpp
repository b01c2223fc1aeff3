// SPDX-License-Identifier: MIT
// The calls recorded since the breaker closed, and what a policy says of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "fusebox/vocabulary/call_counts.hpp"
#include "reference/policy_choice.hpp"

namespace fusebox::test {

/// Every call is kept, so that another policy can be asked of the same past. Copies are equal in
/// everything.
class ModelWindow {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    ModelWindow(PolicyChoice policy, Nanoseconds now) : policy_(std::move(policy)) { enter(now); }
    ModelWindow(const ModelWindow& other)
        : policy_(other.policy_), facts_(other.facts_), origin_(other.origin_) {
        for (const Call& call : other.calls_) (void)add(call);
    }
    ModelWindow& operator=(const ModelWindow& other) {
        ModelWindow copy{other};
        std::swap(*this, copy);
        return *this;
    }
    ModelWindow(ModelWindow&&) = default;
    ModelWindow& operator=(ModelWindow&&) = default;
    ~ModelWindow() = default;

    /// The breaker closes: an empty window.
    void enter(Nanoseconds now) {
        facts_ = factsOf(policy_);
        origin_ = now;
        naive_ = naiveOf(policy_, now);
        calls_.clear();
        seen_ = {};
    }

    /// Whether this very call trips.
    [[nodiscard]] bool add(const Call& call) {
        if (!naive_) naive_ = naiveOf(policy_, origin_);
        calls_.push_back(call);
        ++seen_.calls;
        seen_.failures += call.failed;
        seen_.slow += call.slow;
        const bool asked = call.failed || call.slow;
        return naive_->add(call).trips && asked;
    }

    [[nodiscard]] CallCounts counts(Nanoseconds now) {
        if (!facts_.hasWindow) return seen_;
        if (!naive_) naive_ = naiveOf(policy_, origin_);
        return naive_->counts(now).value_or(seen_);
    }

    /// Goes on under another policy, with the same past or none.
    void adopt(const PolicyChoice& policy, bool keeps, Nanoseconds now) {
        policy_ = policy;
        facts_ = factsOf(policy_);
        if (!keeps) return enter(now);
        const std::vector<Call> past = std::exchange(calls_, {});
        naive_ = naiveOf(policy_, origin_);
        seen_ = {};
        for (const Call& call : past) (void)add(call);
    }

    [[nodiscard]] const PolicyChoice& policy() const { return policy_; }
    [[nodiscard]] const PolicyFacts& facts() const { return facts_; }
    [[nodiscard]] std::size_t size() const { return calls_.size(); }

private:
    PolicyChoice policy_;
    PolicyFacts facts_{};
    Nanoseconds origin_{0};
    NaivePolicyPtr naive_{};
    std::vector<Call> calls_{};
    CallCounts seen_{};
};

}  // namespace fusebox::test
