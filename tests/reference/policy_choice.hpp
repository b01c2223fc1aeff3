// SPDX-License-Identifier: MIT
// The policies that random breakers have, and what the contract says of each.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/policy/composite.hpp"
#include "policy/naive_policies.hpp"

namespace fusebox::test {

using AnyOfRowAndRate = AnyOf<ConsecutiveFailures, FailureRate>;
using AnyOfRates = AnyOf<FailureRate, SlowCallRate>;
using AllOfRates = AllOf<FailureRate, SlowCallRate>;
using AllOfCountAndRow = AllOf<FailureCount, ConsecutiveFailures>;
using AnyOfCusumAndBoth = AnyOf<Cusum, AllOf<SlowCallRate, FailureCount>>;

using PolicyChoice =
    std::variant<ConsecutiveFailures, FailureCount, FailureRate, SlowCallRate, Cusum,
                 AnyOfRowAndRate, AnyOfRates, AllOfRates, AllOfCountAndRow, AnyOfCusumAndBoth>;

/// Small enough that short sequences trip them; the simplest first, for shrinking.
[[nodiscard]] inline const std::array<PolicyChoice, 27>& policyChoices() {
    using namespace std::chrono_literals;
    static const std::array<PolicyChoice, 27> choices{
        ConsecutiveFailures{3},
        ConsecutiveFailures{1},
        ConsecutiveFailures{5},
        FailureCount{3, lastCalls(8)},
        FailureCount{2, lastCalls(5)},
        FailureCount{3, 10s},
        FailureCount{4, 5s},
        FailureRate{.threshold = 0.5, .minimumCalls = 4, .window = lastCalls(8)},
        FailureRate{.threshold = 0.4, .minimumCalls = 2, .window = lastCalls(5)},
        FailureRate{.threshold = 1.0, .minimumCalls = 1, .window = lastCalls(1)},
        FailureRate{.threshold = 0.5, .minimumCalls = 3, .window = 10s},
        FailureRate{.threshold = 0.75, .minimumCalls = 4, .window = 10s},
        FailureRate{.threshold = 0.3, .minimumCalls = 5, .window = 4s},
        SlowCallRate{.threshold = 0.5, .slowerThan = 2s, .minimumCalls = 3, .window = lastCalls(8)},
        SlowCallRate{.threshold = 0.4, .slowerThan = 2s, .minimumCalls = 2, .window = lastCalls(5)},
        SlowCallRate{.threshold = 0.5, .slowerThan = 5s, .minimumCalls = 2, .window = lastCalls(5)},
        SlowCallRate{.threshold = 0.5, .slowerThan = 2s, .minimumCalls = 3, .window = 30s},
        Cusum{0.05, 0.5, 100},
        Cusum{0.01, 0.3, 1e6},
        Cusum{0.1, 1.0, 50},
        anyOf(ConsecutiveFailures{4},
              FailureRate{.threshold = 0.6, .minimumCalls = 5, .window = lastCalls(10)}),
        anyOf(FailureRate{.threshold = 0.6, .minimumCalls = 4, .window = 10s},
              SlowCallRate{
                  .threshold = 0.5, .slowerThan = 2s, .minimumCalls = 3, .window = lastCalls(8)}),
        // As above, combined the other way.
        allOf(FailureRate{.threshold = 0.3, .minimumCalls = 3, .window = 10s},
              SlowCallRate{
                  .threshold = 0.3, .slowerThan = 2s, .minimumCalls = 3, .window = lastCalls(8)}),
        allOf(FailureRate{.threshold = 0.3, .minimumCalls = 3, .window = lastCalls(8)},
              SlowCallRate{
                  .threshold = 0.3, .slowerThan = 2s, .minimumCalls = 3, .window = lastCalls(6)}),
        allOf(FailureCount{3, 30s}, ConsecutiveFailures{2}),
        allOf(FailureCount{3, lastCalls(8)}, ConsecutiveFailures{2}),
        anyOf(Cusum{0.01, 0.3, 1e6}, allOf(SlowCallRate{.threshold = 0.5,
                                                        .slowerThan = 5s,
                                                        .minimumCalls = 2,
                                                        .window = lastCalls(6)},
                                           FailureCount{2, 30s})),
    };
    return choices;
}

[[nodiscard]] inline NaivePolicyPtr naiveOf(const PolicyChoice& choice,
                                            std::chrono::nanoseconds origin) {
    return std::visit([&](const auto& policy) { return naive(policy, origin); }, choice);
}

/// What statistics and judging need to know of a policy.
struct PolicyFacts {
    std::chrono::nanoseconds slowerThan = kForever;  ///< The smallest.
    bool hasWindow = false;
    bool showsRates = true;
    std::uint64_t minimumCalls = 1;
    std::int64_t windowSize = -1;  ///< Of a window of calls.
};

[[nodiscard]] inline PolicyFacts factsOf(const ConsecutiveFailures&) {
    return {};
}
[[nodiscard]] inline PolicyFacts factsOf(const Cusum&) {
    return {};
}
[[nodiscard]] inline PolicyFacts windowFacts(const Window& window) {
    PolicyFacts facts;
    facts.hasWindow = true;
    if (!window.isTime()) facts.windowSize = window.calls();
    return facts;
}
[[nodiscard]] inline PolicyFacts factsOf(const FailureCount& policy) {
    PolicyFacts facts = windowFacts(policy.window);
    facts.showsRates = !policy.window.isTime();
    return facts;
}
[[nodiscard]] inline PolicyFacts factsOf(const FailureRate& policy) {
    PolicyFacts facts = windowFacts(policy.window);
    facts.minimumCalls = static_cast<std::uint64_t>(policy.minimumCalls);
    return facts;
}
[[nodiscard]] inline PolicyFacts factsOf(const SlowCallRate& policy) {
    PolicyFacts facts = windowFacts(policy.window);
    facts.minimumCalls = static_cast<std::uint64_t>(policy.minimumCalls);
    facts.slowerThan = policy.slowerThan;
    return facts;
}
/// A composite shows the window of its first part that has one.
template <detail::Combination How, class... Policies>
[[nodiscard]] PolicyFacts factsOf(const detail::CompositePolicy<How, Policies...>& policy) {
    PolicyFacts all;
    detail::forEach(policy.parts(), [&](const auto& part) {
        const PolicyFacts facts = factsOf(part);
        const auto slowerThan = std::min(all.slowerThan, facts.slowerThan);
        if (!all.hasWindow && facts.hasWindow) all = facts;
        all.slowerThan = slowerThan;
    });
    return all;
}
[[nodiscard]] inline PolicyFacts factsOf(const PolicyChoice& choice) {
    return std::visit([](const auto& policy) { return factsOf(policy); }, choice);
}

/// Whether a policy can go on with the window of another: `calls` were recorded in it. Undecided:
/// the documents promise only that the window is then exact or empty.
enum class Adoption { No, Undecided, Yes };

[[nodiscard]] inline Adoption yesIf(bool condition) {
    return condition ? Adoption::Yes : Adoption::No;
}
template <class From, class To>
[[nodiscard]] Adoption adoption(const From&, const To&, std::size_t) {
    return Adoption::No;
}
[[nodiscard]] inline Adoption adoption(const ConsecutiveFailures&, const ConsecutiveFailures&,
                                       std::size_t) {
    return Adoption::Yes;
}
[[nodiscard]] inline Adoption adoption(const Cusum& from, const Cusum& to, std::size_t) {
    return yesIf(from.acceptableFailureRate == to.acceptableFailureRate &&
                 from.unacceptableFailureRate == to.unacceptableFailureRate);
}
[[nodiscard]] inline Adoption adoption(const Window& from, const Window& to, std::size_t calls) {
    if (from.isTime() != to.isTime()) return Adoption::No;
    if (from.isTime()) return yesIf(from == to);
    const bool promised =
        to.calls() <= from.calls() || calls <= static_cast<std::size_t>(from.calls());
    return promised ? Adoption::Yes : Adoption::Undecided;
}
[[nodiscard]] inline Adoption adoption(const FailureCount& from, const FailureCount& to,
                                       std::size_t calls) {
    if (from == to) return Adoption::Yes;
    if (from.window.isTime() != to.window.isTime()) return Adoption::No;
    // The last `threshold` failures are all it remembers, and no call that was none.
    const bool longer = to.window.isTime() ? to.window.duration() > from.window.duration()
                                           : to.window.calls() > from.window.calls();
    if (longer || to.threshold > from.threshold) {
        return calls < static_cast<std::size_t>(from.threshold) && !longer ? Adoption::Yes
                                                                           : Adoption::Undecided;
    }
    return Adoption::Yes;
}
[[nodiscard]] inline Adoption adoption(const FailureRate& from, const FailureRate& to,
                                       std::size_t calls) {
    return adoption(from.window, to.window, calls);
}
[[nodiscard]] inline Adoption adoption(const SlowCallRate& from, const SlowCallRate& to,
                                       std::size_t calls) {
    if (from.slowerThan != to.slowerThan) return Adoption::No;
    return adoption(from.window, to.window, calls);
}
/// However they are combined.
template <detail::Combination From, detail::Combination To, class... Policies>
[[nodiscard]] Adoption adoption(const detail::CompositePolicy<From, Policies...>& from,
                                const detail::CompositePolicy<To, Policies...>& to,
                                std::size_t calls) {
    Adoption all = Adoption::Yes;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((all = std::min(all, adoption(std::get<I>(from.parts()), std::get<I>(to.parts()), calls))),
         ...);
    }
    (std::index_sequence_for<Policies...>{});
    return all;
}
[[nodiscard]] inline Adoption adoption(const PolicyChoice& from, const PolicyChoice& to,
                                       std::size_t calls) {
    return std::visit([&](const auto& a, const auto& b) { return adoption(a, b, calls); }, from,
                      to);
}

}  // namespace fusebox::test
