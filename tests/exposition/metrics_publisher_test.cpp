// SPDX-License-Identifier: MIT
// Who publishes, when, and what becomes of a sink that does not behave.
#include "fusebox/exposition/metrics_publisher.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::waitUntil;

namespace {

/// All that a sink must have.
struct Archetype {
    Archetype() = delete;
    explicit Archetype(int) {}
    Archetype(Archetype&&) = default;
    Archetype& operator=(Archetype&&) = default;
    void publish(const MetricsSnapshot&) {}
};
static_assert(MetricsSink<Archetype>);

struct WithoutPublish {};
struct TakesNothing {
    void publish() {}
};
struct ChangesTheSnapshot {
    void publish(MetricsSnapshot&) {}
};
struct Answers {
    bool publish(const MetricsSnapshot&) { return true; }
};
struct Immovable {
    Immovable() = default;
    Immovable(Immovable&&) = delete;
    void publish(const MetricsSnapshot&) {}
};
static_assert(!MetricsSink<WithoutPublish>);
static_assert(!MetricsSink<TakesNothing>);
static_assert(!MetricsSink<ChangesTheSnapshot>);
static_assert(!MetricsSink<Answers>);
static_assert(!MetricsSink<Immovable>);
static_assert(!MetricsSink<int>);

/// Calls what the test gives it.
struct Sink {
    std::function<void(const MetricsSnapshot&)> call;
    void publish(const MetricsSnapshot& snapshot) {
        if (call) call(snapshot);
    }
};

using Publisher = MetricsPublisher<Sink>;

}  // namespace

TEST_CASE("A publisher that was not started publishes only when told") {
    CircuitBreakerRegistry registry;
    (void)registry.create("b");
    (void)registry.create("a")->tryAcquire().success();
    std::vector<MetricsSnapshot> taken;
    Publisher publisher{registry,
                        Sink{[&](const auto& snapshot) { taken.push_back(snapshot); }},
                        {.interval = 1ns}};
    CHECK(publisher.published() == 0);
    const auto before = std::chrono::system_clock::now();
    CHECK(publisher.publish());
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].time >= before);
    REQUIRE(taken[0].breakers.size() == 2);
    CHECK(taken[0].breakers[0].name == "a");
    CHECK(taken[0].breakers[0].totalSuccesses == 1);
    CHECK(taken[0].breakers[1].name == "b");
    CHECK(publisher.published() == 1);
    publisher.stop();
    CHECK(publisher.published() == 1);
}

TEST_CASE("A started publisher publishes again and again, and no more once stopped") {
    CircuitBreakerRegistry registry;
    Publisher publisher{registry, Sink{}, {.interval = 100us}};
    publisher.start();
    publisher.start();  // It does so already.
    CHECK(waitUntil([&] { return publisher.published() >= 5; }));
    publisher.stop();
    const auto stopped = publisher.published();
    std::this_thread::sleep_for(5ms);
    CHECK(publisher.published() == stopped);
    publisher.start();
    CHECK(waitUntil([&] { return publisher.published() > stopped; }));
}

TEST_CASE("A publisher that waits for an hour stops at once") {
    const CircuitBreakerRegistry registry;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        Publisher publisher{registry, Sink{}, {.interval = 1h}};
        publisher.start();
        if (i % 2 == 0) publisher.stop();
        CHECK(publisher.published() == 0);
    }
    CHECK(std::chrono::steady_clock::now() - begin < 10min);
}

TEST_CASE("A sink that throws loses that snapshot and gets the next one") {
    const CircuitBreakerRegistry registry;
    std::atomic<int> calls{0};
    Publisher publisher{registry,
                        Sink{[&](const auto&) {
                            const int call = ++calls;
                            if (call % 3 == 1) throw std::runtime_error{"disk full"};
                            if (call % 3 == 2) throw 42;
                        }},
                        {.interval = 100us}};
    CHECK_FALSE(publisher.publish());
    CHECK_FALSE(publisher.publish());
    CHECK(publisher.publish());
    CHECK(publisher.errors() == 2);
    CHECK(publisher.published() == 1);
    publisher.start();
    CHECK(waitUntil([&] { return publisher.published() >= 4 && publisher.errors() >= 6; }));
}

