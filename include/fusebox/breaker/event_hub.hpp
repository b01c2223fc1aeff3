// SPDX-License-Identifier: MIT
// Whom a breaker tells: transitions in order, call events on the spot.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/audience.hpp"
#include "fusebox/breaker/configuration.hpp"
#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/inside.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The journal of the state machine, and the listeners of one breaker.
///
/// Transitions are staged before they are published, queued by `commit` afterwards, both under the
/// breaker's mutex, so in their order; and delivered by `flush` with no lock held, by one thread at
/// a time: the others leave theirs to it. Only staging allocates.
template <class Platform = StdPlatform>
class EventHub {
public:
    EventHub(std::string name, std::shared_ptr<const Setup> setup)
        : name_(std::move(name)), setup_(std::move(setup)), callbacks_(hasCallbacks()) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    template <class E>
    [[nodiscard]] Subscription on(std::function<void(const E&)> listener) {
        return audience_.template of<E>().add(std::move(listener));
    }
    [[nodiscard]] Audience<Platform>& audience() noexcept { return audience_; }
    template <class E>
    [[nodiscard]] FUSEBOX_HOT bool wants() const noexcept {
        return audience_.template wants<E>();
    }
    void countErrors(std::uint64_t errors) noexcept {
        errors_.fetch_add(errors, std::memory_order_relaxed);
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
    FUSEBOX_COLD void stateChanged(CircuitState from, CircuitState to, TransitionReason reason,
                                   MakeSnapshot&& snapshot) noexcept {
        contained([&] {
            StateChanged event{{}, from, to, reason, snapshot()};
            addWords(event.snapshot, *setup_);
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

    /// Another configuration is in force; `setup` gets the one before.
    void reconfigured(std::shared_ptr<const Setup>& setup) noexcept {
        if (wants<Reconfigured>()) {
            contained([&] { stage(Reconfigured{{}, setup_->words(), setup->words()}); });
        }
        setup_.swap(setup);
        callbacks_ = hasCallbacks();
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
            std::list<std::unique_ptr<Queued>> next;
            next.splice(next.begin(), queue_, queue_.begin());
            lock.unlock();
            next.front()->deliverTo(*this);
            lock.lock();
        }
        delivering_ = false;
        pending_.store(false, std::memory_order_relaxed);
    }

    /// Names, words and the errors of listeners.
    void addWords(CircuitBreakerStats& stats, const Setup& setup) const {
        stats.name = name_;
        stats.policy = setup.policyWords();
        stats.options = setup.optionsWords();
        stats.tags = setup.options.tags;
        stats.listenerErrors = errors();
    }

private:
    /// A transition that is to be told.
    class Queued {
    public:
        virtual ~Queued() = default;
        virtual void deliverTo(EventHub& hub) const noexcept = 0;
    };
    /// An event, and the configuration under which it happened.
    template <class E>
    class QueuedEvent final : public Queued {
    public:
        QueuedEvent(E&& event, std::shared_ptr<const Setup> setup)
            : event_(std::move(event)), setup_(std::move(setup)) {}
        void deliverTo(EventHub& hub) const noexcept override {
            hub.deliver(event_, setup_->options);
        }

    private:
        E event_;
        std::shared_ptr<const Setup> setup_;
    };

    [[nodiscard]] bool hasCallbacks() const noexcept {
        const CircuitBreakerOptions& options = setup_->options;
        return options.onStateChange || options.onOpen || options.onHalfOpen || options.onClose;
    }

    template <class E>
    void stamp(E& event) const {
        event.breaker = name_;
        event.time = std::chrono::system_clock::now();
    }

    template <class E>
    void stage(E&& event) {
        stamp(event);
        stage(std::unique_ptr<Queued>{new QueuedEvent<E>{std::forward<E>(event), setup_}});
    }

    void stage(std::unique_ptr<Queued> queued) { staged_.push_back(std::move(queued)); }

    template <class E>
    void deliver(const E& event, const CircuitBreakerOptions& callbacks) noexcept {
        if constexpr (std::is_same_v<E, StateChanged>) {
            tell(callbacks.onStateChange, event);
            if (event.to == CircuitState::Open) tell(callbacks.onOpen, event);
            if (event.to == CircuitState::HalfOpen) tell(callbacks.onHalfOpen, event);
            if (event.to == CircuitState::Closed) tell(callbacks.onClose, event);
        }
        contained([&] { call(event); });
    }
    void tell(const StateCallback& callback, const StateChanged& event) noexcept {
        if (callback) contained([&] { callback(event); });
    }
    template <class E>
    void call(const E& event) {
        audience_.call(event, [this](auto&& one) { this->contained(one); });
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

    std::string name_;
    Audience<Platform> audience_;
    typename Platform::template Atomic<std::uint64_t> errors_{0};

    // Under the breaker's mutex.
    std::shared_ptr<const Setup> setup_;
    std::list<std::unique_ptr<Queued>> staged_;
    bool callbacks_;

    // Under this one.
    bool delivering_ = false;
    typename Platform::template Atomic<bool> pending_{false};
    typename Platform::Mutex mutex_;
    std::list<std::unique_ptr<Queued>> queue_;
};

}  // namespace fusebox::detail
