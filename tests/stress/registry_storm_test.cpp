// SPDX-License-Identifier: MIT
// Everything that a registry offers, by many threads at once; nothing may get lost.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/registry/event_log.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "stress/load.hpp"
#include "support/catch.hpp"

using namespace fusebox::test;
using namespace std::chrono_literals;
using fusebox::CallIgnored;
using fusebox::CircuitBreakerOptions;
using fusebox::CircuitBreakerRegistry;
using fusebox::NamedCircuitBreaker;
using fusebox::Outcome;

namespace {

/// What each call throws. Breakers ignore it, so that no call trips one.
struct Made {};

/// What was done, and where it ended up.
struct Books {
    Count calls;      ///< Made, by who made them.
    Count followed;   ///< Of these: in the final statistics of breakers that the storm made itself.
    Count anonymous;  ///< Of these: in breakers that were made by the calls by name.
    Count born;       ///< Breakers that the storm made itself.
    Count dead;
    Count added;
    Count removed;
    Count wrong;  ///< What cannot be.
    Count heard;
    Count reconfigured;
};

/// A breaker whose statistics are read when its last owner lets go.
std::shared_ptr<NamedCircuitBreaker> follow(std::string name, Books& books) {
    CircuitBreakerOptions options;
    options.classifyError = [](std::exception_ptr) { return Outcome::Ignored; };
    books.born.add();
    return {new NamedCircuitBreaker{std::move(name), {}, std::move(options)},
            [&books](NamedCircuitBreaker* breaker) {
                books.followed.add(breaker->stats().totalCalls);
                books.dead.add();
                delete breaker;
            }};
}

/// One thread of the storm.
class Visitor {
public:
    Visitor(CircuitBreakerRegistry& registry, Books& books, std::uint64_t seed)
        : registry_(registry), books_(books), random_(seed) {}

    void visit() {
        std::uint64_t chosen = random_.below(totalWeight());
        for (const auto& operation : kOperations) {
            if (chosen < operation.weight) return (this->*operation.run)();
            chosen -= operation.weight;
        }
    }

private:
    struct Operation {
        std::uint64_t weight;
        void (Visitor::*run)();
    };
    /// Each time one of these, by its weight; a new one is a line more.
    static const std::array<Operation, 14> kOperations;

    static std::uint64_t totalWeight() {
        std::uint64_t sum = 0;
        for (const auto& operation : kOperations) sum += operation.weight;
        return sum;
    }

    std::string name() { return "service number " + std::to_string(random_.below(24)); }

    /// A call by name, during which something else may happen.
    template <class During>
    void callWith(During during) {
        try {
            fusebox::withCircuitBreaker(registry_, name(), [&] {
                books_.calls.add();
                during();
                throw Made{};
            });
        } catch (const Made&) {
        } catch (const fusebox::CircuitOpenError&) {
        }
    }
    void call() {
        callWith([] {});
    }
    void callAndRemove() {
        callWith([&] { remove(); });
    }
    void callWithin() {
        // Sometimes deeper than there are hazard pointers.
        if (++depth_ < 8) callWith([&] { callWithin(); });
        --depth_;
    }
    void callByHandle() {
        const auto handle = registry_.get(name());
        if (!handle) return;
        auto permit = handle->tryAcquire();
        if (!permit) return;
        books_.calls.add();
        (void)permit.ignore();
        // Counted by who made it: anonymous breakers have no one to ask.
        if (handle->options().tags.contains("anonymous")) books_.anonymous.add();
    }
    void add() {
        try {
            registry_.add(follow(name(), books_));
        } catch (const fusebox::ConfigError&) {  // There is one already.
        }
    }
    void look() {
        const std::string wanted = name();
        if (const auto view = registry_.view(wanted)) expect(view->name() == wanted);
        if (const auto breaker = registry_.get(wanted)) expect(breaker->name() == wanted);
        expect(registry_.getOrCreate(wanted)->name() == wanted);
    }
    void lookAtAll() {
        for (const auto& view : registry_.getAll()) expect(!view->name().empty());
    }
    void remove() { (void)registry_.remove(name()); }
    void clear() { registry_.clear(); }
    void steer() {
        const auto view = registry_.view(name());
        if (!view) return;
        random_.oneIn(2) ? view->open() : view->close();
    }
    void reconfigure() {
        const auto handle = registry_.get(name());
        if (!handle) return;
        const std::array<fusebox::AnyTripPolicy, 4> policies{
            fusebox::ConsecutiveFailures{1}, fusebox::FailureRate{.window = 1s},
            fusebox::FailureRate{.window = fusebox::lastCalls(20)},
            fusebox::anyOf(fusebox::Cusum{}, fusebox::FailureCount{})};
        CircuitBreakerOptions options = handle->options();
        options.measureLatency = random_.oneIn(2);
        options.trackInFlight = random_.oneIn(2);
        options.halfOpenLimit = static_cast<int>(random_.below(3)) + 1;
        handle->reconfigure(policies[random_.below(policies.size())], options);
        books_.reconfigured.add();
    }
    void bound() {
        constexpr std::array<std::size_t, 4> kBounds{0, 2, 8, 16};
        registry_.setMaxBreakers(kBounds[random_.below(kBounds.size())]);
    }
    void listen() {
        // What the listener refers to goes with the subscription. Its memory stays, so that one
        // that comes too late finds it.
        auto& there = *targets_.emplace_back(std::make_unique<std::atomic<bool>>(true));
        const auto hear = [this, &there] {
            books_.heard.add();
            expect(there.load(std::memory_order_relaxed));
        };
        auto ignored = registry_.on<CallIgnored>(hear);
        auto changed = registry_.on<fusebox::StateChanged>(hear);
        for (int i = 0; i < 8; ++i) call();
        ignored.unsubscribe();
        changed.unsubscribe();
        there.store(false, std::memory_order_relaxed);
    }
    void log() {
        const fusebox::EventLog log{registry_, 8};
        for (int i = 0; i < 4; ++i) add();
        expect(log.events().size() <= 8);
    }

