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

/// Uses the registry before main and after it.
class Static {
public:
    Static() : answer_(fusebox::withCircuitBreaker(kName, [] { return 42; })) {}
    Static(const Static&) = delete;
    Static& operator=(const Static&) = delete;
    ~Static() {
        // Nobody is there any more to hear an assertion.
        const bool works = fusebox::withCircuitBreaker(kName, [] { return true; }) &&
                           fusebox::createCircuitBreaker("made at exit") != nullptr &&
                           !fusebox::circuitBreakerRegistry().getAllStats().empty();
        if (!works) std::abort();
    }

    [[nodiscard]] int answer() const noexcept { return answer_; }

private:
    int answer_;
};

const Static early;

}  // namespace

TEST_CASE("The registry of the process works in static initialisers and at exit") {
    CHECK(early.answer() == 42);
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
