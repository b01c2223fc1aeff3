// SPDX-License-Identifier: MIT
// One co_await through a breaker: from admission to report.
#pragma once

#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_COROUTINES

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

#include "fusebox/async/await_subject.hpp"
#include "fusebox/async/awaitable.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/held_ticket.hpp"

namespace fusebox::detail {

/// What our `await_suspend` returns where the inner one returns `T`: the same. Only void becomes
/// bool, which means the same if it is true and lets a coroutine go on that was not suspended.
template <class T>
using Suspended =
    std::conditional_t<std::is_void_v<T>, bool,
                       std::conditional_t<std::is_same_v<T, bool>, bool, std::coroutine_handle<>>>;

/// The awaiter of a GuardedAwaitable. Lives in the frame of the awaiting coroutine and refers to
/// the GuardedAwaitable there.
///
/// Asks for admission in `await_ready` and reports in `await_resume`. If the frame is destroyed in
/// between, first what is awaited goes and then the permit, which is cancelled.
template <class Core, class Call, class Classifier, class Answer>
class GuardedAwaiter {
    using Awaited = AwaitSubject<Call>;
    using Operand = typename Awaited::Operand;
    using Result = AwaitResult<Operand>;

public:
    GuardedAwaiter(Core& core, Call&& call, Classifier& classifier, Answer& answer) noexcept
        : permit_(core),
          call_(std::forward<Call>(call)),
          classifier_(classifier),
          answer_(answer) {}
    GuardedAwaiter(const GuardedAwaiter&) = delete;
    GuardedAwaiter& operator=(const GuardedAwaiter&) = delete;
    ~GuardedAwaiter() = default;

    /// True also if there is nothing to wait for because the call was rejected, or threw.
    bool await_ready() {
        if (!permit_.acquire()) [[unlikely]]
            return true;
        bool ready = true;
        attempt([&] {
            awaited_.start(std::forward<Call>(call_), permit_.core(), permit_.ticket());
            ready = static_cast<bool>(awaited_.awaiter().await_ready());
        });
        return ready;
    }

    /// Hands the coroutine to the inner awaiter and looks at nothing afterwards: by then it may run
    /// on another thread, or be gone. Not inlined into the coroutine, where some versions of clang
    /// would keep the result in the frame (llvm-project issues 56301, 65018, 72006).
    template <class Promise>
    FUSEBOX_APART auto await_suspend(std::coroutine_handle<Promise> coroutine)
        -> Suspended<decltype(std::declval<AwaiterLvalue<Operand>>().await_suspend(coroutine))>
        requires AwaitableIn<Operand, Promise> {
            using Inner = decltype(awaited_.awaiter().await_suspend(coroutine));
#if defined(__cpp_exceptions)
            try {
#endif
                if constexpr (std::is_void_v<Inner>) {
                    awaited_.awaiter().await_suspend(coroutine);
                    return true;
                } else {
                    return awaited_.awaiter().await_suspend(coroutine);
                }
#if defined(__cpp_exceptions)
            } catch (...) {
                // Not suspended, so this is still here, and `await_resume` tells.
                thrown_ = std::current_exception();
            }
            if constexpr (std::is_same_v<Suspended<Inner>, bool>) {
                return false;
            } else {
                return coroutine;
            }
#endif
        }

    Result await_resume() {
        Core& core = permit_.core();
        if (!permit_.held()) [[unlikely]]
            return answerRejected<Result>(core, permit_.ticket(), answer_);
        return guardAdmitted<Result, Awaited::knowsDeadline>(
            core, permit_.take(), [this]() -> Result { return resume(); }, classifier_, answer_);
    }

private:
    template <class Step>
    void attempt(Step&& step) {
#if defined(__cpp_exceptions)
        try {
            step();
        } catch (...) {
            thrown_ = std::current_exception();
        }
#else
        step();
#endif
    }

    Result resume() {
#if defined(__cpp_exceptions)
        if (thrown_) [[unlikely]]
            std::rethrow_exception(std::exchange(thrown_, nullptr));
#endif
        return awaited_.awaiter().await_resume();
    }

    // First, so that it is destroyed last.
    HeldTicket<Core> permit_;
    Call&& call_;
    Classifier& classifier_;
    Answer& answer_;
#if defined(__cpp_exceptions)
    /// What was thrown before there was anything to wait for.
    std::exception_ptr thrown_;
#endif
    Awaited awaited_;
};

}  // namespace fusebox::detail

#endif
