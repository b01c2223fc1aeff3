// SPDX-License-Identifier: MIT
// What answers a call that was rejected or failed.
#pragma once

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox {

/// A callable that answers in place of the call; made by `fallback`.
template <class F>
struct Fallback {
    // Explicit, so that `{}` is never taken for a fallback.
    constexpr explicit Fallback(F f) : answer(std::move(f)) {}

    F answer;
};

namespace detail {

/// Stands for "no fallback".
struct NoAnswer {};
inline constexpr Fallback<NoAnswer> noFallback{NoAnswer{}};

template <class F>
concept AnswersRejection = std::invocable<F&, const Rejection&> ||
    (std::invocable<F&> && !std::invocable<F&, const Rejection&>);

template <class F>
concept AnswersException = std::invocable<F&, std::exception_ptr> || std::invocable<F&>;

}  // namespace detail

/// Answers rejections, and exceptions that were judged Failure or Timeout. `f` is called as
/// `f(const Rejection&)`, `f(std::exception_ptr)` or `f()`: an `f` that takes a rejection gets
/// rejections, one that takes an exception gets exceptions, `f()` gets what is left. Its result is
/// converted to the call's; what it throws leaves; its result is not judged.
template <class F>
    requires(detail::AnswersRejection<std::decay_t<F>> || detail::AnswersException<std::decay_t<F>>)
[[nodiscard]] constexpr Fallback<std::decay_t<F>> fallback(F&& f) {
    return Fallback<std::decay_t<F>>{std::forward<F>(f)};
}

namespace detail {

/// The answer as the call's result.
template <class R, class Answer>
constexpr R convertAnswer(Answer&& answer) {
    using Given = std::invoke_result_t<Answer>;
    if constexpr (std::is_void_v<R>) {
        std::forward<Answer>(answer)();
    } else {
        static_assert(std::is_convertible_v<Given, R>,
                      "fusebox::fallback: its result must convert to the result of the call");
        static_assert(!std::is_reference_v<R> || std::is_reference_v<Given>,
                      "fusebox::fallback: a call that returns a reference needs a fallback that "
                      "returns a reference");
        return std::forward<Answer>(answer)();
    }
}

template <class R, AnswersRejection F>
constexpr R answerRejection(F& f, const Rejection& rejection) {
    return convertAnswer<R>([&]() -> decltype(auto) {
        if constexpr (std::invocable<F&, const Rejection&>) {
            return f(rejection);
        } else {
            return f();
        }
    });
}

template <class R, AnswersException F>
R answerException(F& f, const std::exception_ptr& error) {
    return convertAnswer<R>([&]() -> decltype(auto) {
        if constexpr (std::invocable<F&, std::exception_ptr>) {
            return f(error);
        } else {
            return f();
        }
    });
}

}  // namespace detail
}  // namespace fusebox
