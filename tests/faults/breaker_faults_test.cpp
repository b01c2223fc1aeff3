// SPDX-License-Identifier: MIT
// Whatever fails inside an operation on a breaker: no leak, no permit lost, totals exact.
#include "faults/faults.hpp"

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "async/executors.hpp"
#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

using Breaker = CircuitBreaker<ManualClock, AnyTripPolicy>;

/// Longer than what a std::string holds without an allocation.
const std::string kName = "a breaker with a name that takes an allocation of its own";

AnyTripPolicy composite() {
    return anyOf(ConsecutiveFailures{3},
                 FailureRate{.threshold = 0.5, .minimumCalls = 4, .window = lastCalls(8)});
}

CircuitBreakerOptions options() {
    CircuitBreakerOptions all;
    all.recoveryTimeout = 10s;
    all.successThreshold = 1;
    all.requestTimeout = kForever;
    all.trackInFlight = true;
    all.tags = {{"a key of some length, say 40 characters", "and a value that is as long"}};
    all.classifyError = [bomb = Bomb{}](std::exception_ptr) {
        bomb.use();
        return Outcome::Failure;
    };
    all.onStateChange = [bomb = Bomb{}] { bomb.use(); };
    all.onOpen = [bomb = Bomb{}](const StateChanged&) { bomb.use(); };
    return all;
}

struct World {
    ManualClock clock{};
    std::unique_ptr<Breaker> breaker =
        std::make_unique<Breaker>(kName, composite(), options(), clock);
    std::string text{};
};

std::unique_ptr<World> closed() {
    return std::make_unique<World>();
}
std::unique_ptr<World> open() {
    auto world = closed();
    world->breaker->open();
    return world;
}
/// The next call is a probe.
std::unique_ptr<World> probing() {
    auto world = open();
    world->clock.advance(10s);
    return world;
}

/// What holds of a breaker at rest, and that it can still be used.
bool isSound(auto& breaker) {
    const CircuitBreakerStats s = breaker.stats();
    bool sound = s.totalCalls == s.totalSuccesses + s.totalFailures + s.totalTimeouts +
                                     s.totalIgnored + s.totalCancelled;
    sound &= s.inFlight.value_or(0) == 0U && s.probesInFlight == 0 && s.totalStale <= s.totalCalls;
    sound &= s.windowFailures <= s.windowCalls && s.timesClosed <= s.timesOpened;
    breaker.reset();
    sound &= breaker.execute([] { return 1; }) == 1;
    sound &= breaker.tryAcquire().failure() == ReportResult::Recorded;
    const CircuitBreakerStats after = breaker.stats();
    return sound && after.totalCalls == 2 && after.windowCalls == 2 &&
           after.state == CircuitState::Closed;
}

/// A policy of a user's whose copies, assignments and trackers may throw.
struct FragilePolicy {
    int threshold = 3;

    FragilePolicy() = default;
    explicit FragilePolicy(int failures) : threshold(failures) {}
    FragilePolicy(const FragilePolicy& other) : threshold(other.threshold) { faultPoint(); }
    FragilePolicy& operator=(const FragilePolicy& other) {
        faultPoint();
        threshold = other.threshold;
        return *this;
    }
    ~FragilePolicy() = default;
    friend bool operator==(const FragilePolicy&, const FragilePolicy&) = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const FragilePolicy& policy) : threshold_(policy.threshold) {
            faultPoint();
        }
        void enter(std::chrono::nanoseconds) noexcept { failures_ = 0; }
        bool record(const CallRecord& call) noexcept {
            failures_ += call.failed;
            return failures_ >= threshold_;
        }

    private:
        int threshold_;
        int failures_ = 0;
    };
};

/// A clock whose copies may throw; `now()` must not.
struct FragileClock : ManualClock {
    FragileClock() = default;
    FragileClock(const FragileClock& other) : ManualClock(other) { faultPoint(); }
    FragileClock& operator=(const FragileClock&) = delete;
    ~FragileClock() = default;
};

