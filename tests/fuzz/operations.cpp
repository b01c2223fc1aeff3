// SPDX-License-Identifier: MIT
// A breaker and what is done with it, beside the reference model.
//
// The first 40 bytes choose the breaker and two other sets of rules, as in tests/reference; then
// come policies of the input's own, where the first byte asks for them; each four bytes that follow
// are an operation.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "fusebox/policy/any_trip_policy.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/targets.hpp"
#include "reference/operation.hpp"
#include "reference/walk.hpp"

namespace fusebox::test {
namespace {

/// Short stories are found, and told, sooner.
constexpr std::size_t kMostOperations = 400;

Window windowIn(Bytes& bytes) {
    if (bytes.chance()) return lastCalls(1 + bytes.byte() % 80);
    return std::chrono::nanoseconds{1 + bytes.number(5) % 200'000'000'000};
}
double rateIn(Bytes& bytes) {
    return (1.0 + bytes.byte()) / 256.0;
}

/// A policy that works, of any values: those of the reference are 26.
PolicyChoice policyIn(Bytes& bytes) {
    FailureRate rate;
    SlowCallRate slow;
    switch (bytes.byte() % 8) {
        case 0: return ConsecutiveFailures{1 + bytes.byte() % 40};
        case 1: {
            const Window window = windowIn(bytes);
            return FailureCount{1 + bytes.byte() % (window.isTime() ? 40 : window.calls()), window};
        }
        case 2: {
            const double acceptable = rateIn(bytes) * 0.9;
            const double unacceptable = acceptable + (1.0 - acceptable) * rateIn(bytes);
            const auto calls = static_cast<double>(bytes.number(3) + 2) / unacceptable;
            return Cusum{acceptable, unacceptable, calls};
        }
        default: break;
    }
    rate.threshold = rateIn(bytes);
    rate.window = windowIn(bytes);
    const int most = rate.window.isTime() ? 50 : rate.window.calls();
    rate.minimumCalls = 1 + bytes.byte() % most;
    if (bytes.chance()) return rate;
    slow.threshold = rateIn(bytes);
    slow.slowerThan = std::chrono::nanoseconds{1 + bytes.number(5) % 20'000'000'000};
    slow.window = windowIn(bytes);
    slow.minimumCalls = 1 + bytes.byte() % (slow.window.isTime() ? 50 : slow.window.calls());
    switch (bytes.byte() % 4) {
        case 0: return slow;
        case 1: return anyOf(rate, slow);
        case 2: return allOf(rate, slow);
        default: return anyOf(ConsecutiveFailures{1 + bytes.byte() % 40}, rate);
    }
}

}  // namespace

void fuzzOperations(Input input) {
    Bytes bytes{input};
    Setup setup;
    const std::uint8_t flags = bytes.byte();
    setup.callbacks = flags % 2 == 1;
    setup.coarse = flags / 2 % 4 == 3;
    for (RulesChoice& rules : setup.rules) {
        for (std::uint8_t& choice : rules.choice) choice = bytes.byte();
    }
    if (flags / 8 % 2 == 1) {
        for (auto& policy : setup.policies) policy = policyIn(bytes);
    }
    Walk<AnyTripPolicy> walk{setup};
    std::vector<Operation> operations;
    while (operations.size() < kMostOperations && !bytes.empty() && walk.difference().empty()) {
        Operation& operation = operations.emplace_back();
        operation.kind = kindOf(bytes.byte());
        operation.a = bytes.byte();
        operation.b = bytes.byte();
        operation.c = bytes.byte();
        walk.step(operation);
    }
    if (!walk.difference().empty()) {
        std::ostringstream story;
        story << setup;
        for (const Operation& operation : operations) story << "\n  " << operation;
        story << '\n' << walk.difference();
        fail("the breaker and its model differ", std::move(story).str());
    }
    demandInvariants(walk.breaker().stats());
}

}  // namespace fusebox::test
