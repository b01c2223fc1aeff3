// SPDX-License-Identifier: MIT
// Judging one call in its own way.
#pragma once

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox {

/// A callable and its judge; made by `judgedBy`.
template <class Fn, class Classifier>
struct JudgedBy {
    Fn fn;
    Classifier classifier;
};

/// Lets `classifier` judge what `fn` returns, throws, or both: it is called as
/// `Outcome(const Result&)` and as `Outcome(std::exception_ptr)`, whichever it accepts; the breaker
/// judges the rest. One that takes anything (`auto`) is called with results only, if there are any.
/// A classifier that throws means Failure.
template <class Fn, class Classifier>
[[nodiscard]] constexpr auto judgedBy(Fn&& fn, Classifier&& classifier) {
    return JudgedBy<std::decay_t<Fn>, std::decay_t<Classifier>>{
        std::forward<Fn>(fn), std::forward<Classifier>(classifier)};
}

#if defined(__cpp_exceptions)

namespace detail {

/// Whether the exception is of one of the types, by the rules of `catch (const E&)`.
template <class... E>
[[nodiscard]] bool isOneOf(const std::exception_ptr& error) {
    const auto is = [&]<class One>(std::type_identity<One>) {
        try {
            std::rethrow_exception(error);
        } catch (const One&) {
            return true;
        } catch (...) {
            return false;
        }
    };
    return error != nullptr && (is(std::type_identity<E>{}) || ...);
}

}  // namespace detail

/// A classifier of exceptions: those of the types are neutral, all others failures.
template <class... E>
[[nodiscard]] constexpr auto ignoring() noexcept {
    return [](const std::exception_ptr& error) {
        return detail::isOneOf<E...>(error) ? Outcome::Ignored : Outcome::Failure;
    };
}

/// A classifier of exceptions: those of the types are failures, all others neutral.
template <class... E>
[[nodiscard]] constexpr auto countingOnly() noexcept {
    return [](const std::exception_ptr& error) {
        return detail::isOneOf<E...>(error) ? Outcome::Failure : Outcome::Ignored;
    };
}

#endif

}  // namespace fusebox
