// SPDX-License-Identifier: MIT
// Finding and making the breakers of a registry, and telling its listeners.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/breaker_store.hpp"
#include "fusebox/registry/circuit_breaker_view.hpp"
#include "fusebox/registry/presets.hpp"
#include "fusebox/registry/registry_entry.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox::detail {

template <class T>
inline constexpr bool isFallback = false;
template <class F>
inline constexpr bool isFallback<Fallback<F>> = true;

/// What stands in a policy's place: neither options nor a fallback.
template <class P>
concept PolicyArgument = !isFallback<P> && !std::same_as<P, CircuitBreakerOptions>;

/// What is behind a registry. A policy or options that are null were not given.
class BreakerMaker {
public:
    using Handle = std::shared_ptr<NamedCircuitBreaker>;

    explicit BreakerMaker(HazardDomain& domain) : store_(domain) {}

    [[nodiscard]] BreakerStore& store() noexcept { return store_; }
    [[nodiscard]] const BreakerStore& store() const noexcept { return store_; }
    [[nodiscard]] Presets& presets() noexcept { return presets_; }
    [[nodiscard]] const Presets& presets() const noexcept { return presets_; }
    [[nodiscard]] RegistryAudience& audience() noexcept { return audience_; }

    /// The entry of that name, made if there is none; of a NamedCircuitBreaker.
    template <class P>
    [[nodiscard]] FUSEBOX_HOT EntryPin pin(std::string_view name, const P* policy,
                                           const CircuitBreakerOptions* options) {
        static_assert(BuiltInPolicy<P>,
                      "fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of "
                      "them; make one with a policy of your own and let it join with add()");
        EntryPin found = store_.findHere(name);
        if (!found) [[unlikely]]
            found = makeOrFind(name, policy, options);
        if (!found->named()) [[unlikely]]
            raiseOtherType(name);
        if ((policy || options) && audience_.wants<ConfigConflict>())
            reportConflict(*found, policy, options);
        return found;
    }

    template <class P>
    [[nodiscard]] Handle getOrCreate(std::string_view name, const P* policy,
                                     const CircuitBreakerOptions* options) {
        return handleOf(*pin(name, policy, options));
    }

    template <class P>
    Handle create(std::string_view name, const P* policy, const CircuitBreakerOptions* options) {
        static_assert(BuiltInPolicy<P>,
                      "fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of "
                      "them; make one with a policy of your own and let it join with add()");
        Handle breaker = build(name, policy, options);
        insertNew(breaker);
        return breaker;
    }

    template <class Breaker>
    void add(std::shared_ptr<Breaker> breaker) {
        if (!breaker) raise(ConfigError{complain("breaker", "null", "a breaker")});
        insertNew(std::move(breaker));
    }

    template <class Breaker>
    [[nodiscard]] std::shared_ptr<Breaker> get(std::string_view name) const {
        const EntryPin found = store_.find(name);
        if (!found) return nullptr;
        if constexpr (std::is_same_v<Breaker, NamedCircuitBreaker>) {
            if (found->named()) return handleOf(*found);
        } else {
            const TypedView& view = *found->view();
            if (view.type() == typeTag<Breaker>()) {
                return std::static_pointer_cast<Breaker>(view.breaker());
            }
        }
        raiseOtherType(name);
    }

    bool remove(std::string_view name) {
        const BreakerStore::EntryPtr removed = store_.remove(name);
        if (!removed) return false;
        tellRemoved({removed}, RemovalReason::Removed);
        return true;
    }
    void clear() { tellRemoved(store_.clear(), RemovalReason::Cleared); }

    void setMost(std::size_t most) {
        BreakerStore::EntryPtrs evicted;
        store_.setMost(most, evicted);
        tellRemoved(std::move(evicted), RemovalReason::Evicted);
    }

private:
    [[nodiscard]] static Handle handleOf(const RegistryEntry& entry) noexcept {
        return Handle{entry.view()->breaker(), entry.named()};
    }

    [[noreturn]] FUSEBOX_COLD static void raiseOtherType(std::string_view name) {
        raise(ConfigError{"circuit breaker \"" + std::string{name} +
                          "\": its type is not the one asked for; allowed: "
                          "the clock and policy that it was added with"});
    }

    /// A breaker that is in no registry yet; what is not given comes from the defaults.
    template <class P>
    [[nodiscard]] Handle build(std::string_view name, const P* policy,
                               const CircuitBreakerOptions* options) const {
        BreakerPreset config = presets_.defaults();
        if (policy) config.policy = *policy;
        if (options) config.options = *options;
        return std::make_shared<NamedCircuitBreaker>(std::string{name}, std::move(config.policy),
                                                     std::move(config.options));
    }

    template <class P>
    [[nodiscard]] FUSEBOX_COLD EntryPin makeOrFind(std::string_view name, const P* policy,
                                                   const CircuitBreakerOptions* options) {
        // If another thread was faster, its breaker is the one.
        return EntryPin{insert(std::make_shared<RegistryEntry>(build(name, policy, options)))};
    }

    template <class Breaker>
    void insertNew(std::shared_ptr<Breaker> breaker) {
        const auto entry = std::make_shared<RegistryEntry>(std::move(breaker));
        if (insert(entry) != entry) {
            raise(ConfigError{"circuit breaker \"" + std::string{entry->name()} +
                              "\": name is already registered; allowed: a new name"});
        }
    }

    /// @return the entry of that name: this one, or one that was there.
    [[nodiscard]] BreakerStore::EntryPtr insert(const BreakerStore::EntryPtr& entry) {
        BreakerStore::EntryPtrs evicted;
        BreakerStore::EntryPtr registered = store_.insert(entry, evicted);
        tellRemoved(std::move(evicted), RemovalReason::Evicted);
        if (registered == entry) tellAll(audience_, BreakerAdded{{entry->name()}});
        return registered;
    }

    /// The entries live until it returns, and those that nobody uses no longer.
    void tellRemoved(BreakerStore::EntryPtrs removed, RemovalReason reason) noexcept {
        for (const auto& entry : removed) {
            tellAll(audience_, BreakerRemoved{{entry->name()}, reason});
        }
        store_.domain().sweep();
    }

    template <class P>
    FUSEBOX_COLD void reportConflict(RegistryEntry& entry, const P* policy,
                                     const CircuitBreakerOptions* options) {
        const Registration& registered = *entry.registration();
        if (entry.conflictReported() || !registered.differsFrom(policy, options) ||
            !entry.reportConflict()) {
            return;
        }
        const auto words = [](const auto& p, const CircuitBreakerOptions& o) {
            return toString(p) + "; " + toString(o);
        };
        const CircuitBreakerOptions& given = options ? *options : registered.options;
        tellAll(audience_,
                ConfigConflict{{entry.name()},
                               words(registered.policy, registered.options),
                               policy ? words(*policy, given) : words(registered.policy, given)});
    }

    BreakerStore store_;
    Presets presets_;
    RegistryAudience audience_;
};

}  // namespace fusebox::detail
