// SPDX-License-Identifier: MIT
#include "fusebox/registry/with_circuit_breaker.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::fallback;
using fusebox::withCircuitBreaker;

namespace {

/// What section 1 of the contract calls: a client, an order, an agent.
struct Client {
    std::string charge(int order) { return "charged " + std::to_string(order); }
    std::string listings(int agent) { return "listings of " + std::to_string(agent); }
};

std::string fetch() {
    return "fetched";
}
std::string failToFetch() {
    throw std::runtime_error{"down"};
}
std::string cached() {
    return "cached";
}

/// A name of the process registry that is gone after the test.
class Name {
public:
    explicit Name(std::string name) : name_(std::move(name)) {}
    Name(const Name&) = delete;
    Name& operator=(const Name&) = delete;
    ~Name() { fusebox::circuitBreakerRegistry().remove(name_); }

    operator std::string_view() const noexcept { return name_; }
    [[nodiscard]] std::shared_ptr<fusebox::NamedCircuitBreaker> breaker() const {
        return fusebox::circuitBreakerRegistry().get(name_);
    }

private:
    std::string name_;
};

}  // namespace

TEST_CASE("The shortest use: a breaker by name, made on first use with the defaults") {
    const Name name{"payments-api"};
    Client client;
    const int order = 7;
    auto body = fusebox::withCircuitBreaker("payments-api", [&] { return client.charge(order); });
    CHECK(body == "charged 7");
    CHECK(name.breaker()->stats().totalSuccesses == 1);
    CHECK(name.breaker()->policy() == fusebox::AnyTripPolicy{fusebox::ConsecutiveFailures{5}});
    CHECK(equivalent(name.breaker()->options(), {}));
}

TEST_CASE("The shortest use: with a policy and options, of which the first wins") {
    const Name name{"listings-api"};
    Client client;
    const int agent = 3;
    const auto call = [&] {
        // clang-format off
auto body = fusebox::withCircuitBreaker("listings-api", [&] { return client.listings(agent); },
    fusebox::FailureRate{.threshold = 0.5, .minimumCalls = 10, .window = fusebox::lastCalls(100)},
    {.recoveryTimeout = 30s, .successThreshold = 2, .requestTimeout = 10s});
        // clang-format on
        return body;
    };
    CHECK(call() == "listings of 3");
    CHECK(call() == "listings of 3");
    const auto breaker = name.breaker();
    CHECK(breaker->policy() == fusebox::AnyTripPolicy{fusebox::FailureRate{}});
    CHECK(breaker->options().recoveryTimeout == 30s);
    CHECK(breaker->options().requestTimeout == 10s);
    CHECK(breaker->stats().totalCalls == 2);

    fusebox::withCircuitBreaker(
        "listings-api", [] {}, fusebox::ConsecutiveFailures{1});
    CHECK(breaker->policy() == fusebox::AnyTripPolicy{fusebox::FailureRate{}});
    CHECK(breaker->stats().totalCalls == 3);
}

TEST_CASE("The shortest use: a fallback answers rejections and failures") {
    const Name name{"weather-api"};
    auto body = fusebox::withCircuitBreaker("weather-api", fetch,
                                            fusebox::fallback([] { return cached(); }));
    CHECK(body == "fetched");
    CHECK(fusebox::withCircuitBreaker("weather-api", failToFetch, fusebox::fallback(cached)) ==
          "cached");
    name.breaker()->open();
    CHECK(fusebox::withCircuitBreaker("weather-api", fetch, fusebox::fallback(cached)) == "cached");
    CHECK(name.breaker()->stats().totalRejected == 1);
    CHECK(name.breaker()->stats().totalFailures == 1);
}

TEST_CASE("The shortest use: a handle") {
    const Name name{"orders-db"};
    auto breaker = fusebox::createCircuitBreaker("orders-db", fusebox::ConsecutiveFailures{3},
                                                 {.recoveryTimeout = 30s});
    CHECK(breaker->execute(fetch) == "fetched");
    CHECK(breaker->state() == CircuitState::Closed);
    CHECK(breaker->stats().totalCalls == 1);
    breaker->open();
    CHECK(breaker->isOpen());
    breaker->reset();
    CHECK(breaker->stats().totalCalls == 0);
}

