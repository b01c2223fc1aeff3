// SPDX-License-Identifier: MIT
// CircuitBreakerRegistry: breakers by name.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/listener.hpp"
#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/breaker_maker.hpp"
#include "fusebox/registry/circuit_breaker_view.hpp"
#include "fusebox/registry/presets.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/registry/wide_listeners.hpp"

namespace fusebox {

namespace detail {
struct RegistryAccess;
}

/// Breakers by name, of any clock and policy. A breaker made by name is a NamedCircuitBreaker;
/// others join with `add`.
///
/// **Threads.** Everything may be called concurrently; listeners run with no lock held.
/// **Cost.** Looking up a name that exists takes no lock, allocates nothing and writes nothing that
/// other threads read; so does a call by name. (A handle that is returned is counted, which does.)
class CircuitBreakerRegistry {
public:
    using Handle = std::shared_ptr<NamedCircuitBreaker>;

    CircuitBreakerRegistry()
        : CircuitBreakerRegistry(detail::processHazardDomain<detail::kVersion>()) {}
    /// For the library's own tests; the domain must outlive the registry and its calls in flight.
    explicit CircuitBreakerRegistry(detail::HazardDomain& domain) : maker_(domain) {}
    CircuitBreakerRegistry(const CircuitBreakerRegistry&) = delete;
    CircuitBreakerRegistry& operator=(const CircuitBreakerRegistry&) = delete;

    // What makes breakers is a template, also where AnyTripPolicy is the only choice: only files
    // that make one spend the time to compile it, half of that of a file which includes this.

    /// A new breaker; what is not given comes from the defaults.
    /// @throws ConfigError if the name exists, or the configuration cannot work.
    template <class P = AnyTripPolicy>
    Handle create(std::string_view name) {
        return maker_.create<P>(name, nullptr, nullptr);
    }
    template <class P = AnyTripPolicy>
    Handle create(std::string_view name, const CircuitBreakerOptions& options) {
        return maker_.create<P>(name, nullptr, &options);
    }
    template <detail::PolicyArgument P>
    Handle create(std::string_view name, const P& policy) {
        return maker_.create(name, &policy, nullptr);
    }
    template <detail::PolicyArgument P>
    Handle create(std::string_view name, const P& policy, const CircuitBreakerOptions& options) {
        return maker_.create(name, &policy, &options);
    }
    /// A new breaker made from a preset; `change`, if given, may change single fields of it.
    /// @throws ConfigError as `create` and `preset`; also what `change` throws.
    template <class P = AnyTripPolicy>
    Handle createFromPreset(std::string_view name, std::string_view presetName,
                            const std::function<void(BreakerPreset&)>& change = {}) {
        BreakerPreset chosen = preset(presetName);
        if (change) change(chosen);
        return create<P>(name, chosen.policy, chosen.options);
    }

    /// The breaker of that name, made if there is none. The first configuration wins; a given one
    /// that differs from it is reported through `onConfigConflict`, once a name.
    /// @throws ConfigError if the configuration cannot work, or the name is of another type.
    template <class P = AnyTripPolicy>
    Handle getOrCreate(std::string_view name) {
        return maker_.getOrCreate<P>(name, nullptr, nullptr);
    }
    template <class P = AnyTripPolicy>
    Handle getOrCreate(std::string_view name, const CircuitBreakerOptions& options) {
        return maker_.getOrCreate<P>(name, nullptr, &options);
    }
    template <detail::PolicyArgument P>
    Handle getOrCreate(std::string_view name, const P& policy) {
        return maker_.getOrCreate(name, &policy, nullptr);
    }
    template <detail::PolicyArgument P>
    Handle getOrCreate(std::string_view name, const P& policy,
                       const CircuitBreakerOptions& options) {
        return maker_.getOrCreate(name, &policy, &options);
    }

    /// Lets a breaker of any clock and policy join under its own name.
    /// @throws ConfigError if the handle is null or the name exists.
    template <class Clock, class Policy>
    void add(std::shared_ptr<CircuitBreaker<Clock, Policy>> breaker) {
        maker_.add(std::move(breaker));
    }

    /// The breaker of that name; null if there is none.
    /// @throws ConfigError if it is of another type than `Breaker`. Where shared objects hide their
    /// symbols, only a NamedCircuitBreaker can be had by another one than added it.
    template <class Breaker = NamedCircuitBreaker>
    [[nodiscard]] std::shared_ptr<Breaker> get(std::string_view name) const {
        return maker_.get<Breaker>(name);
    }

    /// What can be watched and steered under that name; null if there is nothing.
    [[nodiscard]] std::shared_ptr<CircuitBreakerView> view(std::string_view name) const {
        const detail::EntryPin found = maker_.store().find(name);
        if (!found) return nullptr;
        return found->view();
    }

