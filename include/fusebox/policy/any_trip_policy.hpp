// SPDX-License-Identifier: MIT
// A policy that is chosen at run time.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "fusebox/policy/composite.hpp"
#include "fusebox/policy/consecutive_failures.hpp"
#include "fusebox/policy/cusum.hpp"
#include "fusebox/policy/detail/combination.hpp"
#include "fusebox/policy/detail/combined_tracker.hpp"
#include "fusebox/policy/failure_count.hpp"
#include "fusebox/policy/failure_rate.hpp"
#include "fusebox/policy/slow_call_rate.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

class AnyTripPolicy;

namespace detail {

template <class P>
concept SimplePolicy = std::same_as<P, ConsecutiveFailures> || std::same_as<P, FailureCount> ||
    std::same_as<P, FailureRate> || std::same_as<P, SlowCallRate> || std::same_as<P, Cusum>;

template <class P>
inline constexpr bool kIsBuiltInPolicy = SimplePolicy<P> || std::same_as<P, AnyTripPolicy>;

template <Combination How, class... Policies>
inline constexpr bool kIsBuiltInPolicy<CompositePolicy<How, Policies...>> =
    (kIsBuiltInPolicy<Policies> && ...);

}  // namespace detail

/// A policy that `AnyTripPolicy` can hold: those of this library, `anyOf` and `allOf` of them, and
/// `AnyTripPolicy` itself.
template <class P>
concept BuiltInPolicy = detail::kIsBuiltInPolicy<std::remove_cvref_t<P>>;

/// One of the built-in policies, implicitly made from it: a regular value. Holds
/// `ConsecutiveFailures{5}` by default; allocates only for `anyOf` and `allOf`.
class AnyTripPolicy {
public:
    AnyTripPolicy() = default;

    template <detail::SimplePolicy P>
    AnyTripPolicy(const P& policy) : held_(policy) {}

    template <detail::Combination How, BuiltInPolicy... Policies>
    AnyTripPolicy(const detail::CompositePolicy<How, Policies...>& policy)
        : held_(std::apply(
              [](const Policies&... parts) {
                  return List{How, {AnyTripPolicy{parts}...}};
              },
              policy.parts())) {}

    /// As the function `anyOf`, of a list made at run time; validation refuses an empty one.
    [[nodiscard]] static AnyTripPolicy anyOf(std::vector<AnyTripPolicy> parts) {
        return AnyTripPolicy{List{detail::Combination::Any, std::move(parts)}};
    }

    /// As the function `allOf`, of a list made at run time; validation refuses an empty one.
    [[nodiscard]] static AnyTripPolicy allOf(std::vector<AnyTripPolicy> parts) {
        return AnyTripPolicy{List{detail::Combination::All, std::move(parts)}};
    }

    friend bool operator==(const AnyTripPolicy& a, const AnyTripPolicy& b) noexcept {
        return a.held_ == b.held_;
    }

    /// Whether `*this == AnyTripPolicy{policy}`, found out without the conversion's allocations.
    template <detail::SimplePolicy P>
    [[nodiscard]] bool isSameAs(const P& policy) const noexcept {
        const P* mine = std::get_if<P>(&held_);
        return mine && *mine == policy;
    }
    template <detail::Combination How, BuiltInPolicy... Policies>
    [[nodiscard]] bool isSameAs(
        const detail::CompositePolicy<How, Policies...>& policy) const noexcept {
        const List* mine = std::get_if<List>(&held_);
        if (!mine || mine->how != How || mine->parts.size() != sizeof...(Policies)) return false;
        auto next = mine->parts.begin();
        return std::apply(
            [&](const Policies&... parts) { return ((next++)->isSameAs(parts) && ...); },
            policy.parts());
    }
    [[nodiscard]] bool isSameAs(const AnyTripPolicy& policy) const noexcept {
        return *this == policy;
    }

    friend std::string toString(const AnyTripPolicy& policy) {
        return std::visit([](const auto& held) { return toString(held); }, policy.held_);
    }

