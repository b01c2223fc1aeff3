// SPDX-License-Identifier: MIT
// The registry of the process, from the first static initialiser to the last destructor.
#include <cstdlib>
#include <memory>
#include <string_view>

#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view kName = "process registry test";

/// Uses the registry when it is destroyed.
class UsesAtExit {
public:
    UsesAtExit() = default;
    UsesAtExit(const UsesAtExit&) = delete;
    UsesAtExit& operator=(const UsesAtExit&) = delete;
    ~UsesAtExit() {
        // Nobody is there any more to hear an assertion.
        const bool works = fusebox::withCircuitBreaker(kName, [] { return true; }) &&
                           fusebox::createCircuitBreaker("made at exit") != nullptr &&
                           !fusebox::circuitBreakerRegistry().getAllStats().empty();
        if (!works) std::abort();
    }
};

// Made before whatever the registry's first use makes, so destroyed after it.
const UsesAtExit last;
const int early = fusebox::withCircuitBreaker(kName, [] { return 42; });

}  // namespace

TEST_CASE("The registry of the process works in static initialisers and at exit") {
    CHECK(early == 42);
    REQUIRE(fusebox::circuitBreakerRegistry().get(kName) != nullptr);
    CHECK(fusebox::circuitBreakerRegistry().get(kName)->stats().totalSuccesses >= 1);
    CHECK(std::atexit([] { fusebox::withCircuitBreaker(kName, [] {}); }) == 0);
}

TEST_CASE("There is one registry of the process, and createCircuitBreaker uses it") {
    auto& registry = fusebox::circuitBreakerRegistry();
    CHECK(&registry == &fusebox::circuitBreakerRegistry());
    const auto breaker = fusebox::createCircuitBreaker("process: one");
    CHECK(registry.get("process: one") == breaker);
    // It is getOrCreate: a second one is the first.
    CHECK(fusebox::createCircuitBreaker("process: one") == breaker);
    CHECK(fusebox::createCircuitBreaker("process: one", {}) == breaker);
    CHECK(fusebox::createCircuitBreaker("process: one", fusebox::Cusum{}) == breaker);
    CHECK(fusebox::createCircuitBreaker("process: one", fusebox::Cusum{}, {}) == breaker);
    registry.remove("process: one");
}
