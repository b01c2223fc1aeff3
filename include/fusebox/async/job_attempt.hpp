// SPDX-License-Identifier: MIT
// One attempt of a guarded job: a call through a breaker of which only its end matters.
#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include "fusebox/async/job_ledger.hpp"
#include "fusebox/breaker/call_context.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "fusebox/breaker/outcome_traits.hpp"
#include "fusebox/breaker/rejection_traits.hpp"
#include "fusebox/breaker/short_text.hpp"
#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox {
namespace detail {

/// Makes a JobAttempt of whatever a job returns; takes its deadline in the form in which the job
/// does.
template <class Fn, class Classifier>
class JobCall {
public:
    JobCall(Fn& fn, Classifier& classifier) : fn_(fn), classifier_(classifier) {}

    JobAttempt operator()(const CallContext& context) const requires KnowsDeadline<Fn&> {
        if constexpr (TakesContext<Fn&>) {
            return judged([&]() -> decltype(auto) { return std::invoke(fn_, context); });
        } else {
#if FUSEBOX_HAS_STOP_TOKEN
            return judged(
                [&]() -> decltype(auto) { return std::invoke(fn_, context.stopToken()); });
#endif
        }
    }
    JobAttempt operator()() const requires(!KnowsDeadline<Fn&>) {
        return judged([&]() -> decltype(auto) { return std::invoke(fn_); });
    }

private:
    template <class Call>
    JobAttempt judged(const Call& call) const {
        using R = std::invoke_result_t<const Call&>;
        if constexpr (std::is_void_v<R>) {
            call();
            return {};
        } else {
            R result = call();
            return {judgeResult<std::remove_cvref_t<R>>(classifier_, result)};
        }
    }

    Fn& fn_;
    Classifier& classifier_;
};

/// Calls a job through a breaker, judged as `execute` judges.
template <class Breaker, class Fn>
JobAttempt executeJob(Breaker& breaker, Fn& fn) {
    if constexpr (isJudged<Fn>) {
        JobCall call{fn.fn, fn.classifier};
        using Classifier = decltype(fn.classifier);
        if constexpr (JudgesException<Classifier, JobAttempt>) {
            const auto judge = [&fn](const std::exception_ptr& error) -> Outcome {
                return fn.classifier(error);
            };
            return breaker.execute(judgedBy(call, judge));
        } else {
            return breaker.execute(call);
        }
    } else {
        NoClassifier none;
        return breaker.execute(JobCall{fn, none});
    }
}

/// As above; what the job throws is a failure. `error` says why an attempt failed.
template <class Breaker, class Fn>
[[nodiscard]] JobAttempt attemptJob(Breaker& breaker, Fn& fn, ShortText& error) noexcept {
#if defined(__cpp_exceptions)
    try {
#endif
        const JobAttempt attempt = executeJob(breaker, fn);
        if (attempt.failed()) error.assign("the result was judged a failure");
        return attempt;
#if defined(__cpp_exceptions)
    } catch (const std::exception& thrown) {
        error.assign(thrown.what());
    } catch (...) {
        error.assign("an exception not derived from std::exception");
    }
    return {Outcome::Failure};
#endif
}

template <class Fn>
inline constexpr bool isJob = GuardedFn<Fn&>;
template <class Fn, class Classifier>
inline constexpr bool isJob<JudgedBy<Fn, Classifier>> = GuardedFn<Fn&>;

}  // namespace detail

template <>
struct OutcomeTraits<detail::JobAttempt> {
    [[nodiscard]] static Outcome classify(const detail::JobAttempt& attempt) noexcept {
        return attempt.outcome;
    }
};

template <>
struct RejectionTraits<detail::JobAttempt> {
    [[nodiscard]] static detail::JobAttempt make(const Rejection&) noexcept {
        return {Outcome::Ignored, true};
    }
};

}  // namespace fusebox
