// SPDX-License-Identifier: MIT
// Everyone that a breaker can tell something, writing down what they are told.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "reference/told.hpp"

namespace fusebox::test {

class Listeners {
public:
    Listeners() = default;
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;

    /// The four of the options; they never throw.
    void fill(CircuitBreakerOptions& options) {
        using What = Told::What;
        options.onStateChange = [this](const StateChanged& e) { heard(What::OnStateChange, e); };
        options.onOpen = [this](const StateChanged& e) { heard(What::OnOpen, e); };
        options.onHalfOpen = [this](const StateChanged& e) { heard(What::OnHalfOpen, e); };
        options.onClose = [this](const StateChanged& e) { heard(What::OnClose, e); };
    }

    template <class Breaker>
    void listenToTransitions(Breaker& breaker) {
        using What = Told::What;
        keep(transitions_, breaker.template on<StateChanged>([this](const StateChanged& e) {
            heard(What::StateChanged, e);
            mayThrow();
        }));
        keep(transitions_, breaker.template on<ModeChanged>([this](const ModeChanged& e) {
            order({What::ModeChanged, asNumber(e.from), asNumber(e.to)});
        }));
        keep(transitions_, breaker.template on<Reconfigured>(
                               [this](const Reconfigured&) { order({What::Reconfigured}); }));
        keep(transitions_, breaker.template on<WasReset>([this] { order({What::WasReset}); }));
    }

    template <class Breaker>
    void listenToCalls(Breaker& breaker) {
        using What = Told::What;
        keep(calls_, breaker.template on<CallSucceeded>([this](const CallSucceeded& e) {
            call({What::Succeeded, e.elapsed.count()});
        }));
        keep(calls_, breaker.template on<CallFailed>([this](const CallFailed& e) {
            call({What::Failed, e.elapsed.count()});
        }));
        keep(calls_, breaker.template on<CallTimedOut>([this](const CallTimedOut& e) {
            call({What::TimedOut, e.elapsed.count()});
        }));
        keep(calls_, breaker.template on<CallIgnored>([this](const CallIgnored& e) {
            call({What::Ignored, e.elapsed.count()});
        }));
        keep(calls_, breaker.template on<SlowCall>([this](const SlowCall& e) {
            call({What::Slow, e.elapsed.count(), asNumber(e.outcome)});
        }));
    }

    template <class Breaker>
    void listenToRejections(Breaker& breaker) {
        keep(rejections_, breaker.template on<CallRejected>([this](const CallRejected& e) {
            const Rejection& r = e.rejection;
            call({Told::What::Rejected, asNumber(r.reason), r.retryAfter.count(),
                  asNumber(r.state)});
        }));
    }

    void stopTransitions() { transitions_.clear(); }
    void stopCalls() { calls_.clear(); }
    void stopRejections() { rejections_.clear(); }
    void stopAll() {
        stopTransitions();
        stopCalls();
        stopRejections();
        throwing = false;
    }

    Tellings told{};
    bool throwing = false;

private:
    using Subscriptions = std::vector<Subscription>;

    template <class E>
    [[nodiscard]] static std::int64_t asNumber(E value) {
        return static_cast<std::int64_t>(value);
    }
    static void keep(Subscriptions& all, Subscription one) { all.push_back(std::move(one)); }

    void heard(Told::What what, const StateChanged& event) {
        // The snapshot is of the state that is left, just before.
        const bool sane = event.breaker == "walked" && event.snapshot.name == event.breaker;
        told.ordered.push_back({what, asNumber(event.from), asNumber(event.to),
                                asNumber(event.reason),
                                sane ? static_cast<std::int64_t>(event.snapshot.timesOpened) : -1});
    }
    void order(Told event) {
        told.ordered.push_back(event);
        mayThrow();
    }
    void call(Told event) {
        told.calls.push_back(event);
        mayThrow();
    }
    void mayThrow() const {
        if (throwing) throw std::runtime_error{"a listener"};
    }

    Subscriptions transitions_{};
    Subscriptions calls_{};
    Subscriptions rejections_{};
};

}  // namespace fusebox::test
