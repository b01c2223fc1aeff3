// SPDX-License-Identifier: MIT
// Whom a breaker tells: transitions in order, call events on the spot.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/inside.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox::detail {

/// The journal of the state machine and the listeners of one breaker.
///
/// Transitions are staged before they are published, queued by `commit` afterwards, both under the
/// breaker's mutex, so in their order; and delivered by `flush` with no lock held, by one thread at
/// a time: the others leave theirs to it. Only staging allocates.
class EventHub {
public:
    explicit EventHub(const CircuitBreakerOptions& options)
        : onStateChange_(options.onStateChange),
          onOpen_(options.onOpen),
          onHalfOpen_(options.onHalfOpen),
          onClose_(options.onClose),
          callbacks_(onStateChange_ || onOpen_ || onHalfOpen_ || onClose_) {}

    /// The words of the breaker that its snapshots carry.
    void describe(const std::string& name, const std::string& policy, const std::string& options) {
        name_ = name;
        policy_ = policy;
        options_ = options;
    }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    template <class E>
    [[nodiscard]] Subscription on(std::function<void(const E&)> listener) {
        return std::get<Listeners<E>>(listeners_).add(std::move(listener));
    }
    template <class E>
    [[nodiscard]] Listeners<E>& listeners() noexcept {
        return std::get<Listeners<E>>(listeners_);
    }
    template <class E>
    [[nodiscard]] bool wants() const noexcept {
        return std::get<Listeners<E>>(listeners_).any();
    }
    [[nodiscard]] std::uint64_t errors() const noexcept {
        return errors_.load(std::memory_order_relaxed);
    }

    /// Delivers an event of a call, on this thread; then the transitions that listeners made.
    template <class E>
    void emit(E event) noexcept {
        {
            const Inside<EventHub> inside{*this};
            contained([&] {
                stamp(event);
                call(event);
            });
        }
        flush();
    }

    [[nodiscard]] bool wantsTransitions() const noexcept {
        return callbacks_ || wants<StateChanged>();
    }
    template <class MakeSnapshot>
    void stateChanged(CircuitState from, CircuitState to, TransitionReason reason,
                      MakeSnapshot&& snapshot) noexcept {
        contained([&] {
            StateChanged event{{}, from, to, reason, snapshot()};
            addWords(event.snapshot);
            stage(std::move(event));
        });
    }
    void modeChanged(ControlMode from, ControlMode to) noexcept {
        if (wants<ModeChanged>()) contained([&] { stage(ModeChanged{{}, from, to}); });
    }
    void wasReset() noexcept {
        if (wants<WasReset>()) contained([&] { stage(WasReset{}); });
        errors_.store(0, std::memory_order_relaxed);
    }

    /// What was staged is published: it may be delivered.
    void commit() noexcept {
        if (staged_.empty()) return;
        const std::lock_guard lock{mutex_};
        queue_.splice(queue_.end(), staged_);
        pending_.store(true, std::memory_order_relaxed);
    }

    /// Delivers what is queued, unless some thread is already at it, or this one is in a listener
    /// of a call: then when that returns.
    void flush() noexcept {
        // relaxed: this thread's own events are in sight, and other threads flush theirs.
        if (!pending_.load(std::memory_order_relaxed)) return;
        if (Inside<EventHub>::isThisThread(*this)) return;
        std::unique_lock lock{mutex_};
        if (delivering_) return;
        delivering_ = true;
        while (!queue_.empty()) {
            std::list<Queued> next;
            next.splice(next.begin(), queue_, queue_.begin());
            lock.unlock();
            std::visit([this](const auto& event) { deliver(event); }, next.front());
            lock.lock();
        }
        delivering_ = false;
        pending_.store(false, std::memory_order_relaxed);
    }

    /// Names, words and the errors of listeners.
    void addWords(CircuitBreakerStats& stats) const {
        stats.name = name_;
        stats.policy = policy_;
        stats.options = options_;
        stats.listenerErrors = errors();
        if (!stats.lastTrip) return;
        stats.lastTrip->policy = policy_;
        stats.lastTrip->summary = summarize(*stats.lastTrip);
    }

private:
    using Queued = std::variant<StateChanged, ModeChanged, WasReset>;

    [[nodiscard]] static std::string summarize(const TripRecord& trip) {
        std::string text{toString(trip.reason)};
        text += ": " + std::to_string(trip.windowFailures) + " of " +
                toText(trip.windowCalls, "call") + " failed";
        if (trip.failureRate) {
            // Two decimals are enough to read.
            text += " (" + toPercent(std::round(*trip.failureRate * 1e4) / 1e4) + ")";
        }
        if (trip.windowSlow > 0) text += ", " + std::to_string(trip.windowSlow) + " slow";
        text += ", " + toText(trip.consecutiveFailures, "failure") + " in a row; policy: ";
        text += trip.policy;
        if (!trip.lastError.empty()) text += "; last error: " + trip.lastError;
        return text;
    }

    template <class E>
    void stamp(E& event) const {
        event.breaker = name_;
        event.time = std::chrono::system_clock::now();
    }

    template <class E>
    void stage(E event) {
        stamp(event);
        staged_.emplace_back(std::move(event));
    }

    template <class E>
    void deliver(const E& event) noexcept {
        if constexpr (std::is_same_v<E, StateChanged>) {
            tell(onStateChange_, event);
            if (event.to == CircuitState::Open) tell(onOpen_, event);
            if (event.to == CircuitState::HalfOpen) tell(onHalfOpen_, event);
            if (event.to == CircuitState::Closed) tell(onClose_, event);
        }
        contained([&] { call(event); });
    }
    void tell(const StateCallback& callback, const StateChanged& event) noexcept {
        if (callback) contained([&] { callback(event); });
    }
    template <class E>
    void call(const E& event) {
        std::get<Listeners<E>>(listeners_).call(event, [this](auto&& one) {
            this->contained(one);
        });
    }

    /// What listeners throw stays here.
    template <class Action>
    void contained(Action&& action) noexcept {
#if defined(__cpp_exceptions)
        try {
            action();
        } catch (...) {
            errors_.fetch_add(1, std::memory_order_relaxed);
        }
#else
        action();
#endif
    }

    StateCallback onStateChange_;
    StateCallback onOpen_;
    StateCallback onHalfOpen_;
    StateCallback onClose_;
    bool callbacks_;
    std::string name_;
    std::string policy_;
    std::string options_;
    std::tuple<Listeners<StateChanged>, Listeners<ModeChanged>, Listeners<WasReset>,
               Listeners<Reconfigured>, Listeners<CallSucceeded>, Listeners<CallFailed>,
               Listeners<CallTimedOut>, Listeners<CallRejected>, Listeners<CallIgnored>,
               Listeners<SlowCall>>
        listeners_;
    std::atomic<std::uint64_t> errors_{0};

    std::list<Queued> staged_;  // Under the breaker's mutex.

    std::mutex mutex_;
    std::list<Queued> queue_;
    bool delivering_ = false;
    std::atomic<bool> pending_{false};
};

}  // namespace fusebox::detail