struct FragileWorld {
    using FragileBreaker = CircuitBreaker<FragileClock, FragilePolicy>;
    FragileClock clock{};
    FragileBreaker breaker{"fragile", FragilePolicy{}, CircuitBreakerOptions{}, clock};
};

constexpr auto kSound = [](World& world, bool) { return isSound(*world.breaker); };

template <class MakeWorld, class Act, class Check>
void survives(const MakeWorld& make, const Act& act, const Check& check, int atLeast) {
    const Sweep result = sweep(make, act, check);
    INFO(result.points << " points, wrong first at " << result.firstWrong);
    CHECK(result.points >= atLeast);
    CHECK(result.leaks == 0);
    CHECK(result.wrong == 0);
}
template <class MakeWorld, class Act>
void survives(const MakeWorld& make, const Act& act, int atLeast) {
    survives(make, act, kSound, atLeast);
}

/// A callable, a classifier and a fallback of a user's.
auto call(Outcome outcome, bool throws = false) {
    return judgedBy(
        [bomb = Bomb{}, throws] {
            bomb.use();
            if (throws) throw std::runtime_error{"an error whose text takes an allocation"};
            return 1;
        },
        [bomb = Bomb{}, outcome](auto&&) {
            bomb.use();
            return outcome;
        });
}
void swallow(const auto& action) {
    try {
        action();
    } catch (const std::runtime_error&) {
    }
}

}  // namespace

TEST_CASE("G 39, faults: a breaker that cannot be made leaves nothing behind") {
    survives([] { return std::make_unique<World>(); },
             [](World& world) {
                 const Breaker other{kName, composite(), options(), world.clock};
             },
             15);
}

TEST_CASE("A 1-6, faults: a call that fails anywhere gives its permit back") {
    for (const auto& make : {&closed, &open, &probing}) {
        for (const Outcome outcome : {Outcome::Success, Outcome::Failure, Outcome::Ignored}) {
            for (const bool throws : {false, true}) {
                survives(
                    *make,
                    [=](World& world) {
                        swallow([&] { (void)world.breaker->execute(call(outcome, throws)); });
                    },
                    1);
            }
        }
    }
}

TEST_CASE("A 1-6, faults: so does one with a fallback, a context or a result that carries errors") {
    for (const auto& make : {&closed, &open, &probing}) {
        survives(
            *make,
            [](World& world) {
                const auto answer = [bomb = Bomb{}] {
                    bomb.use();
                    return 2;
                };
                (void)world.breaker->execute(call(Outcome::Failure, true), fallback(answer));
            },
            2);
        survives(
            *make,
            [](World& world) {
                swallow([&] {
                    (void)world.breaker->execute([bomb = Bomb{}](const CallContext& context) {
                        bomb.use();
                        return context.remaining() > 0s;
                    });
                });
            },
            1);
        survives(
            *make,
            [](World& world) {
                (void)world.breaker->execute([bomb = Bomb{}] {
                    bomb.use();
                    return std::make_error_code(std::errc::io_error);
                });
            },
            0);
    }
}

TEST_CASE("A 1-6, faults: permits that are held while something throws are failures") {
    survives(
        &probing,
        [](World& world) {
            auto first = world.breaker->tryAcquire();
            const Bomb bomb;
            const auto second = world.breaker->tryAcquire();
            bomb.use();
            const std::string text(1000, 'x');
            (void)first.success();
        },
        2);
}

TEST_CASE("G 37-41, faults: listeners that throw, or for whom there is no memory, harm nobody") {
    survives(
        &closed,
        [](World& world) {
            Breaker& breaker = *world.breaker;
            const auto listener = [bomb = Bomb{}] { bomb.use(); };
            const Subscription subscriptions[] = {
                breaker.on<StateChanged>(listener), breaker.on<ModeChanged>(listener),
                breaker.on<WasReset>(listener),     breaker.on<CallFailed>(listener),
                breaker.on<CallRejected>(listener), breaker.on<CallSucceeded>(listener)};
            (void)breaker.tryAcquire().success();
            for (int i = 0; i < 3; ++i) (void)breaker.tryAcquire().failure();
            (void)breaker.tryAcquire();
            breaker.setMode(ControlMode::Shadow);
            breaker.setMode(ControlMode::Automatic);
            world.clock.advance(10s);
            (void)breaker.tryAcquire().failure();
            breaker.close();
            breaker.open(3s);
            breaker.reset();
        },
        40);
}