TEST_CASE("The shortest use: a breaker of one's own") {
    fusebox::CircuitBreaker local{
        "cache", fusebox::FailureRate{.threshold = 0.3, .window = 60s}, {.recoveryTimeout = 5s}};
    CHECK(local.execute(fetch) == "fetched");
    CHECK(fusebox::circuitBreakerRegistry().get("cache") == nullptr);
    static_assert(
        std::is_same_v<decltype(local), fusebox::SteadyCircuitBreaker<fusebox::FailureRate>>);
}

TEST_CASE("withCircuitBreaker by name, in all its forms") {
    using fusebox::ConsecutiveFailures;
    const Name name{"forms"};
    const fusebox::CircuitBreakerOptions options{.recoveryTimeout = 2s};
    const auto three = [] { return 3; };
    const auto four = fallback([] { return 4; });
    CHECK(withCircuitBreaker(name, three) == 3);
    CHECK(withCircuitBreaker(name, three, four) == 3);
    CHECK(withCircuitBreaker(name, three, options) == 3);
    CHECK(withCircuitBreaker(name, three, options, four) == 3);
    CHECK(withCircuitBreaker(name, three, {.recoveryTimeout = 2s}) == 3);
    CHECK(withCircuitBreaker(name, three, {.recoveryTimeout = 2s}, four) == 3);
    CHECK(withCircuitBreaker(name, three, ConsecutiveFailures{2}) == 3);
    CHECK(withCircuitBreaker(name, three, ConsecutiveFailures{2}, four) == 3);
    CHECK(withCircuitBreaker(name, three, ConsecutiveFailures{2}, options) == 3);
    CHECK(withCircuitBreaker(name, three, ConsecutiveFailures{2}, options, four) == 3);
    CHECK(withCircuitBreaker(name, three, ConsecutiveFailures{2}, {.recoveryTimeout = 2s}, four) ==
          3);
    CHECK(withCircuitBreaker(std::string{"forms"}, three) == 3);
    CHECK(name.breaker()->stats().totalSuccesses == 12);
}

TEST_CASE("withCircuitBreaker in a registry, in all its forms") {
    using fusebox::ConsecutiveFailures;
    fusebox::CircuitBreakerRegistry registry;
    const auto three = [] { return 3; };
    const auto four = fallback([] { return 4; });
    CHECK(withCircuitBreaker(registry, "a", three) == 3);
    CHECK(withCircuitBreaker(registry, "a", three, four) == 3);
    CHECK(withCircuitBreaker(registry, "b", three, {.recoveryTimeout = 2s}) == 3);
    CHECK(withCircuitBreaker(registry, "b", three, {.recoveryTimeout = 2s}, four) == 3);
    CHECK(withCircuitBreaker(registry, "c", three, ConsecutiveFailures{2}) == 3);
    CHECK(withCircuitBreaker(registry, "c", three, ConsecutiveFailures{2}, four) == 3);
    CHECK(withCircuitBreaker(registry, "d", three, ConsecutiveFailures{2},
                             {.recoveryTimeout = 2s}) == 3);
    CHECK(withCircuitBreaker(registry, "d", three, ConsecutiveFailures{2}, {.recoveryTimeout = 2s},
                             four) == 3);
    CHECK(registry.getAll().size() == 4);
    CHECK(registry.get("b")->options().recoveryTimeout == 2s);
    CHECK(registry.get("c")->policy() == fusebox::AnyTripPolicy{ConsecutiveFailures{2}});
    CHECK(registry.get("d")->stats().totalCalls == 2);
}

