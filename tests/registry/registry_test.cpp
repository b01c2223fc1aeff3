// SPDX-License-Identifier: MIT
#include "fusebox/registry/registry.hpp"
#include <functional>
#include <utility>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "fusebox/policy/composite.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "registry/names.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using fusebox::AnyTripPolicy;
using fusebox::CircuitBreakerOptions;
using fusebox::CircuitBreakerRegistry;
using fusebox::CircuitState;
using fusebox::ConfigError;
using fusebox::ConsecutiveFailures;
using fusebox::FailureRate;
using fusebox::NamedCircuitBreaker;
using fusebox::test::Names;
using fusebox::test::namesIn;

namespace {

using ManualBreaker = fusebox::CircuitBreaker<fusebox::test::ManualClock, FailureRate>;

/// A breaker of another clock and policy than those made by name.
std::shared_ptr<ManualBreaker> manualBreaker(const std::string& name) {
    return std::make_shared<ManualBreaker>(name);
}

}  // namespace

static_assert(!std::is_copy_constructible_v<CircuitBreakerRegistry>);
static_assert(std::is_same_v<CircuitBreakerRegistry::Handle, std::shared_ptr<NamedCircuitBreaker>>);
static_assert(std::is_same_v<decltype(fusebox::createCircuitBreaker("")),
                             std::shared_ptr<NamedCircuitBreaker>>);

TEST_CASE("create makes a breaker of the configuration given") {
    CircuitBreakerRegistry registry;
    const CircuitBreakerOptions options{.recoveryTimeout = 7s};

    const auto plain = registry.create("plain");
    CHECK(plain->name() == "plain");
    CHECK(plain->policy() == AnyTripPolicy{ConsecutiveFailures{5}});
    CHECK(plain->options().recoveryTimeout == 60s);

    const auto withOptions = registry.create("options", options);
    CHECK(withOptions->policy() == AnyTripPolicy{ConsecutiveFailures{5}});
    CHECK(withOptions->options().recoveryTimeout == 7s);

    const auto withPolicy = registry.create("policy", FailureRate{.threshold = 0.25});
    CHECK(withPolicy->policy() == AnyTripPolicy{FailureRate{.threshold = 0.25}});
    CHECK(withPolicy->options().recoveryTimeout == 60s);

    const auto both = registry.create("both", ConsecutiveFailures{2}, {.recoveryTimeout = 9s});
    CHECK(both->policy() == AnyTripPolicy{ConsecutiveFailures{2}});
    CHECK(both->options().recoveryTimeout == 9s);
    CHECK(registry.get("both") == both);
}

TEST_CASE("A name takes whatever built-in policy") {
    CircuitBreakerRegistry registry;
    using fusebox::anyOf;
    const auto composite = anyOf(ConsecutiveFailures{3}, fusebox::SlowCallRate{});
    CHECK(registry.create("a", fusebox::FailureCount{})->policy() ==
          AnyTripPolicy{fusebox::FailureCount{}});
    CHECK(registry.create("b", fusebox::SlowCallRate{})->policy() ==
          AnyTripPolicy{fusebox::SlowCallRate{}});
    CHECK(registry.create("c", fusebox::Cusum{})->policy() == AnyTripPolicy{fusebox::Cusum{}});
    CHECK(registry.create("d", composite)->policy() == AnyTripPolicy{composite});
    CHECK(registry.create("e", fusebox::allOf(composite))->policy() ==
          AnyTripPolicy{fusebox::allOf(composite)});
    CHECK(registry.create("f", AnyTripPolicy{composite})->policy() == AnyTripPolicy{composite});
    static_assert(std::is_same_v<decltype(registry.create("g", composite)),
                                 std::shared_ptr<NamedCircuitBreaker>>);
}

TEST_CASE("create refuses a name that exists") {
    CircuitBreakerRegistry registry;
    const auto first = registry.create("twin", ConsecutiveFailures{2});
    CHECK_THROWS_AS(registry.create("twin"), ConfigError);
    CHECK_THROWS_WITH(registry.create("twin", ConsecutiveFailures{2}),
                      ContainsSubstring("twin") && ContainsSubstring("already registered"));
    CHECK(registry.get("twin") == first);
    CHECK(registry.getAll().size() == 1);
}

