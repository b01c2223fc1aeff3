// SPDX-License-Identifier: MIT
// How several policies become one: what they answer together, need together and say together.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

/// Which of the parts must agree.
enum class Combination : std::uint8_t { Any, All };

/// "any of" or "all of".
[[nodiscard]] constexpr std::string_view toString(Combination how) noexcept {
    return how == Combination::Any ? "any of" : "all of";
}

/// Any: what one part says is enough. All: every condition holds, and the record trips one of them.
[[nodiscard]] constexpr Verdict combine(Combination how, Verdict a, Verdict b) noexcept {
    const bool trips = a.trips || b.trips;
    if (how == Combination::Any) return {trips, a.holds || b.holds};
    const bool holds = a.holds && b.holds;
    return {trips && holds, holds};
}

/// The verdict of no parts at all: combined with another it gives the other, and it never trips.
[[nodiscard]] constexpr Verdict noVerdict(Combination how) noexcept {
    return {false, how == Combination::All};
}

/// Calls `fn` with each part, in order.
template <class Fn, class... Parts>
constexpr void forEach(std::tuple<Parts...>& parts, const Fn& fn) {
    std::apply([&](Parts&... part) { (fn(part), ...); }, parts);
}
template <class Fn, class... Parts>
constexpr void forEach(const std::tuple<Parts...>& parts, const Fn& fn) {
    std::apply([&](const Parts&... part) { (fn(part), ...); }, parts);
}
template <class Fn, class Part>
constexpr void forEach(std::vector<Part>& parts, const Fn& fn) {
    for (Part& part : parts) fn(part);
}
template <class Fn, class Part>
constexpr void forEach(const std::vector<Part>& parts, const Fn& fn) {
    for (const Part& part : parts) fn(part);
}

/// Lets each part adopt its counterpart, in order; false unless all could.
template <class... Parts>
constexpr bool adoptEach(std::tuple<Parts...>& parts, const std::tuple<Parts...>& others) noexcept {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (adoptFrom(std::get<I>(parts), std::get<I>(others)) && ...);
    }
    (std::index_sequence_for<Parts...>{});
}
template <class Part>
constexpr bool adoptEach(std::vector<Part>& parts, const std::vector<Part>& others) noexcept {
    return std::equal(parts.begin(), parts.end(), others.begin(), others.end(),
                      [](Part& part, const Part& other) { return adoptFrom(part, other); });
}

/// Whatever one of the trackers needs; and the minimum and size of the first window, since its
/// counts are the ones shown.
template <class Trackers>
[[nodiscard]] TrackerNeeds combinedNeeds(const Trackers& trackers) noexcept {
    TrackerNeeds all{.time = false};
    bool shown = false;
    detail::forEach(trackers, [&](const auto& tracker) {
        const TrackerNeeds needs = needsOf(tracker);
        all.time |= needs.time;
        all.successes |= needs.successes;
        all.ticks |= needs.ticks;
        all.preciseTicks |= needs.preciseTicks;
        all.slowerThan = std::min(all.slowerThan, needs.slowerThan);
        if (shown || !countsOf(tracker, 0, std::chrono::nanoseconds{0})) return;
        shown = true;
        all.minimumCalls = needs.minimumCalls;
        all.windowSize = needs.windowSize;
    });
    return all;
}

/// "any of (5 failures in a row; failure rate of at least 50 % over ...)".
template <class Policies>
[[nodiscard]] std::string combinedWords(Combination how, const Policies& policies) {
    std::string words;
    detail::forEach(policies, [&](const auto& policy) {
        words.append(words.empty() ? "" : "; ").append(detail::describe(policy));
    });
    return std::string{toString(how)} + " (" + words + ")";
}

/// The first complaint of several policies.
template <class Policies>
[[nodiscard]] Complaint combinedComplaint(const Policies& policies) {
    Complaint first;
    detail::forEach(policies, [&](const auto& policy) {
        if (!first) first = complaintOf(policy);
    });
    return first;
}

}  // namespace fusebox::detail
