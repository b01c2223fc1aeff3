// SPDX-License-Identifier: MIT
#include "fusebox/breaker/closed_ledger.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace fusebox;

namespace {

/// A tracker without a window.
struct Watcher {
    std::uint64_t position = 0;

    void enter(std::chrono::nanoseconds) noexcept { position = 0; }
    Verdict record(const CallRecord& call) noexcept {
        position = call.position;
        return call.failed;
    }
};

bool failed(const PastCall& call) {
    return call.outcome != Outcome::Success;
}

template <class Predicate>
std::uint64_t countOf(const std::vector<PastCall>& calls, Predicate&& predicate) {
    return static_cast<std::uint64_t>(std::count_if(calls.begin(), calls.end(), predicate));
}

/// How many calls at the end are alike in whether they failed.
std::uint64_t rowOf(bool failures, const std::vector<PastCall>& calls) {
    const auto end = std::find_if(calls.rbegin(), calls.rend(),
                                  [&](const PastCall& call) { return failed(call) != failures; });
    return static_cast<std::uint64_t>(end - calls.rbegin());
}

}  // namespace

TEST_CASE("The books of a closed period are those of a list of its calls") {
    using detail::PastCalls;
    std::mt19937_64 random{12};
    auto made = std::make_unique<Watcher>();
    const Watcher& told = *made;
    detail::ClosedLedger<Watcher> ledger{std::move(made)};
    std::uint64_t sum = 0;
    std::vector<PastCall> calls;
    for (int i = 0; i < 3000; ++i) {
        if (random() % 60 == 0) {
            ledger.enter(sum, {});
            calls.clear();
        } else if (random() % 2 == 0) {
            const std::uint64_t successes = random() % 5;
            sum += successes;
            calls.resize(calls.size() + successes);
        } else {
            const PastCall call{static_cast<Outcome>(random() % 3), random() % 2 == 0};
            calls.push_back(call);
            const Verdict verdict =
                ledger.record(sum, {.failed = failed(call), .slow = call.slow}, call.outcome);
            REQUIRE(verdict.trips == failed(call));
            REQUIRE(told.position == calls.size());
            REQUIRE(ledger.lastSum() == sum);
        }
        const CallCounts counts = ledger.counts(sum, {});
        REQUIRE(ledger.position(sum) == calls.size());
        REQUIRE(counts.calls == calls.size());
        REQUIRE(counts.failures == countOf(calls, failed));
        REQUIRE(counts.slow == countOf(calls, [](const PastCall& call) { return call.slow; }));
        REQUIRE(ledger.consecutiveFailures(sum) == rowOf(true, calls));
        REQUIRE(ledger.consecutiveSuccesses(sum) == rowOf(false, calls));
        const std::size_t kept = std::min(calls.size(), PastCalls::kMost);
        REQUIRE(
            ledger.pastCalls(sum).list() ==
            std::vector<PastCall>(calls.end() - static_cast<std::ptrdiff_t>(kept), calls.end()));
    }
}
