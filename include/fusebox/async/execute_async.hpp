// SPDX-License-Identifier: MIT
// executeAsync: the call runs in an executor, and its caller gets a future.
#pragma once

#include <future>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/async/call_errors.hpp"
#include "fusebox/async/call_in_executor.hpp"
#include "fusebox/async/future_call.hpp"
#include "fusebox/breaker/breaker_core.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/registry/process_registry.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox {

namespace detail {

/// @param breaker what keeps the breaker alive; null: the caller does.
template <class R, class Core, class E, class Fn, class Classifier>
std::future<FutureValue<R>> guardCallAsync(Core& core, std::shared_ptr<const void> breaker,
                                           E& executor, Fn&& fn, Classifier classifier) {
    NoAnswer none;
    Ticket ticket;
    if (!core.machine().admit(ticket)) {
        CallPromise<R> promise{std::move(breaker)};
        auto future = promise.future();
        promise.keep([&]() -> R { return answerRejected<R>(core, ticket, none); });
        return future;
    }
    Submission<FutureCall<Core, Fn, R, Classifier>, Core> submission{core, ticket};
    const auto& call =
        submission.make(std::forward<Fn>(fn), std::move(classifier), std::move(breaker));
    auto future = call->promise().future();
    call->awaitDeadline();
    if (!submission.to(executor) && call->withdrawn()) {
        call->promise().keep([&]() -> R {
            return deliverRejection<R, QueueFullError>(rejectedByExecutor(core), none);
        });
    }
    return future;
}

/// Says that `CircuitBreaker::executeAsync` finds what it needs.
template <class Clock, class Policy>
void runsAsync(const BreakerCore<Clock, Policy>&);

/// One call through a breaker and an executor, in whatever form it was given.
template <class Core, class E, class Fn>
auto guardAsync(Core& core, std::shared_ptr<const void> breaker, E& executor, Fn&& fn) {
#if !defined(__cpp_exceptions)
    static_assert(alwaysFalse<Fn>,
                  "fusebox: executeAsync needs exceptions: its future carries rejections and "
                  "timeouts as such; use executeOn with a fallback");
#endif
    if constexpr (isJudged<std::remove_cvref_t<Fn>>) {
        using Inner = decltype((std::forward<Fn>(fn).fn));
        (void)RequireCallable<E, Inner>{};
        using R = ResultApart<Inner, Core>;
        using Classifier = std::decay_t<decltype(fn.classifier)>;
        (void)RequireJudge<Classifier&, R>{};
        return guardCallAsync<R>(core, std::move(breaker), executor, std::forward<Fn>(fn).fn,
                                 Classifier(std::forward<Fn>(fn).classifier));
    } else {
        (void)RequireCallable<E, Fn>{};
        return guardCallAsync<ResultApart<Fn, Core>>(core, std::move(breaker), executor,
                                                     std::forward<Fn>(fn), NoClassifier{});
    }
}

}  // namespace detail

/// `breaker.executeAsync(executor, fn)`.
template <class Clock, class Policy, class E, class Fn>
auto executeAsync(CircuitBreaker<Clock, Policy>& breaker, E&& executor, Fn&& fn) {
    return breaker.executeAsync(executor, std::forward<Fn>(fn));
}

/// As above, through a handle: a copy of it keeps the breaker alive until the future is ready.
/// @pre the handle is not null.
template <class Clock, class Policy, class E, class Fn>
auto executeAsync(const std::shared_ptr<CircuitBreaker<Clock, Policy>>& breaker, E&& executor,
                  Fn&& fn) {
    return detail::guardAsync(detail::CoreAccess::coreOf(*breaker), breaker, executor,
                              std::forward<Fn>(fn));
}

/// As above, through the breaker of that name in the registry of the process, made on first use.
template <class E, class Fn>
auto executeAsync(std::string_view name, E&& executor, Fn&& fn) {
    return fusebox::executeAsync(circuitBreakerRegistry().getOrCreate(name), executor,
                                 std::forward<Fn>(fn));
}

}  // namespace fusebox
