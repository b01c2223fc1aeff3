// SPDX-License-Identifier: MIT
#include "drills/callers.hpp"

#include <algorithm>
#include <stop_token>

namespace fusebox::test {
namespace {

using Clock = std::chrono::steady_clock;

/// Notes that this thread's call has ended so.
void tell(Told how) {
    SeenCall* const call = Witness::presentCall();
    if (call == nullptr) return;
    call->told = how;
    ++call->tellings;
}

}  // namespace

Witness::Witness(NamedCircuitBreaker& breaker) {
    const auto on = [&]<class Event>(Told how) {
        subscriptions_.push_back(breaker.on<Event>([how](const Event&) { tell(how); }));
    };
    on.operator()<CallSucceeded>(Told::Success);
    on.operator()<CallFailed>(Told::Failure);
    on.operator()<CallTimedOut>(Told::Timeout);
    on.operator()<CallIgnored>(Told::Ignored);
    on.operator()<CallRejected>(Told::Rejected);
    subscriptions_.push_back(breaker.on<SlowCall>([](const SlowCall&) {
        if (SeenCall* const call = presentCall()) call->slow = true;
    }));
    subscriptions_.push_back(
        breaker.on<StateChanged>([this](const StateChanged& event) { note(event); }));
}

void Witness::note(const StateChanged& event) {
    const Time now = Clock::now();
    SeenCall* const call = presentCall();
    // It may tell what others did, too: later, and of later states.
    if (call != nullptr && !call->admitted() && event.to == CircuitState::HalfOpen) {
        call->halfOpen = std::min(call->halfOpen, now);
    }
    const std::lock_guard lock{mutex_};
    transitions_.push_back({now, event.from, event.to, event.reason});
}

void Caller::call() {
    SeenCall& record = records_.emplace_back();
    Witness::presentCall() = &record;
    record.start = Clock::now();
    const flaky::Response response = ask(record);
    record.end = Clock::now();
    Witness::presentCall() = nullptr;
    record.status = response.status;
    record.rejected = response.rejected;
    if (response.status == 200) ++answers_;
    ++calls_;
}

flaky::Response Caller::ask(SeenCall& record) {
    const auto noted = [&](auto&& work) {
        record.begun = Clock::now();
        const flaky::Response response = work();
        record.ended = Clock::now();
        return response;
    };
    const auto patiently = [&](const CallContext& context) {
        return noted([&] { return client_.work(context.remaining()); });
    };
    switch (outage_.form) {
        case Form::StopToken:
            return breaker_.execute([&](const std::stop_token& stop) {
                return noted([&] { return client_.workUntil(stop); });
            });
        case Form::Permit: {
            auto permit = breaker_.tryAcquire();
            if (!permit) return RejectionTraits<flaky::Response>::make(permit.rejection());
            const auto response =
                noted([&] { return client_.work(outage_.options.requestTimeout); });
            permit.report(OutcomeTraits<flaky::Response>::classify(response));
            return response;
        }
        case Form::Fallback:
            return breaker_.execute(patiently,
                                    fallback([] { return flaky::Response{.rejected = true}; }));
        default: return breaker_.execute(patiently);
    }
}

void Caller::pause() {
    using std::chrono::microseconds;
    std::uniform_int_distribution<microseconds::rep> length{microseconds{kShortestPause}.count(),
                                                            microseconds{kLongestPause}.count()};
    std::this_thread::sleep_for(microseconds{length(random_)});
}

}  // namespace fusebox::test
