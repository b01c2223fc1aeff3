// SPDX-License-Identifier: MIT
// One call through a breaker: admission, invocation, judging, report, and what the caller gets.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/call_context.hpp"
#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "fusebox/breaker/judging.hpp"
#include "fusebox/breaker/rejection_traits.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// When an admitted call began; if no clock was read for it: now.
template <class Core>
[[nodiscard]] std::chrono::nanoseconds startOf(const Core& core, Ticket ticket) noexcept {
    return ticket.word.measured() ? ticket.time : core.machine().time().now();
}

/// Calls `fn` in the first form that it accepts.
template <class Fn, class Core>
FUSEBOX_HOT decltype(auto) invokeGuarded(Fn&& fn, const Core& core, Ticket ticket) {
    if constexpr (KnowsDeadline<Fn>) {
        return invokeWithDeadline(std::forward<Fn>(fn), core.machine().time(),
                                  startOf(core, ticket), core.limitsOf(ticket).requestTimeout);
    } else {
        return std::invoke(std::forward<Fn>(fn));
    }
}

template <class Fn, class Core>
using GuardedResult = decltype(invokeGuarded(std::declval<Fn>(), std::declval<const Core&>(),
                                             std::declval<Ticket>()));

template <class>
inline constexpr bool alwaysFalse = false;

template <class R>
inline constexpr bool carriesRejection = [] {
    if constexpr (std::is_object_v<R>) return CarriesRejection<std::remove_cv_t<R>>;
    return false;
}();

#if defined(__cpp_exceptions)
template <class Error>
[[noreturn]] FUSEBOX_COLD void throwRejected(const Rejection& rejection) {
    throw Error{rejection};
}
#endif

/// What the caller of a rejected call gets; `Error` if nothing else can carry the rejection.
template <class R, class Error = CircuitOpenError, class Answer>
FUSEBOX_HOT R deliverRejection(const Rejection& rejection, Answer& answer) {
    if constexpr (AnswersRejection<Answer>) {
        return answerRejection<R>(answer, rejection);
    } else if constexpr (carriesRejection<R>) {
        return RejectionTraits<std::remove_cv_t<R>>::make(rejection);
    } else {
#if defined(__cpp_exceptions)
        throwRejected<Error>(rejection);
#else
        static_assert(alwaysFalse<R>,
                      "fusebox: without exceptions a rejected call has nowhere to go; give a "
                      "fallback, return a type that can carry a rejection (RejectionTraits), or "
                      "use tryAcquire()");
#endif
    }
}

template <class R, class Core, class Answer>
FUSEBOX_COLD R throwRejection(const Core& core, Ticket ticket, Answer& answer) {
    return deliverRejection<R>(core.rejection(ticket), answer);
}

template <class R, class Core, class Answer>
FUSEBOX_HOT R answerRejected(Core& core, Ticket ticket, Answer& answer) {
    core.tellRejected(ticket);
    if constexpr (AnswersRejection<Answer> || carriesRejection<R>) {
        return deliverRejection<R>(core.rejection(ticket), answer);
    } else {
        // Apart, so that callers keep no room for a rejection that only its exception needs.
        return throwRejection<R>(core, ticket, answer);
    }
}

/// Reports a returned value.
template <class R, class Core, class Classifier>
FUSEBOX_HOT void reportResult(Core& core, Ticket ticket, Classifier& classifier, const R& result) {
    const Outcome outcome = judgeResult<R>(classifier, result);
    if (outcome == Outcome::Success) [[likely]] {
        core.succeed(ticket);
        return;
    }
    core.conclude(ticket, outcome, "the result was judged a failure");
}

#if defined(__cpp_exceptions)