TEST_CASE("A last snapshot comes when a running publisher stops, if asked for") {
    const CircuitBreakerRegistry registry;
    for (const bool last : {false, true}) {
        Publisher publisher{registry, Sink{}, {.interval = 1h, .publishOnStop = last}};
        publisher.stop();
        CHECK(publisher.published() == 0);
        publisher.start();
        publisher.stop();
        publisher.stop();
        CHECK(publisher.published() == (last ? 1 : 0));
    }
    std::atomic<int> taken{0};
    {
        Publisher publisher{
            registry, Sink{[&](const auto&) { ++taken; }}, {.interval = 1h, .publishOnStop = true}};
        publisher.start();
    }
    CHECK(taken == 1);
}

TEST_CASE("A sink may stop the publisher that calls it") {
    const CircuitBreakerRegistry registry;
    Publisher* self = nullptr;
    Publisher publisher{registry, Sink{[&](const auto&) { self->stop(); }}, {.interval = 100us}};
    self = &publisher;
    publisher.start();
    CHECK(waitUntil([&] { return publisher.published() == 1; }));
    std::this_thread::sleep_for(5ms);
    CHECK(publisher.published() == 1);
    publisher.start();
    CHECK(waitUntil([&] { return publisher.published() == 2; }));
}

TEST_CASE("A sink is called by one thread at a time, whoever starts, stops and publishes") {
    CircuitBreakerRegistry registry;
    (void)registry.create("a");
    int inside = 0;  // Not atomic: a sanitizer would see two threads.
    int calls = 0;
    bool alone = true;
    {
        Publisher publisher{registry,
                            Sink{[&](const auto&) {
                                alone = alone && ++inside == 1;
                                ++calls;
                                --inside;
                            }},
                            {.interval = 10us, .publishOnStop = true}};
        std::vector<std::thread> threads;
        threads.reserve(4);
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&publisher, t] {
                for (int i = 0; i < 200; ++i) {
                    switch ((i + t) % 3) {
                        case 0: publisher.start(); break;
                        case 1: publisher.stop(); break;
                        case 2: (void)publisher.publish(); break;
                    }
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        publisher.stop();
        CHECK(publisher.published() == static_cast<std::uint64_t>(calls));
        CHECK(publisher.errors() == 0);
    }
    CHECK(alone);
    CHECK(calls >= 266);
}

TEST_CASE("A publisher works for breakers that come and go") {
    CircuitBreakerRegistry registry;
    std::atomic<std::size_t> most{0};
    Publisher publisher{
        registry,
        Sink{[&](const auto& snapshot) { most = std::max(most.load(), snapshot.breakers.size()); }},
        {.interval = 50us}};
    publisher.start();
    for (int i = 0; i < 200; ++i) {
        (void)registry.create("breaker " + std::to_string(i));
        if (i % 2 == 0) registry.remove("breaker " + std::to_string(i / 2));
    }
    CHECK(waitUntil([&] { return most > 0; }));
}

TEST_CASE("A publisher can be made with a sink that can only be moved, and shows it") {
    struct Owner {
        std::unique_ptr<int> count = std::make_unique<int>(0);
        void publish(const MetricsSnapshot&) { ++*count; }
    };
    const CircuitBreakerRegistry registry;
    MetricsPublisher publisher{registry, Owner{}};
    CHECK(publisher.publish());
    CHECK(*publisher.sink().count == 1);
}

TEST_CASE("Options of a publisher that cannot work are refused") {
    const CircuitBreakerRegistry registry;
    const auto complaint = [&](MetricsPublisherOptions options) {
        CHECK_THROWS_AS((Publisher{registry, Sink{}, options}), ConfigError);
        return validate(options).value_or("");
    };
    CHECK_THAT(complaint({.interval = 0s}), ContainsSubstring("interval is 0 ns; allowed: a"));
    CHECK_THAT(complaint({.interval = -1s}), ContainsSubstring("interval is -1 s"));
    CHECK_THAT(complaint({.interval = kForever}), ContainsSubstring("interval is never"));
    CHECK_THAT(complaint({.jitter = -0.1}), ContainsSubstring("jitter is -0.1; allowed: a number"));
    CHECK_THAT(complaint({.jitter = 1.1}), ContainsSubstring("jitter is 1.1"));
    CHECK_THAT(complaint({.jitter = std::numeric_limits<double>::quiet_NaN()}),
               ContainsSubstring("jitter is"));
    CHECK_FALSE(validate(MetricsPublisherOptions{}));
    CHECK(MetricsPublisherOptions{}.interval == 1min);
}