    friend Complaint validate(const AnyTripPolicy& policy) {
        return std::visit([](const auto& held) { return validate(held); }, policy.held_);
    }

    template <class Clock>
    class Tracker;

private:
    /// What `anyOf` or `allOf` made.
    struct List {
        detail::Combination how;
        std::vector<AnyTripPolicy> parts;

        friend bool operator==(const List& a, const List& b) noexcept {
            return a.how == b.how && a.parts == b.parts;
        }

        friend std::string toString(const List& list) {
            return detail::combinedWords(list.how, list.parts);
        }

        friend Complaint validate(const List& list) {
            if (!list.parts.empty()) return detail::combinedComplaint(list.parts);
            return detail::complain(toString(list), "an empty list", "at least one policy");
        }
    };

    explicit AnyTripPolicy(List list) : held_(std::move(list)) {}

    std::variant<ConsecutiveFailures, FailureCount, FailureRate, SlowCallRate, Cusum, List> held_;
};

// For qualified calls.
std::string toString(const AnyTripPolicy& policy);
Complaint validate(const AnyTripPolicy& policy);

/// The tracker of the policy held, one indirect jump away. Allocates at construction only.
template <class Clock>
class AnyTripPolicy::Tracker {
public:
    explicit Tracker(const AnyTripPolicy& policy)
        : held_(std::visit([](const auto& held) { return trackerOf(held); }, policy.held_)) {}

    [[nodiscard]] TrackerNeeds needs() const noexcept {
        return std::visit([](const auto& held) { return detail::needsOf(held); }, held_);
    }

    void enter(std::chrono::nanoseconds now) noexcept {
        std::visit([&](auto& held) { held.enter(now); }, held_);
    }

    /// That of a policy of the same kind, where that one can.
    bool adopt(const Tracker& other) noexcept {
        return std::visit(
            [&](auto& held) {
                const auto* same =
                    std::get_if<std::remove_reference_t<decltype(held)>>(&other.held_);
                return same && detail::adoptFrom(held, *same);
            },
            held_);
    }

    Verdict record(const CallRecord& record) noexcept {
        return std::visit([&](auto& held) { return held.record(record); }, held_);
    }

    /// Empty if the policy has no window.
    [[nodiscard]] std::optional<CallCounts> counts(std::uint64_t position,
                                                   std::chrono::nanoseconds now) const noexcept {
        return std::visit([&](const auto& held) { return detail::countsOf(held, position, now); },
                          held_);
    }

    /// Empty if the policy keeps none.
    [[nodiscard]] std::optional<double> score(std::uint64_t position) const noexcept {
        return std::visit([&](const auto& held) { return detail::scoreOf(held, position); }, held_);
    }

    void tick(std::uint64_t position, std::chrono::nanoseconds now) noexcept {
        std::visit([&](auto& held) { detail::tickOf(held, position, now); }, held_);
    }

    [[nodiscard]] std::chrono::nanoseconds nextTick() const noexcept {
        return std::visit([](const auto& held) { return detail::nextTickOf(held); }, held_);
    }

private:
    /// Records apart: lists of lists would be unrolled into the record of every policy.
    class ListTracker : public detail::CombinedTracker<std::vector<Tracker>> {
    public:
        using ListTracker::CombinedTracker::CombinedTracker;

        FUSEBOX_APART Verdict record(const CallRecord& record) noexcept {
            return ListTracker::CombinedTracker::record(record);
        }
    };
    using Held = std::variant<ConsecutiveFailures::Tracker<Clock>, FailureCount::Tracker<Clock>,
                              FailureRate::Tracker<Clock>, SlowCallRate::Tracker<Clock>,
                              Cusum::Tracker<Clock>, ListTracker>;

    template <class P>
    [[nodiscard]] static Held trackerOf(const P& policy) {
        return Held{std::in_place_type<typename P::template Tracker<Clock>>, policy};
    }
    [[nodiscard]] static Held trackerOf(const List& list) {
        return Held{std::in_place_type<ListTracker>, list.how, list.parts};
    }

    Held held_;
};

}  // namespace fusebox