/// Reports the exception that is being handled, and gives the caller an answer or the exception.
template <class R, bool knowsDeadline, class Core, class Classifier, class Answer>
FUSEBOX_COLD R answerThrown(Core& core, Ticket ticket, Classifier& classifier, Answer& answer,
                            std::string_view message) {
    const std::exception_ptr error = std::current_exception();
    const Outcome judged = judgeException<R>(core, ticket, classifier, error);
    CallEnd end = core.measure(ticket, judged);
    end.error = message;
    core.finish(ticket, end, &error);

    const auto leave = [&]() -> R {
        if (knowsDeadline && end.late) {
            std::throw_with_nested(CallTimeoutError{core.name(), core.machine().read().state,
                                                    core.limitsOf(ticket).requestTimeout});
        }
        throw;
    };
    if constexpr (AnswersException<Answer>) {
        if (end.failed()) {
            std::exception_ptr leaving;
            try {
                leave();
            } catch (...) {
                leaving = std::current_exception();
            }
            return answerException<R>(answer, leaving);
        }
    }
    return leave();
}

#endif

/// Calls, judges and reports an admitted call; the caller gets exactly what `fn` returned, or an
/// answer.
/// @tparam knowsDeadline what is thrown late leaves as CallTimeoutError.
template <class R, bool knowsDeadline, class Fn, class Core, class Classifier, class Answer>
FUSEBOX_HOT R guardAdmitted(Core& core, Ticket ticket, Fn&& fn,
                            [[maybe_unused]] Classifier& classifier,
                            [[maybe_unused]] Answer& answer) {
#if defined(__cpp_exceptions)
    bool reported =
        false;  // What is thrown after the report, by a move of the result, just leaves.
    try {
#endif
        if constexpr (std::is_void_v<R>) {
            invokeGuarded(std::forward<Fn>(fn), core, ticket);
            core.succeed(ticket);
        } else {
            std::remove_cv_t<R> result = invokeGuarded(std::forward<Fn>(fn), core, ticket);
#if defined(__cpp_exceptions)
            reported = true;
#endif
            reportResult<std::remove_cvref_t<R>>(core, ticket, classifier, result);
            if constexpr (std::is_reference_v<R>) {
                return static_cast<R>(result);
            } else {
                return result;
            }
        }
#if defined(__cpp_exceptions)
    } catch (const std::exception& error) {
        if (reported) throw;
        return answerThrown<R, knowsDeadline>(core, ticket, classifier, answer, error.what());
    } catch (...) {
        if (reported) throw;
        return answerThrown<R, knowsDeadline>(core, ticket, classifier, answer,
                                              "an exception not derived from std::exception");
    }
#endif
}

/// Admits, calls, judges and reports.
template <class R, class Fn, class Core, class Classifier, class Answer>
FUSEBOX_HOT R guardCall(Core& core, Fn&& fn, Classifier& classifier, Answer& answer) {
    Ticket ticket;
    if (!core.machine().admit(ticket)) [[unlikely]]
        return answerRejected<R>(core, ticket, answer);
    return guardAdmitted<R, KnowsDeadline<Fn>>(core, ticket, std::forward<Fn>(fn), classifier,
                                               answer);
}

template <class T>
inline constexpr bool isJudged = false;
template <class Fn, class Classifier>
inline constexpr bool isJudged<JudgedBy<Fn, Classifier>> = true;

/// One call through a breaker, in whatever form it was given.
template <class Core, class Fn, class Answer>
FUSEBOX_HOT decltype(auto) guard(Core& core, Fn&& fn, Answer& answer) {
    if constexpr (isJudged<std::remove_cvref_t<Fn>>) {
        using Inner = decltype((std::forward<Fn>(fn).fn));
        static_assert(GuardedFn<Inner>,
                      "fusebox: the call must be callable as fn(const fusebox::CallContext&), "
                      "fn(std::stop_token) or fn()");
        using R = GuardedResult<Inner, Core>;
        using Classifier = decltype((fn.classifier));
        static_assert(
            judges<Classifier, R>,
            "fusebox::judgedBy: the classifier must be callable with the result or with a "
            "std::exception_ptr, and return fusebox::Outcome");
        return guardCall<R>(core, std::forward<Fn>(fn).fn, fn.classifier, answer);
    } else {
        static_assert(GuardedFn<Fn>,
                      "fusebox: the call must be callable as fn(const fusebox::CallContext&), "
                      "fn(std::stop_token) or fn()");
        using R = GuardedResult<Fn, Core>;
        NoClassifier none;
        return guardCall<R>(core, std::forward<Fn>(fn), none, answer);
    }
}

}  // namespace fusebox::detail
