// SPDX-License-Identifier: MIT
// A registry in which any one allocation fails; and pins, which may have to do without.
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/registry/name_hash.hpp"
#include "fusebox/registry/name_index.hpp"
#include "fusebox/registry/registry.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

using fusebox::CircuitBreakerRegistry;

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

using fusebox::test::allocations;

namespace {

/// Whether `action` succeeds though the `failAt`-th allocation in it fails.
template <class Action>
bool doneWithout(int failAt, Action&& action) {
    bool done = false;
    allocations().failAt = failAt;
    allocations().number = 0;
    allocations().counting = true;
    try {
        action();
        done = true;
    } catch (const std::bad_alloc&) {
    }
    allocations().counting = false;
    allocations().failAt = 0;
    return done;
}

}  // namespace

TEST_CASE("Without memory to grow the index, names are found all the same, and none that is not") {
    // Before the index grows there are 16 names. Each allocation fails in turn.
    int failed = 0;
    int grown = 0;
    for (int failAt = 1; grown == 0 || failAt < 40; ++failAt) {
        CircuitBreakerRegistry registry;
        for (int i = 0; i < 16; ++i) registry.create("service " + std::to_string(i));
        const bool created = doneWithout(failAt, [&] { registry.create("one more"); });
        grown += created && allocations().number >= failAt;
        failed += !created;
        CHECK((registry.get("one more") != nullptr) == created);
        CHECK(registry.get("nothing") == nullptr);
        CHECK(registry.get("service 3") != nullptr);
        for (int i = 0; i < 32; ++i) registry.create("later " + std::to_string(i));
        CHECK(registry.get("later 31") != nullptr);
        CHECK(registry.get("later 32") == nullptr);
        REQUIRE(failAt < 1000);
    }
    CHECK(failed > 5);
    CHECK(grown > 0);
}

TEST_CASE("A creation that fails for want of memory evicts nobody, and tells nobody of anything") {
    bool created = false;
    int failed = 0;
    for (int failAt = 1; !created || failAt < 40; ++failAt) {
        CircuitBreakerRegistry registry;
        registry.setMaxBreakers(2);
        int added = 0;
        int removed = 0;
        registry.create("a");
        registry.create("b");
        const auto onAdded = registry.onAdded([&] { ++added; });
        const auto onRemoved = registry.onRemoved([&] { ++removed; });
        created = doneWithout(failAt, [&] { registry.create("c"); });
        failed += !created;
        CHECK((registry.get("a") == nullptr) == created);
        CHECK(registry.get("b") != nullptr);
        CHECK((registry.get("c") != nullptr) == created);
        CHECK(added == (created ? 1 : 0));
        CHECK(removed == (created ? 1 : 0));
        REQUIRE(failAt < 1000);
    }
    CHECK(failed > 5);
}

TEST_CASE("Whom a bound evicts is told of, however little memory there is") {
    bool bounded = false;
    for (int failAt = 1; !bounded || failAt < 10; ++failAt) {
        CircuitBreakerRegistry registry;
        for (const char* name : {"a", "b", "c", "d"}) registry.create(name);
        std::size_t removed = 0;
        const auto onRemoved = registry.onRemoved([&] { ++removed; });
        bounded = doneWithout(failAt, [&] { registry.setMaxBreakers(1); });
        CHECK(removed == (bounded ? 3 : 0));
        CHECK(registry.size() == 4 - removed);
        REQUIRE(failAt < 1000);
    }
}

TEST_CASE("Without memory to clear it a registry keeps all of its breakers") {
    CircuitBreakerRegistry registry;
    registry.create("a");
    registry.create("b");
    int removed = 0;
    const auto onRemoved = registry.onRemoved([&] { ++removed; });
    CHECK_FALSE(doneWithout(1, [&] { registry.clear(); }));
    CHECK(removed == 0);
    CHECK(registry.size() == 2);
    registry.clear();
    CHECK(removed == 2);
}

TEST_CASE(
    "A breaker that was not added for want of memory is not heard, and once when it is added") {
    bool added = false;
    for (int failAt = 1; !added || failAt < 40; ++failAt) {
        CircuitBreakerRegistry registry;
        int heard = 0;
        const auto first = registry.on<fusebox::StateChanged>([&] { ++heard; });
        const auto second = registry.on<fusebox::StateChanged>([&] { ++heard; });
        const auto breaker = std::make_shared<fusebox::NamedCircuitBreaker>("a");
        added = doneWithout(failAt, [&] { registry.add(breaker); });
        breaker->open();
        CHECK(heard == (added ? 2 : 0));
        if (!added) registry.add(breaker);
        heard = 0;
        breaker->close();
        CHECK(heard == 2);
        REQUIRE(failAt < 1000);
    }
}