TEST_CASE("A configuration that cannot work registers nothing") {
    CircuitBreakerRegistry registry;
    std::size_t added = 0;
    const auto subscription = registry.onAdded([&] { ++added; });
    CHECK_THROWS_WITH(registry.create(""), ContainsSubstring("name is empty"));
    CHECK_THROWS_WITH(registry.getOrCreate(""), ContainsSubstring("name is empty"));
    CHECK_THROWS_WITH(
        registry.create("bad", ConsecutiveFailures{0}),
        ContainsSubstring("\"bad\"") && ContainsSubstring("ConsecutiveFailures.threshold is 0"));
    CHECK_THROWS_WITH(registry.getOrCreate("bad", {.recoveryTimeout = -1s}),
                      ContainsSubstring("recoveryTimeout is -1 s"));
    CHECK(registry.getAll().empty());
    CHECK(registry.get("bad") == nullptr);
    CHECK(added == 0);
}

TEST_CASE("getOrCreate returns the existing breaker: the first registration wins") {
    CircuitBreakerRegistry registry;
    const auto first = registry.getOrCreate("db", ConsecutiveFailures{3}, {.recoveryTimeout = 5s});
    CHECK(registry.getOrCreate("db") == first);
    CHECK(registry.getOrCreate("db", FailureRate{}) == first);
    CHECK(registry.getOrCreate("db", {.recoveryTimeout = 1s}) == first);
    CHECK(registry.getOrCreate("db", FailureRate{}, {.recoveryTimeout = 1s}) == first);
    CHECK(first->policy() == AnyTripPolicy{ConsecutiveFailures{3}});
    CHECK(first->options().recoveryTimeout == 5s);
    // A name is compared as text, not by where it stands.
    const std::string copy = "db";
    CHECK(registry.getOrCreate(copy) == first);
    CHECK(registry.getOrCreate(std::string_view{copy}.substr(0, 1)) != first);
}

TEST_CASE("get finds a breaker of the type that it is asked for") {
    CircuitBreakerRegistry registry;
    const auto named = registry.create("named");
    const auto manual = manualBreaker("manual");
    registry.add(manual);

    CHECK(registry.get("named") == named);
    CHECK(registry.get("unknown") == nullptr);
    CHECK(registry.get<ManualBreaker>("unknown") == nullptr);
    CHECK(registry.get<ManualBreaker>("manual") == manual);
    CHECK_THROWS_AS(registry.get("manual"), ConfigError);
    CHECK_THROWS_WITH(registry.get<ManualBreaker>("named"),
                      ContainsSubstring("named") && ContainsSubstring("type"));
    // Nor can a call by name have it.
    CHECK_THROWS_AS(registry.getOrCreate("manual"), ConfigError);
}

TEST_CASE("add takes a breaker of any clock and policy, once a name") {
    CircuitBreakerRegistry registry;
    const auto manual = manualBreaker("mine");
    registry.add(manual);
    CHECK(namesIn(registry) == Names{"mine"});
    CHECK_THROWS_AS(registry.add(manual), ConfigError);
    CHECK_THROWS_AS(registry.add(manualBreaker("mine")), ConfigError);
    CHECK_THROWS_AS(registry.create("mine"), ConfigError);
    CHECK_THROWS_AS(registry.add(std::shared_ptr<ManualBreaker>{}), ConfigError);

    const auto steady = std::make_shared<fusebox::SteadyCircuitBreaker<fusebox::Cusum>>("steady");
    registry.add(steady);
    CHECK(registry.get<fusebox::SteadyCircuitBreaker<fusebox::Cusum>>("steady") == steady);
    // A named one that was made elsewhere is as good as one made by name.
    const auto elsewhere = std::make_shared<NamedCircuitBreaker>("elsewhere");
    registry.add(elsewhere);
    CHECK(registry.getOrCreate("elsewhere") == elsewhere);
}

