// SPDX-License-Identifier: MIT
// executeOn: the call runs in an executor, and its caller waits no longer than the deadline.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/async/call_errors.hpp"
#include "fusebox/async/call_in_executor.hpp"
#include "fusebox/async/call_race.hpp"
#include "fusebox/async/call_result.hpp"
#include "fusebox/async/executor.hpp"
#include "fusebox/breaker/breaker_core.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/registry/process_registry.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox {

namespace detail {

/// A call whose caller waits for it, and does everything that concerns the breaker.
template <class Core, class Fn, class R>
class AwaitedCall final : public CallInExecutor<Core, Fn, R> {
public:
    using CallInExecutor<Core, Fn, R>::CallInExecutor;

    void dropped() noexcept override { static_cast<void>(this->race().end(Ending::Dropped)); }
    [[nodiscard]] bool withdraw() noexcept {
        static_cast<void>(this->race().end(Ending::Abandoned));
        return true;
    }

private:
    void returned() noexcept override {}
};

template <class R, class Core, class E, class Fn, class Classifier, class Answer>
FUSEBOX_APART R guardCallOn(Core& core, E& executor, Fn&& fn, Classifier& classifier,
                            Answer& answer) {
    Ticket ticket;
    if (!core.machine().admit(ticket)) return answerRejected<R>(core, ticket, answer);
    Submission<AwaitedCall<Core, Fn, R>, Core> submission{core, ticket};
    const auto& call = submission.make(std::forward<Fn>(fn));
    if (!submission.to(executor)) {
        return deliverRejection<R, QueueFullError>(rejectedByExecutor(core), answer);
    }
    const Ending ending = call->race().await();
    if (ending == Ending::Returned) {
        return guardAdmitted<R, KnowsDeadline<CalledAs<Fn>>>(
            core, ticket, TakeResult<R>{call->result()}, classifier, answer);
    }
    if (ending == Ending::Abandoned) {
        return deliverError<R>(reportTimeout(core, ticket), answer);
    }
    core.cancel(ticket);
    return deliverError<R>(droppedByExecutor(core), answer);
}

/// Says that `CircuitBreaker::executeOn` finds what it needs.
template <class Clock, class Policy>
void runsOnExecutors(const BreakerCore<Clock, Policy>&);

/// One call through a breaker and an executor, in whatever form it was given.
template <class Core, class E, class Fn, class Answer>
decltype(auto) guardOn(Core& core, E& executor, Fn&& fn, Answer& answer) {
    if constexpr (isJudged<std::remove_cvref_t<Fn>>) {
        using Inner = decltype((std::forward<Fn>(fn).fn));
        (void)RequireCallable<E, Inner>{};
        using R = ResultApart<Inner, Core>;
        (void)RequireJudge<decltype((fn.classifier)), R>{};
        return guardCallOn<R>(core, executor, std::forward<Fn>(fn).fn, fn.classifier, answer);
    } else {
        (void)RequireCallable<E, Fn>{};
        NoClassifier none;
        return guardCallOn<ResultApart<Fn, Core>>(core, executor, std::forward<Fn>(fn), none,
                                                  answer);
    }
}

}  // namespace detail

/// `breaker.executeOn(executor, fn[, fallback])`.
template <class Clock, class Policy, class E, class Fn, class F = detail::NoAnswer>
decltype(auto) executeOn(CircuitBreaker<Clock, Policy>& breaker, E&& executor, Fn&& fn,
                         Fallback<F> fallback = detail::noFallback) {
    return breaker.executeOn(executor, std::forward<Fn>(fn), std::move(fallback));
}

/// As above, through a handle, which may be reset as soon as this returns.
/// @pre the handle is not null.
template <class Clock, class Policy, class E, class Fn, class F = detail::NoAnswer>
decltype(auto) executeOn(const std::shared_ptr<CircuitBreaker<Clock, Policy>>& breaker,
                         E&& executor, Fn&& fn, Fallback<F> fallback = detail::noFallback) {
    return breaker->executeOn(executor, std::forward<Fn>(fn), std::move(fallback));
}

/// As above, through the breaker of that name in the registry of the process, made on first use.
template <class E, class Fn, class F = detail::NoAnswer>
decltype(auto) executeOn(std::string_view name, E&& executor, Fn&& fn,
                         Fallback<F> fallback = detail::noFallback) {
    const auto breaker = circuitBreakerRegistry().getOrCreate(name);
    return breaker->executeOn(executor, std::forward<Fn>(fn), std::move(fallback));
}

}  // namespace fusebox