    /// Every breaker, sorted by name.
    [[nodiscard]] std::vector<std::shared_ptr<CircuitBreakerView>> getAll() const {
        return maker_.store().views();
    }
    /// The stats of every breaker, sorted by name.
    [[nodiscard]] std::vector<CircuitBreakerStats> getAllStats() const {
        std::vector<CircuitBreakerStats> all;
        for (const auto& view : getAll()) all.push_back(view->stats());
        return all;
    }
    /// How many breakers there are.
    [[nodiscard]] std::size_t size() const { return maker_.store().size(); }

    /// Forgets a breaker; says whether it was there. Calls in flight go on; the breaker lives until
    /// they end, freed then or by the next operation that changes a registry.
    bool remove(std::string_view name) { return maker_.remove(name); }
    /// Forgets every breaker.
    void clear() { maker_.clear(); }

    /// How many breakers to hold; 0, the default: any number. Creating or adding one more evicts
    /// the one that was not looked up for longest (to the tick of the coarse clock: 10 ms at worst)
    /// of those that are closed, under automatic control, and not in use: neither called by name
    /// at that moment nor held by a handle or view. Without such a one the registry grows beyond
    /// its bound, and shrinks when the next one is created.
    /// **Cost.** Look-ups write to their entry once a tick; creating looks at breakers that were
    /// idle for longer, but may not go.
    void setMaxBreakers(std::size_t most) { maker_.setMost(most); }

    /// Resets a breaker; says whether it was there.
    bool reset(std::string_view name) {
        const auto found = view(name);
        if (found) found->reset();
        return found != nullptr;
    }
    void resetAll() {
        for (const auto& view : getAll()) view->reset();
    }

    /// The policy and options of breakers that are created without.
    /// @throws ConfigError if they cannot work.
    void setDefaults(AnyTripPolicy policy, CircuitBreakerOptions options = {}) {
        maker_.presets().setDefaults({std::move(policy), std::move(options)});
    }
    /// Keeps a policy and options under a name; the last definition wins.
    /// @throws ConfigError if they cannot work.
    void definePreset(std::string_view name, AnyTripPolicy policy,
                      CircuitBreakerOptions options = {}) {
        maker_.presets().define(name, {std::move(policy), std::move(options)});
    }
    /// A preset by value: change single fields, then create with it.
    /// @throws ConfigError that lists the known ones if there is none of that name.
    [[nodiscard]] BreakerPreset preset(std::string_view name) const {
        return maker_.presets().get(name);
    }

    /// Calls `listener(const Event&)`, or `listener()`, for that event of every breaker: those that
    /// are here, and those that come, of whatever type. Ends for a breaker that leaves, though what
    /// is just being delivered on other threads may still come. What the listener throws is counted
    /// in the `listenerErrors` of the breaker.
    template <class Event, detail::ListensTo<Event> Listener>
    [[nodiscard]] Subscription on(Listener listener) {
        static_assert(std::derived_from<Event, fusebox::Event>,
                      "fusebox::CircuitBreakerRegistry::on<Event>: Event must be an event of a "
                      "breaker, such as StateChanged");
        auto gated = std::make_shared<detail::Listener<Event>>(
            detail::listenerOf<Event>(std::move(listener)));
        const auto wide = std::make_shared<detail::WideListener>(
            gated, [](detail::EventHub<>& hub) -> detail::AnyListeners<>& {
                return hub.audience().of<Event>();
            });
        Subscription subscription = detail::subscriptionOf(std::move(gated), wide);
        maker_.store().listen(wide);
        return subscription;
    }

    /// Called as `listener(const BreakerAdded&)` or `listener()`; what it throws is contained.
    template <detail::ListensTo<BreakerAdded> Listener>
    [[nodiscard]] Subscription onAdded(Listener listener) {
        return maker_.audience().of<BreakerAdded>().add(
            detail::listenerOf<BreakerAdded>(std::move(listener)));
    }
    template <detail::ListensTo<BreakerRemoved> Listener>
    [[nodiscard]] Subscription onRemoved(Listener listener) {
        return maker_.audience().of<BreakerRemoved>().add(
            detail::listenerOf<BreakerRemoved>(std::move(listener)));
    }
    template <detail::ListensTo<ConfigConflict> Listener>
    [[nodiscard]] Subscription onConfigConflict(Listener listener) {
        return maker_.audience().of<ConfigConflict>().add(
            detail::listenerOf<ConfigConflict>(std::move(listener)));
    }

private:
    friend detail::RegistryAccess;

    detail::BreakerMaker maker_;
};

}  // namespace fusebox
