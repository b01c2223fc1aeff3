// SPDX-License-Identifier: MIT
#include "fusebox/window/outcome_latencies.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "fusebox/vocabulary/platform.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::LatencyDistribution;
using fusebox::StdPlatform;
using fusebox::detail::CountedBefore;
using fusebox::detail::distributionOf;
using fusebox::detail::OutcomeLatencies;
using fusebox::detail::SharedLatencies;
using std::chrono::nanoseconds;

namespace {

/// So many calls at most as long as each bound, that many in all.
LatencyDistribution distribution(std::uint64_t most, nanoseconds sum) {
    LatencyDistribution result;
    for (std::size_t i = 0; i < LatencyDistribution::kBounds; ++i) {
        result.atMost[i] = most - (LatencyDistribution::kBounds - 1 - i);
    }
    result.calls = most;
    result.sum = sum;
    return result;
}

LatencyDistribution difference(const LatencyDistribution& now, const LatencyDistribution& before) {
    CountedBefore<StdPlatform> counted;
    counted.note(before);
    return counted.takenOff(now);
}

}  // namespace

TEST_CASE("A distribution counts each call at every bound that it does not exceed") {
    SharedLatencies<StdPlatform> latencies;
    const nanoseconds first = LatencyDistribution::bound(0);
    const nanoseconds last = LatencyDistribution::bound(LatencyDistribution::kBounds - 1);
    for (const nanoseconds elapsed :
         {nanoseconds{0}, nanoseconds{1}, first, first + 1ns, last, last + 1ns}) {
        latencies.record(elapsed);
    }
    const LatencyDistribution result = distributionOf(latencies.counts(), latencies.sum());
    CHECK(result.atMost.front() == 3);
    CHECK(result.atMost[1] == 4);
    CHECK(result.atMost[LatencyDistribution::kBounds - 2] == 4);
    CHECK(result.atMost.back() == 5);
    CHECK(result.calls == 6);
    CHECK(result.sum == 2 * first + 2 * last + 3ns);
    CHECK(result.max == last + 1ns);
}

TEST_CASE("Latencies of which nobody told are not known") {
    CHECK_FALSE(fusebox::LatenciesByOutcome{}.known);
}

TEST_CASE("What was counted before is taken off, at every bound") {
    const LatencyDistribution now = distribution(1000, 70s);
    const LatencyDistribution before = distribution(400, 30s);
    const LatencyDistribution left = difference(now, before);
    for (const std::uint64_t count : left.atMost) CHECK(count == 600);
    CHECK(left.calls == 600);
    CHECK(left.sum == 40s);
    CHECK(difference(now, {}) == now);
    CHECK(CountedBefore<StdPlatform>{}.takenOff(now) == now);
}

TEST_CASE("Where more was counted before than there is now, nothing is left") {
    const LatencyDistribution nothing = difference(distribution(400, 30s), distribution(1000, 70s));
    CHECK(nothing == LatencyDistribution{});
}

TEST_CASE("Latencies that were cleared begin anew, and nothing is taken off them any more") {
    OutcomeLatencies<StdPlatform> latencies;
    const LatencyDistribution before = distribution(400, 30s);
    latencies.failures.record(1ms);
    latencies.ignored.record(2ms);
    latencies.before.note(before);
    latencies.clear();
    for (const auto* kind : {&latencies.failures, &latencies.ignored}) {
        CHECK(distributionOf(kind->counts(), kind->sum()) == LatencyDistribution{});
    }
    CHECK(latencies.before.takenOff(before) == before);
}
