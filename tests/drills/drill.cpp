// SPDX-License-Identifier: MIT
#include "drills/drill.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "drills/callers.hpp"
#include "drills/fault_proxy.hpp"

namespace fusebox::test {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Answers before the fault begins: as many as fill the windows.
constexpr int kWarmUp = 24;

/// Until it holds, or for so long that it never will.
template <class Condition>
bool await(Condition condition) {
    const auto limit = Clock::now() + 20s;
    while (!condition()) {
        if (Clock::now() > limit) return false;
        std::this_thread::sleep_for(3ms);
    }
    return true;
}

int reachedOf(const flaky::ServerProcess& server) {
    const auto reached = server.requestsReached();
    return std::accumulate(reached.begin(), reached.end(), 0);
}

class Drill {
public:
    Drill(const Outage& outage, int serverPort, std::uint32_t seed)
        : outage_(outage),
          proxy_(serverPort, seed),
          breaker_(outage.name, outage.policy, outage.options),
          witness_(breaker_) {
        // One after the other: a burst could overflow the backlog of 5 with which httplib listens.
        for (int i = 0; i < outage.threads; ++i) {
            const auto own = seed * 16 + static_cast<std::uint32_t>(i);
            callers_.push_back(std::make_unique<Caller>(proxy_.port(), breaker_, outage, own));
        }
    }

    void run(Evidence& evidence) {
        for (auto& caller : callers_) caller->start();
        await([&] { return sum(&Caller::answers) >= kWarmUp; });

        evidence.faultBegan = Clock::now();
        proxy_.play(outage_.script);
        std::this_thread::sleep_until(evidence.faultBegan + outage_.length);
        if (outage_.evidence > 0) await([&] { return !witness_.transitions().empty(); });
        evidence.healBegan = Clock::now();
        proxy_.heal();
        evidence.healed = Clock::now();

        const auto before = callsOfEach();
        await([&] { return breaker_.state() == CircuitState::Closed && haveCalledTwice(before); });
        for (auto& caller : callers_) caller->finish();
        for (auto& caller : callers_) {
            const auto& records = caller->records();
            evidence.calls.insert(evidence.calls.end(), records.begin(), records.end());
        }
        evidence.transitions = witness_.transitions();
        callers_.clear();
        await([&] { return proxy_.connections() == 0; });
        evidence.requests = proxy_.requests();
        std::erase_if(evidence.requests,
                      [](const SeenRequest& seen) { return !seen.line.starts_with("GET /work "); });
        evidence.stats = breaker_.stats();
    }

private:
    [[nodiscard]] int sum(int (Caller::*figure)() const) const {
        return std::accumulate(callers_.begin(), callers_.end(), 0,
                               [&](int sum, auto& caller) { return sum + (*caller.*figure)(); });
    }
    [[nodiscard]] std::vector<int> callsOfEach() const {
        std::vector<int> calls;
        for (const auto& caller : callers_) calls.push_back(caller->calls());
        return calls;
    }
    /// So that the first of these calls, at least, met no fault, and what did has ended.
    [[nodiscard]] bool haveCalledTwice(const std::vector<int>& before) const {
        return std::ranges::equal(callsOfEach(), before,
                                  [](int now, int then) { return now >= then + 2; });
    }

    const Outage& outage_;
    FaultProxy proxy_;
    NamedCircuitBreaker breaker_;
    Witness witness_;
    std::vector<std::unique_ptr<Caller>> callers_;  // Last: they call the others.
};

}  // namespace

Evidence goThrough(const Outage& outage, const flaky::ServerProcess& server, const LagMeter& lags,
                   std::uint32_t seed) {
    Evidence evidence;
    const auto began = Clock::now();
    const int before = reachedOf(server);
    Drill{outage, server.port(), seed}.run(evidence);
    const auto forwarded = std::ranges::count_if(evidence.requests, &SeenRequest::forwarded);
    // The server may be about to count what was given up by its client.
    await([&] { return reachedOf(server) - before >= forwarded; });
    evidence.serverReached = static_cast<std::uint64_t>(reachedOf(server) - before);
    evidence.worstLag = lags.worstSince(began);
    return evidence;
}

}  // namespace fusebox::test
