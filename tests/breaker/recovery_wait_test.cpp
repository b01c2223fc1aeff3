// SPDX-License-Identifier: MIT
// How long an open breaker waits: the wait itself, backoff, its bound, and jitter.
#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;
using std::chrono::nanoseconds;

namespace {

/// The waits of an opening and of `reopenings` reopenings after it.
std::vector<nanoseconds> waits(const CircuitBreakerOptions& options, int reopenings) {
    Rig rig{options};
    rig.trip();
    std::vector<nanoseconds> all{rig.breaker.retryAfter().value()};
    for (int i = 0; i < reopenings; ++i) {
        rig.wait();
        rig.fail();
        all.push_back(rig.breaker.retryAfter().value());
    }
    return all;
}
using Waits = std::vector<nanoseconds>;

/// The first waits of many openings with this jitter.
std::vector<nanoseconds> jittered(double jitter, int openings) {
    Rig rig{{.recoveryTimeout = 10s, .recoveryJitter = jitter}, ConsecutiveFailures{1}};
    std::vector<nanoseconds> all;
    for (int i = 0; i < openings; ++i) {
        rig.fail();
        all.push_back(rig.breaker.retryAfter().value());
        rig.breaker.close();
    }
    return all;
}

}  // namespace

TEST_CASE("retryAfter is the rest of the wait, and empty unless the state is Open") {
    Rig rig{{.recoveryTimeout = 10s}};
    CHECK_FALSE(rig.breaker.retryAfter());
    rig.trip();
    CHECK(rig.breaker.retryAfter() == 10s);
    CHECK(rig.stats().retryAfter == 10s);
    rig.clock.advance(10s - 1ns);
    CHECK(rig.breaker.retryAfter() == 1ns);
    CHECK(rig.stats().retryAfter == 1ns);
    rig.clock.advance(1ns);
    CHECK_FALSE(rig.breaker.retryAfter());
    CHECK_FALSE(rig.stats().retryAfter);
}

TEST_CASE("The wait runs from the opening, not from later failures") {
    Rig rig{{.recoveryTimeout = 10s}, ConsecutiveFailures{1}};
    auto overhanging = rig.begin(3);
    rig.fail();
    for (auto& call : overhanging) {
        rig.clock.advance(3s);
        CHECK(call.failure() == ReportResult::Stale);
    }
    CHECK(rig.breaker.retryAfter() == 1s);
}

TEST_CASE("Without backoff every wait is the same") {
    CHECK(waits({.recoveryTimeout = 10s}, 4) == Waits(5, 10s));
}

TEST_CASE("Backoff multiplies the wait for each reopening, up to its bound") {
    CHECK(waits({.recoveryTimeout = 10s, .recoveryBackoff = 2.0, .maxRecoveryTimeout = 75s}, 5) ==
          Waits{10s, 20s, 40s, 75s, 75s, 75s});
    CHECK(waits({.recoveryTimeout = 4s, .recoveryBackoff = 1.5}, 3) == Waits{4s, 6s, 9s, 13500ms});
}

TEST_CASE("Unset, the bound of the backoff is the larger of 10 min and recoveryTimeout") {
    CHECK(waits({.recoveryTimeout = 4min, .recoveryBackoff = 2.0}, 3) ==
          Waits{4min, 8min, 10min, 10min});
    CHECK(waits({.recoveryTimeout = 1h, .recoveryBackoff = 2.0}, 2) == Waits{1h, 1h, 1h});
}

TEST_CASE("A close resets the backoff, a mode or a success of a probe does not") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0}};
    rig.trip();
    rig.wait();
    rig.succeed();
    rig.fail();
    CHECK(rig.breaker.retryAfter() == 20s);
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.wait();
    rig.fail();
    CHECK(rig.breaker.retryAfter() == 40s);
    rig.wait();
    rig.recover();
    rig.trip();
    CHECK(rig.breaker.retryAfter() == 10s);
}

TEST_CASE("A close or reset by hand resets the backoff, too") {
    for (const bool byReset : {false, true}) {
        Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0}};
        rig.reachHalfOpen();
        rig.fail();
        CHECK(rig.breaker.retryAfter() == 20s);
        byReset ? rig.breaker.reset() : rig.breaker.close();
        rig.trip();
        CHECK(rig.breaker.retryAfter() == 10s);
        rig.wait();
        rig.fail();
        CHECK(rig.breaker.retryAfter() == 20s);
    }
}

TEST_CASE("open(wait) waits so long this once") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0, .recoveryJitter = 0.9}};
    rig.breaker.open(3h);
    CHECK(rig.breaker.retryAfter() == 3h);  // neither bounded nor jittered
    CHECK(rig.stats().lastTrip->wait == 3h);
    rig.breaker.close();
    rig.breaker.open();
    CHECK(rig.breaker.retryAfter() <= 10s);
}

TEST_CASE("Reopenings after open(wait) wait as usual") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0}};
    rig.breaker.open(1s);
    rig.wait();
    rig.fail();
    CHECK(rig.breaker.retryAfter() == 20s);
}

TEST_CASE("Jitter draws the wait evenly between wait x (1 - jitter) and wait") {
    const auto all = jittered(0.4, 4000);
    const auto [least, most] = std::minmax_element(all.begin(), all.end());
    CHECK(*least >= 6s);
    CHECK(*most <= 10s);
    // Uniformly: 4000 draws come near both ends, and lie on both sides of the middle alike.
    CHECK(*least < 6s + 40ms);
    CHECK(*most > 10s - 40ms);
    const auto below = std::count_if(all.begin(), all.end(), [](auto w) { return w < 8s; });
    CHECK(below > 1800);
    CHECK(below < 2200);
    CHECK(std::set<nanoseconds>(all.begin(), all.end()).size() > 3990);
}

TEST_CASE("Full jitter may wait for almost nothing, and never for longer") {
    const auto all = jittered(1.0, 1000);
    CHECK(*std::min_element(all.begin(), all.end()) < 100ms);
    CHECK(*std::max_element(all.begin(), all.end()) <= 10s);
}

TEST_CASE("Two breakers with jitter do not wait in step") {
    CHECK(jittered(0.5, 20) != jittered(0.5, 20));
}

TEST_CASE("The wait that was drawn is the wait that is kept") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryJitter = 0.5, .probeTimeout = 5s}};
    rig.trip();
    const nanoseconds drawn = rig.breaker.retryAfter().value();
    CHECK(rig.stats().lastTrip->wait == drawn);
    CHECK(rig.breaker.retryAfter() == drawn);
    // Also for the reopening by a lost probe that nobody has met yet.
    rig.wait();
    const auto probe = rig.begin();
    rig.clock.advance(5s + 1ns);
    const nanoseconds next = rig.breaker.retryAfter().value();
    CHECK(rig.rejected().retryAfter == next);
    CHECK(rig.stats().lastTrip->wait == next + 1ns);
}

TEST_CASE("Jitter applies to the wait with its backoff") {
    for (int i = 0; i < 50; ++i) {
        const auto drawn =
            waits({.recoveryTimeout = 10s, .recoveryBackoff = 2.0, .recoveryJitter = 0.1}, 2);
        CHECK(drawn[0] >= 9s);
        CHECK(drawn[0] <= 10s);
        CHECK(drawn[1] >= 18s);
        CHECK(drawn[1] <= 20s);
        CHECK(drawn[2] >= 36s);
        CHECK(drawn[2] <= 40s);
    }
}
