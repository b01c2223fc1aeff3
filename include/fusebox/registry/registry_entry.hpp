// SPDX-License-Identifier: MIT
// What a registry keeps of one breaker.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/circuit_breaker_view.hpp"
#include "fusebox/registry/hazard_pointers.hpp"
#include "fusebox/registry/name_hash.hpp"
#include "fusebox/vocabulary/clock.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The policy and options that a name was registered with.
struct Registration {
    AnyTripPolicy policy;
    CircuitBreakerOptions options;  // Callbacks are not compared, so not kept.

    Registration(AnyTripPolicy registered, CircuitBreakerOptions given)
        : policy(std::move(registered)), options(std::move(given)) {
        options.classifyError = nullptr;
        options.onStateChange = options.onOpen = options.onHalfOpen = options.onClose = nullptr;
    }

    /// Whether what was given (null: was not) differs. Allocates nothing.
    template <class P>
    [[nodiscard]] bool differsFrom(const P* other, const CircuitBreakerOptions* given) const {
        return (other && !policy.isSameAs(*other)) || (given && !equivalent(options, *given));
    }
};

/// One breaker of a registry. Never changed once it can be found, but for the last two members.
class RegistryEntry final : public Retirable {
public:
    template <class Breaker>
    explicit RegistryEntry(std::shared_ptr<Breaker> breaker)
        : name_(breaker->name()),
          hash_(hashOf(name_)),
          registration_(registrationOf(*breaker)),
          view_(std::make_shared<BreakerView<Breaker>>(std::move(breaker))),
          named_(view_->named()) {
        touch();
    }

    [[nodiscard]] static std::size_t hashOf(std::string_view name) noexcept {
        return hashOfName(name);
    }

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::size_t hash() const noexcept { return hash_; }
    [[nodiscard]] const std::shared_ptr<TypedView>& view() const noexcept { return view_; }
    /// Null if it is a breaker of another type.
    [[nodiscard]] NamedCircuitBreaker* named() const noexcept { return named_; }
    /// Of a named breaker.
    [[nodiscard]] const std::optional<Registration>& registration() const noexcept {
        return registration_;
    }

    /// Whether someone outside the registry holds the breaker or its view.
    [[nodiscard]] bool isHeld() const noexcept {
        return view_.use_count() > 1 || view_->breaker().use_count() > 1;
    }

    [[nodiscard]] bool conflictReported() const noexcept {
        // relaxed: a hint; reportConflict() decides.
        return conflictReported_.load(std::memory_order_relaxed);
    }
    /// True for one caller.
    [[nodiscard]] bool reportConflict() noexcept {
        // relaxed: only one of them may win.
        return !conflictReported_.exchange(true, std::memory_order_relaxed);
    }

    /// Notes that it was looked up: to the tick of the coarse clock, one write a tick at most.
    void touch() noexcept {
        const auto now = CoarseSteadyClock::now().time_since_epoch();
        // relaxed, both: the order of evictions is all that depends on it.
        if (lastUsed_.load(std::memory_order_relaxed) == now) return;
        lastUsed_.store(now, std::memory_order_relaxed);
    }
    [[nodiscard]] std::chrono::nanoseconds lastUsed() const noexcept {
        return lastUsed_.load(std::memory_order_relaxed);  // See touch().
    }

private:
    template <class Breaker>
    [[nodiscard]] static std::optional<Registration> registrationOf(const Breaker& breaker) {
        if constexpr (std::is_same_v<Breaker, NamedCircuitBreaker>) {
            return Registration{breaker.policy(), breaker.options()};
        } else {
            return std::nullopt;
        }
    }

    const std::string name_;
    const std::size_t hash_;
    const std::optional<Registration> registration_;
    const std::shared_ptr<TypedView> view_;
    NamedCircuitBreaker* const named_;
    std::atomic<bool> conflictReported_{false};
    // On a line of its own: everyone reads the others.
    alignas(kCacheLine) std::atomic<std::chrono::nanoseconds> lastUsed_{};
};

/// Keeps an entry alive for as long as it lives: by a hazard pointer, or without one by sharing it.
class EntryPin {
public:
    EntryPin() noexcept = default;
    EntryPin(RegistryEntry& entry, HazardSlot& slot, HazardDomain& domain) noexcept
        : entry_(&entry), slot_(&slot), domain_(&domain) {}
    explicit EntryPin(std::shared_ptr<RegistryEntry> entry) noexcept
        : entry_(entry.get()), shared_(std::move(entry)) {}
    EntryPin(EntryPin&& other) noexcept
        : entry_(std::exchange(other.entry_, nullptr)),
          slot_(std::exchange(other.slot_, nullptr)),
          domain_(other.domain_),
          shared_(std::move(other.shared_)) {}
    /// @pre this holds nothing.
    EntryPin& operator=(EntryPin&& other) noexcept {
        entry_ = std::exchange(other.entry_, nullptr);
        slot_ = std::exchange(other.slot_, nullptr);
        domain_ = other.domain_;
        shared_ = std::move(other.shared_);
        return *this;
    }
    FUSEBOX_HOT ~EntryPin() {
        // A slot is never without an entry, but gcc 12 would think so, and warn.
        if (!entry_ || !slot_) return;
        const bool retired = entry_->retired();
        // release: what was done with the entry was done before.
        slot_->store(nullptr, std::memory_order_release);
        if (retired) [[unlikely]]
            domain_->sweep();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return entry_ != nullptr; }
    [[nodiscard]] RegistryEntry* operator->() const noexcept { return entry_; }
    [[nodiscard]] RegistryEntry& operator*() const noexcept { return *entry_; }

private:
    RegistryEntry* entry_ = nullptr;
    HazardSlot* slot_ = nullptr;
    HazardDomain* domain_ = nullptr;
    std::shared_ptr<RegistryEntry> shared_;
};

}  // namespace fusebox::detail