    void expect(bool condition) { books_.wrong.addIf(!condition); }

    CircuitBreakerRegistry& registry_;
    Books& books_;
    Random random_;
    int depth_ = 0;
    std::vector<std::unique_ptr<std::atomic<bool>>> targets_;
};

const std::array<Visitor::Operation, 14> Visitor::kOperations{{
    {200, &Visitor::call},
    {20, &Visitor::callAndRemove},
    {4, &Visitor::callWithin},
    {20, &Visitor::callByHandle},
    {40, &Visitor::add},
    {20, &Visitor::look},
    {2, &Visitor::lookAtAll},
    {20, &Visitor::remove},
    {1, &Visitor::clear},
    {4, &Visitor::steer},
    {8, &Visitor::reconfigure},
    {1, &Visitor::bound},
    {4, &Visitor::listen},
    {1, &Visitor::log},
}};

}  // namespace

TEST_CASE("A registry in a storm: every call is in the books of one breaker") {
    CircuitBreakerRegistry registry;
    Books books;
    CircuitBreakerOptions anonymous;
    anonymous.tags["anonymous"] = "yes";
    anonymous.classifyError = [&](std::exception_ptr) {
        books.anonymous.add();
        return Outcome::Ignored;
    };
    registry.setDefaults({}, anonymous);
    {
        const auto onAdded = registry.onAdded([&] { books.added.add(); });
        const auto onRemoved = registry.onRemoved([&] { books.removed.add(); });
        // All their listeners stay alive until no thread is left that may call them.
        std::array<std::unique_ptr<Visitor>, 4> visitors;
        for (std::size_t i = 0; i < visitors.size(); ++i) {
            visitors[i] = std::make_unique<Visitor>(registry, books, i + 1);
        }
        onThreads(4, [&](int i) {
            Visitor& visitor = *visitors[static_cast<std::size_t>(i)];
            for (std::uint64_t n = scaled(400'000); n > 0; --n) visitor.visit();
        });
        CHECK(books.added.get() - books.removed.get() == registry.size());
        // Nobody listens any more.
        for (const auto& view : registry.getAll()) {
            auto& hub = static_cast<fusebox::detail::TypedView&>(*view).events();
            CHECK_FALSE(hub.wants<CallIgnored>());
        }
        registry.clear();
        CHECK(books.added.get() == books.removed.get());
    }
    CHECK(books.wrong.get() == 0);
    CHECK(books.heard.get() > 0);
    CHECK(books.reconfigured.get() > 0);
    CHECK(books.dead.get() > 0);
    CHECK(books.born.get() == books.dead.get());
    CHECK(books.followed.get() > 0);
    CHECK(books.anonymous.get() > 0);
    CHECK(books.calls.get() == books.followed.get() + books.anonymous.get());
}

TEST_CASE("A breaker in flight is found by everyone, however full its registry is") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(1);
    Count missed;
    fusebox::withCircuitBreaker(registry, "in flight", [&] {
        onThreads(4, [&](int i) {
            for (std::uint64_t n = scaled(100'000); n > 0; --n) {
                if (i == 0) {
                    (void)registry.create("transient " + std::to_string(n));
                } else {
                    missed.addIf(registry.view("in flight") == nullptr);
                    missed.addIf(
                        fusebox::withCircuitBreaker(registry, "in flight", [] { return 1; }) != 1);
                }
            }
        });
    });
    CHECK(missed.get() == 0);
    CHECK(registry.get("in flight")->stats().totalSuccesses == 1 + 3 * scaled(100'000));
    CHECK(registry.size() <= 2);
}

TEST_CASE("A name that stays is found while others come and go around it") {
    CircuitBreakerRegistry registry;
    const auto stays = registry.create("stays");
    Count missed;
    Count misled;
    onThreads(4, [&](int i) {
        const std::string mine = "comes and goes " + std::to_string(i);
        for (std::uint64_t n = scaled(100'000); n > 0; --n) {
            (void)registry.getOrCreate(mine);
            missed.addIf(registry.get("stays") != stays);
            missed.addIf(registry.get(mine) == nullptr);
            registry.remove(mine);
            misled.addIf(registry.get(mine) != nullptr);
        }
    });
    CHECK(missed.get() == 0);
    CHECK(misled.get() == 0);
}