TEST_CASE("withCircuitBreaker with a breaker or a handle, of any clock and policy") {
    const auto three = [] { return 3; };
    const auto four = fallback([] { return 4; });
    fusebox::CircuitBreaker local{"local", fusebox::Cusum{}, {}, fusebox::test::ManualClock{}};
    CHECK(withCircuitBreaker(local, three) == 3);
    local.open();
    CHECK(withCircuitBreaker(local, three, four) == 4);
    CHECK_THROWS_AS(withCircuitBreaker(local, three), fusebox::CircuitOpenError);

    fusebox::CircuitBreakerRegistry registry;
    const auto handle = registry.create("handle");
    CHECK(withCircuitBreaker(handle, three) == 3);
    CHECK(withCircuitBreaker(registry.get("handle"), three, four) == 3);
    const auto manual = std::make_shared<decltype(local)>("manual");
    CHECK(withCircuitBreaker(manual, three) == 3);
}

TEST_CASE("withCircuitBreaker returns exactly what fn returns") {
    fusebox::CircuitBreakerRegistry registry;
    int variable = 1;
    static_assert(
        std::is_same_v<
            decltype(withCircuitBreaker(registry, "r", [&]() -> int& { return variable; })), int&>);
    withCircuitBreaker(registry, "r", [&]() -> int& { return variable; }) = 5;
    CHECK(variable == 5);
    static_assert(std::is_void_v<decltype(withCircuitBreaker(registry, "r", [] {}))>);
    auto moveOnly = withCircuitBreaker(
        registry, "r", [p = std::make_unique<int>(8)]() mutable { return std::move(p); });
    CHECK(*moveOnly == 8);
    CHECK(withCircuitBreaker(registry, "r", [](const fusebox::CallContext& context) {
        return context.remaining() > 0s;
    }));
    CHECK(withCircuitBreaker(
              registry, "r",
              fusebox::judgedBy([] { return 6; }, [](int) { return fusebox::Outcome::Ignored; })) ==
          6);
    CHECK(registry.get("r")->stats().totalIgnored == 1);
    CHECK_THROWS_WITH(withCircuitBreaker(registry, "r", failToFetch), "down");
}

TEST_CASE("A call by name opens its breaker and is rejected with its name") {
    fusebox::CircuitBreakerRegistry registry;
    const auto call = [&] {
        return withCircuitBreaker(registry, "sick", failToFetch, fusebox::ConsecutiveFailures{2});
    };
    CHECK_THROWS_AS(call(), std::runtime_error);
    CHECK_THROWS_AS(call(), std::runtime_error);
    try {
        call();
        FAIL("should have been rejected");
    } catch (const fusebox::CircuitOpenError& error) {
        registry.clear();  // the error owns its name
        CHECK(error.name() == "sick");
        CHECK(error.rejection().reason == fusebox::RejectionReason::Open);
    }
}

TEST_CASE("A call by an empty name is a ConfigError, and fn is not called") {
    bool called = false;
    CHECK_THROWS_AS(withCircuitBreaker("", [&] { called = true; }), fusebox::ConfigError);
    CHECK_FALSE(called);
}

TEST_CASE("A breaker that is removed while its call is in flight lives until that ends") {
    fusebox::CircuitBreakerRegistry registry;
    std::weak_ptr<fusebox::NamedCircuitBreaker> watched;
    const int result = withCircuitBreaker(registry, "leaving", [&] {
        watched = registry.get("leaving");
        CHECK(registry.remove("leaving"));
        CHECK_FALSE(watched.expired());
        // The name is free meanwhile.
        CHECK(withCircuitBreaker(registry, "leaving", [] { return 1; }) == 1);
        return 2;
    });
    CHECK(result == 2);
    // Freed then, or by the next registry operation.
    CHECK(registry.getAll().size() == 1);
    CHECK(watched.expired());
    CHECK(registry.get("leaving")->stats().totalCalls == 1);
}

TEST_CASE("A listener may remove its breaker's name during an event") {
    fusebox::CircuitBreakerRegistry registry;
    const auto fail = [&] {
        withCircuitBreaker(registry, "gone", failToFetch, fusebox::ConsecutiveFailures{1},
                           {.onOpen = [&] { registry.remove("gone"); }});
    };
    CHECK_THROWS_WITH(fail(), "down");
    CHECK(registry.get("gone") == nullptr);
}