TEST_CASE(
    "G 39, faults: no transition is lost for want of memory, and what is not told is counted") {
    survives(
        &closed,
        [](World& world) {
            Breaker& breaker = *world.breaker;
            for (int i = 0; i < 3; ++i) (void)breaker.tryAcquire().failure();
            world.clock.advance(10s);
            (void)breaker.tryAcquire().success();
        },
        [](World& world, bool escaped) {
            const CircuitBreakerStats s = world.breaker->stats();
            const bool right = !escaped && s.timesOpened == 1 && s.timesClosed == 1 &&
                               s.totalFailures == 3 && s.listenerErrors <= 2;
            return right && isSound(*world.breaker);
        },
        10);
}

TEST_CASE("H 46, faults: a breaker that cannot be reconfigured is as it was") {
    survives(
        &closed,
        [](World& world) {
            (void)world.breaker->tryAcquire().failure();
            CircuitBreakerOptions next = options();
            next.successThreshold = 7;
            world.breaker->reconfigure(ConsecutiveFailures{2}, next);
        },
        [](World& world, bool escaped) {
            const Breaker& breaker = *world.breaker;
            const bool old = breaker.hasPolicy(composite()) && breaker.hasOptions(options());
            const bool next = breaker.hasPolicy(ConsecutiveFailures{2}) &&
                              breaker.options().successThreshold == 7;
            const bool right = escaped ? old && !next : next;
            const bool counted = breaker.stats().timesReconfigured == (escaped ? 0U : 1U);
            return right && counted && isSound(*world.breaker);
        },
        10);
}

TEST_CASE("H 46, faults: a policy or a clock that cannot be copied is not half taken") {
    survives(
        [] { return std::make_unique<FragileWorld>(); },
        [](FragileWorld& world) {
            const FragileWorld::FragileBreaker other{"other", FragilePolicy{2}, {}, world.clock};
            world.breaker.reconfigure(FragilePolicy{2});
        },
        [](FragileWorld& world, bool escaped) {
            const int threshold = world.breaker.policy().threshold;
            const bool right = threshold == (escaped ? 3 : 2);
            const bool counted = world.breaker.stats().timesReconfigured == (escaped ? 0U : 1U);
            return right && counted && isSound(world.breaker);
        },
        8);
    survives([] { return std::make_unique<FragileWorld>(); },
             [](FragileWorld& world) { (void)world.breaker.policy(); },
             [](FragileWorld& world, bool) { return isSound(world.breaker); }, 1);
}

TEST_CASE("Faults: statistics, settings and saved state can be asked for again") {
    survives(
        &probing,
        [](World& world) {
            (void)world.breaker->stats();
            (void)world.breaker->options();
            (void)world.breaker->policy();
            world.text = world.breaker->exportState();
            const Breaker restored{kName, composite(), options(), world.clock, world.text};
            (void)restored.stats();
        },
        40);
}

TEST_CASE("I 51, faults: calls in an executor that fail anywhere give their permits back") {
    for (const auto& make : {&closed, &open, &probing}) {
        survives(
            *make,
            [](World& world) {
                InlineExecutor executor;
                swallow([&] {
                    (void)world.breaker->executeOn(executor, [bomb = Bomb{}] {
                        bomb.use();
                        return std::string(100, 'x');
                    });
                });
            },
            2);
        survives(
            *make,
            [](World& world) {
                InlineExecutor executor;
                auto future = world.breaker->executeAsync(executor, [bomb = Bomb{}] {
                    bomb.use();
                    return std::string(100, 'x');
                });
                swallow([&] { (void)future.get(); });
            },
            2);
    }
}

#endif
