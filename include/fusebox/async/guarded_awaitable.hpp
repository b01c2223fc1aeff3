// SPDX-License-Identifier: MIT
// co_await breaker.guard(...): a circuit breaker in any coroutine.
#pragma once

#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_COROUTINES

#include <type_traits>
#include <utility>

#include "fusebox/async/await_subject.hpp"
#include "fusebox/async/awaitable.hpp"
#include "fusebox/async/guarded_awaiter.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/guarded_call.hpp"

namespace fusebox::detail {

/// What `breaker.guard(...)` returns: an awaitable that asks for admission when it is awaited, and
/// costs nothing if it never is. It may be moved and stored; an lvalue that was given is referred
/// to, an rvalue is kept. Each await is a call of its own, if what it holds can be awaited again.
///
/// **Counts as.** As in `execute`: a result is judged by OutcomeTraits, an exception by
/// `classifyError`, or both by `judgedBy`; later than `requestTimeout` is a timeout, and the value
/// still reaches the coroutine. A frame that is destroyed while it waits, on whatever thread,
/// cancels the permit.
/// **Rejected.** `co_await` gives what a fallback answers, or the rejection if the result can carry
/// it (RejectionTraits), or throws CircuitOpenError; nothing is awaited, and no function called.
/// **Throws.** What the await throws, unchanged; from a function that knew its deadline, and missed
/// it, CallTimeoutError nesting that.
/// **Cost.** No allocation. **Threads.** It must not outlive the breaker. The coroutine may resume
/// on any thread, also before `await_suspend` has returned.
template <class Core, class Call, class Classifier, class Answer>
class [[nodiscard]] GuardedAwaitable {
public:
    using Awaiter = GuardedAwaiter<Core, Call, Classifier, Answer>;

    template <class C, class J>
    GuardedAwaitable(Core& core, C&& call, J&& classifier, Answer&& answer)
        : core_(&core),
          call_(std::forward<C>(call)),
          classifier_(std::forward<J>(classifier)),
          answer_(std::move(answer)) {}

    Awaiter operator co_await() noexcept {
        return {*core_, std::forward<Call>(call_), classifier_, answer_};
    }

private:
    Core* core_;
    Call call_;
    [[no_unique_address]] Classifier classifier_;
    [[no_unique_address]] Answer answer_;
};

/// An lvalue is referred to, an rvalue is kept.
template <class T>
using Kept = std::conditional_t<std::is_lvalue_reference_v<T>, T, std::remove_cvref_t<T>>;

template <class Core, class Call, class Classifier, class Answer>
auto makeGuarded(Core& core, Call&& call, Classifier&& classifier, Answer&& answer) {
    using Subject = Kept<Call>;
    static_assert(Guardable<Subject>,
                  "fusebox: guard takes an awaitable, or a function that returns one and is "
                  "callable as fn(const fusebox::CallContext&), fn(std::stop_token) or fn(); see "
                  "docs/concepts/awaitable.md");
    static_assert(std::is_move_constructible_v<Subject>,
                  "fusebox: guard keeps an rvalue, and this awaitable cannot be moved; give an "
                  "lvalue, or a function that returns it");
    if constexpr (Guardable<Subject> && std::is_move_constructible_v<Subject>) {
        using Judge = std::remove_cvref_t<Classifier>;
        using Result = AwaitResult<typename AwaitSubject<Subject>::Operand>;
        static_assert(std::is_same_v<Judge, NoClassifier> || judges<Judge, Result>,
                      "fusebox::judgedBy: the classifier must be callable with the result of the "
                      "await or with a std::exception_ptr, and return fusebox::Outcome");
        return GuardedAwaitable<Core, Subject, Judge, std::remove_cvref_t<Answer>>{
            core, std::forward<Call>(call), std::forward<Classifier>(classifier),
            std::forward<Answer>(answer)};
    }
}

/// Declared for `GuardsAwaits`, and never called.
template <class Core>
void guardsAwaits(Core&);

/// What `CircuitBreaker::guard` calls.
template <class Core, class Call, class F>
[[nodiscard]] auto guardAwaitable(Core& core, Call&& call, Fallback<F> fallback) {
    if constexpr (isJudged<std::remove_cvref_t<Call>>) {
        return makeGuarded(core, std::forward<Call>(call).fn, std::forward<Call>(call).classifier,
                           std::move(fallback.answer));
    } else {
        return makeGuarded(core, std::forward<Call>(call), NoClassifier{},
                           std::move(fallback.answer));
    }
}

}  // namespace fusebox::detail

#endif