TEST_CASE("remove, and names that can be used again") {
    CircuitBreakerRegistry registry;
    const auto first = registry.create("again");
    CHECK(registry.remove("again"));
    CHECK_FALSE(registry.remove("again"));
    CHECK(registry.get("again") == nullptr);
    CHECK(registry.view("again") == nullptr);
    const auto second = registry.getOrCreate("again", ConsecutiveFailures{1});
    CHECK(second != first);
    CHECK(second->policy() == AnyTripPolicy{ConsecutiveFailures{1}});
    // Who holds the old one can go on with it.
    CHECK(first->execute([] { return 3; }) == 3);
    CHECK(second->stats().totalCalls == 0);
}

TEST_CASE("reset, resetAll and clear") {
    CircuitBreakerRegistry registry;
    const auto a = registry.create("a");
    const auto b = registry.create("b");
    const auto manual = manualBreaker("c");
    registry.add(manual);
    const auto openAll = [&] {
        a->open();
        b->open();
        manual->open();
    };

    openAll();
    CHECK(registry.reset("a"));
    CHECK_FALSE(registry.reset("z"));
    CHECK(a->state() == CircuitState::Closed);
    CHECK(a->stats().timesOpened == 0);
    CHECK(b->isOpen());

    openAll();
    registry.resetAll();
    CHECK(a->state() == CircuitState::Closed);
    CHECK(b->state() == CircuitState::Closed);
    CHECK(manual->state() == CircuitState::Closed);
    CHECK(manual->stats().timesOpened == 0);

    registry.clear();
    CHECK(registry.getAll().empty());
    CHECK(registry.getAllStats().empty());
    CHECK(registry.get("a") == nullptr);
    CHECK(a->execute([] { return 1; }) == 1);
}

TEST_CASE("getAll and getAllStats are sorted by name") {
    CircuitBreakerRegistry registry;
    CHECK(registry.getAll().empty());
    for (const char* name : {"pear", "apple", "quince", "fig", "Pear", "apple2"}) {
        registry.create(name);
    }
    registry.add(manualBreaker("melon"));
    const Names sorted{"Pear", "apple", "apple2", "fig", "melon", "pear", "quince"};
    CHECK(namesIn(registry) == sorted);
    Names fromStats;
    for (const auto& stats : registry.getAllStats()) fromStats.push_back(stats.name);
    CHECK(fromStats == sorted);
}

TEST_CASE("Defaults are those of breakers that are created without") {
    CircuitBreakerRegistry registry;
    const auto before = registry.create("before");
    registry.setDefaults(FailureRate{.threshold = 0.3},
                         {.recoveryTimeout = 5s, .halfOpenLimit = 7});
    CHECK(before->policy() == AnyTripPolicy{ConsecutiveFailures{5}});

    const auto plain = registry.getOrCreate("plain");
    CHECK(plain->policy() == AnyTripPolicy{FailureRate{.threshold = 0.3}});
    CHECK(plain->options().recoveryTimeout == 5s);
    CHECK(plain->options().halfOpenLimit == 7);

    const auto policy = registry.create("policy", ConsecutiveFailures{2});
    CHECK(policy->policy() == AnyTripPolicy{ConsecutiveFailures{2}});
    CHECK(policy->options().recoveryTimeout == 5s);

    // Given options replace the defaults as a whole.
    const auto options = registry.create("options", {.recoveryTimeout = 8s});
    CHECK(options->policy() == AnyTripPolicy{FailureRate{.threshold = 0.3}});
    CHECK(options->options().recoveryTimeout == 8s);
    CHECK(options->options().halfOpenLimit == 3);

    CHECK_THROWS_AS(registry.setDefaults(FailureRate{.threshold = 2}), ConfigError);
    CHECK_THROWS_AS(registry.setDefaults(FailureRate{}, {.halfOpenLimit = 0}), ConfigError);
    CHECK(registry.create("still")->policy() == AnyTripPolicy{FailureRate{.threshold = 0.3}});
}

