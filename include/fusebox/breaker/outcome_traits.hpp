// SPDX-License-Identifier: MIT
// How a returned value is judged.
#pragma once

#include <concepts>
#include <system_error>

#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox {

namespace detail {

template <class R>
concept ExpectedLike = requires(const R& result) {
    { result.has_value() } -> std::convertible_to<bool>;
    result.error();
};

template <class R>
concept StatusLike = requires(const R& result) {
    { result.ok() } -> std::convertible_to<bool>;
};

}  // namespace detail

/// Judges a value that a call returned. Specialise it beside a type of your own:
/// `template <> struct fusebox::OutcomeTraits<Response> { static Outcome classify(const Response&);
/// }`.
///
/// Built in: types with `has_value()` and `error()` (std::expected and its kin), types with `ok()`
/// (statuses), and std::error_code fail when they hold an error. Everything else is a success, also
/// `false`, null and an empty std::optional.
template <class R>
struct OutcomeTraits {
    [[nodiscard]] static constexpr Outcome classify(const R& result) {
        if constexpr (detail::ExpectedLike<R>) {
            return result.has_value() ? Outcome::Success : Outcome::Failure;
        } else if constexpr (detail::StatusLike<R>) {
            return result.ok() ? Outcome::Success : Outcome::Failure;
        } else if constexpr (std::same_as<R, std::error_code>) {
            return result ? Outcome::Failure : Outcome::Success;
        } else {
            return Outcome::Success;
        }
    }
};

}  // namespace fusebox