TEST_CASE("Without memory an index that is crowded is not sure of what it does not find") {
    struct Entry {
        std::string text;
        [[nodiscard]] std::string_view name() const noexcept { return text; }
        [[nodiscard]] std::size_t hash() const noexcept { return 7; }
    };
    using Index = fusebox::detail::NameIndex<Entry>;
    std::vector<Entry> all;
    for (int i = 0; i < 17; ++i) all.push_back({"name " + std::to_string(i)});
    Index index;
    for (int i = 0; i < 16; ++i) index.add(all[static_cast<std::size_t>(i)]);
    const auto before = index.certainty();
    allocations().outOfMemory = true;
    index.add(all.back());
    allocations().outOfMemory = false;
    CHECK(index.slots() == Index::kFirstCapacity);
    CHECK_FALSE(index.isProof(before));
    CHECK_FALSE(index.isProof(index.certainty()));
}

TEST_CASE("A thread without memory for hazard pointers looks names up under the lock") {
    // A domain of its own: no record is left over from another thread.
    fusebox::detail::HazardDomain domain;
    bool claimed = true;
    std::thread{[&] {
        allocations().outOfMemory = true;
        claimed = domain.claim() != nullptr;
        allocations().outOfMemory = false;
    }}.join();
    CHECK_FALSE(claimed);
}

#endif

TEST_CASE("Names whose hashes collide are found in the map, and others are not") {
    CircuitBreakerRegistry registry;
    std::vector<std::string> names;
    for (int i = 0; names.size() < 40; ++i) {
        std::string name = "service " + std::to_string(i);
        if (fusebox::detail::hashOfName(name) % 4096 == 7) names.push_back(std::move(name));
    }
    for (const auto& name : names) registry.create(name);
    for (const auto& name : names) CHECK(registry.get(name) != nullptr);
    CHECK(registry.get("nothing") == nullptr);
}

TEST_CASE("A pin that was moved keeps its entry for its new holder") {
    using fusebox::detail::EntryPin;
    using fusebox::detail::RegistryEntry;
    auto entry =
        std::make_shared<RegistryEntry>(std::make_shared<fusebox::NamedCircuitBreaker>("pinned"));
    const std::weak_ptr<RegistryEntry> alive = entry;
    {
        EntryPin first{std::move(entry)};
        const EntryPin second{std::move(first)};
        CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move)
        CHECK(second);
        CHECK(second->name() == "pinned");
        CHECK_FALSE(alive.expired());
    }
    CHECK(alive.expired());
}

TEST_CASE("A pin that was moved gives its hazard pointer back, once") {
    using fusebox::detail::EntryPin;
    fusebox::detail::HazardDomain domain;
    fusebox::detail::RegistryEntry entry{std::make_shared<fusebox::NamedCircuitBreaker>("pinned")};
    fusebox::detail::HazardSlot slot{&entry};
    {
        EntryPin last;
        {
            EntryPin first{entry, slot, domain};
            EntryPin second{std::move(first)};
            last = std::move(second);
        }
        CHECK(last);
        CHECK(slot.load() == &entry);
    }
    CHECK(slot.load() == nullptr);
}

TEST_CASE("A pin that was moved releases what has been retired meanwhile") {
    using fusebox::detail::EntryPin;
    using fusebox::detail::RegistryEntry;
    fusebox::detail::HazardDomain domain;
    // A thread works with one domain, and this one has.
    std::thread{[&domain] {
        auto entry = std::make_shared<RegistryEntry>(
            std::make_shared<fusebox::NamedCircuitBreaker>("pinned"));
        const std::weak_ptr<RegistryEntry> alive = entry;
        fusebox::detail::HazardSlot* const slot = domain.claim();
        REQUIRE(slot);
        {
            EntryPin last;
            slot->store(entry.get());
            last = EntryPin{*entry, *slot, domain};
            domain.retire(std::move(entry));
            domain.sweep();
            CHECK_FALSE(alive.expired());
        }
        CHECK(alive.expired());
    }}.join();
}