TEST_CASE("Presets are kept by name, to create breakers from") {
    CircuitBreakerRegistry registry;
    registry.definePreset("external-api", FailureRate{.threshold = 0.4}, {.recoveryTimeout = 15s});
    const fusebox::BreakerPreset preset = registry.preset("external-api");
    CHECK(preset.policy == AnyTripPolicy{FailureRate{.threshold = 0.4}});
    CHECK(preset.options.recoveryTimeout == 15s);
    const auto breaker = registry.getOrCreate("maps", preset.policy, preset.options);
    CHECK(breaker->policy() == fusebox::AnyTripPolicy{FailureRate{.threshold = 0.4}});
    CHECK(breaker->options().recoveryTimeout == 15s);
    // A preset is no breaker.
    CHECK(registry.get("external-api") == nullptr);

    registry.definePreset("external-api", ConsecutiveFailures{2});
    CHECK(registry.preset("external-api").policy == AnyTripPolicy{ConsecutiveFailures{2}});
    CHECK(preset.policy == AnyTripPolicy{FailureRate{.threshold = 0.4}});

    CHECK_THROWS_WITH(registry.preset("internal"), ContainsSubstring("internal"));
    CHECK_THROWS_WITH(registry.definePreset("broken", FailureRate{.threshold = -1}),
                      ContainsSubstring("broken") && ContainsSubstring("threshold"));
    CHECK_THROWS_AS(registry.preset("broken"), ConfigError);
}

TEST_CASE("A breaker is created from a preset, single fields of which may be changed") {
    CircuitBreakerRegistry registry;
    registry.definePreset("external-api", FailureRate{.threshold = 0.4}, {.recoveryTimeout = 15s});
    const auto plain = registry.createFromPreset("maps", "external-api");
    CHECK(plain->policy() == AnyTripPolicy{FailureRate{.threshold = 0.4}});
    CHECK(plain->options().recoveryTimeout == 15s);
    const auto changed = registry.createFromPreset(
        "slow-maps", "external-api",
        [](fusebox::BreakerPreset& preset) { preset.options.requestTimeout = 90s; });
    CHECK(changed->policy() == plain->policy());
    CHECK(changed->options().recoveryTimeout == 15s);
    CHECK(changed->options().requestTimeout == 90s);
    CHECK(plain->options().requestTimeout == 30s);
    CHECK(registry.preset("external-api").options.requestTimeout == 30s);
    CHECK(registry.size() == 2);

    CHECK_THROWS_AS(registry.createFromPreset("maps", "external-api"), ConfigError);
    CHECK_THROWS_AS(registry.createFromPreset("bad", "external-api",
                                              [](auto& p) { p.options.halfOpenLimit = 0; }),
                    ConfigError);
    CHECK(registry.size() == 2);
}

TEST_CASE("A preset that is unknown is answered with those that are known") {
    CircuitBreakerRegistry registry;
    CHECK_THROWS_WITH(registry.createFromPreset("a", "fast"), ContainsSubstring("there is none"));
    registry.definePreset("slow", ConsecutiveFailures{9});
    registry.definePreset("external-api", ConsecutiveFailures{3});
    CHECK_THROWS_WITH(
        registry.createFromPreset("a", "fast"),
        ContainsSubstring("\"fast\"") && ContainsSubstring("\"external-api\", \"slow\""));
    CHECK(registry.size() == 0);
}

TEST_CASE("Two that make a breaker of one name at once get the same one") {
    /// Does something, once, when it is copied: what another thread does meanwhile.
    struct WhenCopied {
        std::function<void()>* action;
        explicit WhenCopied(std::function<void()>& a) : action(&a) {}
        WhenCopied(const WhenCopied& other) : action(other.action) {
            if (*action) std::exchange(*action, nullptr)();
        }
        void operator()() const {}
    };
    CircuitBreakerRegistry registry;
    int added = 0;
    const auto counting = registry.onAdded([&](const auto&) { ++added; });
    std::function<void()> meanwhile;
    const CircuitBreakerOptions options{.onOpen = WhenCopied{meanwhile}};
    CircuitBreakerRegistry::Handle first;
    meanwhile = [&] { first = registry.create("db"); };
    const auto second = registry.getOrCreate("db", options);
    CHECK(first);
    CHECK(first == second);
    CHECK(registry.size() == 1);
    CHECK(added == 1);
    meanwhile = [&] { (void)registry.create("cache"); };
    CHECK_THROWS_AS(registry.create("cache", options), ConfigError);
}
