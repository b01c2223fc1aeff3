// SPDX-License-Identifier: MIT
// Policies made of policies: any of them, or all of them.
#pragma once

#include <string>
#include <tuple>
#include <utility>

#include "fusebox/policy/detail/combination.hpp"
#include "fusebox/policy/detail/combined_tracker.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {
namespace detail {

/// A policy made of policies, by `anyOf` or `allOf`.
template <Combination How, class... Policies>
class CompositePolicy {
    static_assert(sizeof...(Policies) > 0, "anyOf(...) and allOf(...): give at least one policy");
    static_assert((TripPolicy<Policies> && ...),
                  "anyOf(...) and allOf(...): each part must model TripPolicy; "
                  "see docs/concepts/trip_policy.md");

public:
    CompositePolicy() = default;
    explicit CompositePolicy(std::tuple<Policies...> parts) : parts_(std::move(parts)) {}

    /// The policies it is made of, in the order in which they were given.
    [[nodiscard]] const std::tuple<Policies...>& parts() const noexcept { return parts_; }

    friend bool operator==(const CompositePolicy&, const CompositePolicy&) = default;

    friend std::string toString(const CompositePolicy& policy) {
        return combinedWords(How, policy.parts_);
    }

    friend Complaint validate(const CompositePolicy& policy) {
        return combinedComplaint(policy.parts_);
    }

    /// One tracker a part; a record is told to each.
    template <class Clock>
    class Tracker
        : public CombinedTracker<std::tuple<typename Policies::template Tracker<Clock>...>> {
    public:
        explicit Tracker(const CompositePolicy& policy)
            : Tracker::CombinedTracker(How, policy.parts()) {}
    };

private:
    std::tuple<Policies...> parts_;
};

}  // namespace detail

/// What `anyOf` makes.
template <class... Policies>
using AnyOf = detail::CompositePolicy<detail::Combination::Any, Policies...>;

/// What `allOf` makes.
template <class... Policies>
using AllOf = detail::CompositePolicy<detail::Combination::All, Policies...>;

// For qualified calls.
template <detail::Combination How, class... Policies>
[[nodiscard]] std::string toString(const detail::CompositePolicy<How, Policies...>& policy) {
    return detail::describe(policy);
}
template <detail::Combination How, class... Policies>
[[nodiscard]] Complaint validate(const detail::CompositePolicy<How, Policies...>& policy) {
    return detail::complaintOf(policy);
}

/// A policy that trips when any of `policies` does. Statistics show the counts of the first of them
/// that has a window.
template <class... Policies>
[[nodiscard]] AnyOf<Policies...> anyOf(Policies... policies) {
    return AnyOf<Policies...>{std::tuple<Policies...>{std::move(policies)...}};
}

/// A policy that trips when one of `policies` does while the conditions of all of them hold.
/// Statistics show the counts of the first of them that has a window.
template <class... Policies>
[[nodiscard]] AllOf<Policies...> allOf(Policies... policies) {
    return AllOf<Policies...>{std::tuple<Policies...>{std::move(policies)...}};
}

}  // namespace fusebox
