// SPDX-License-Identifier: MIT
// How a rejection is returned, where the result type can carry it.
#pragma once

#include <concepts>
#include <system_error>
#include <type_traits>

#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox {

namespace detail {

/// An expected-like type whose error is made implicitly from `Error`.
template <class R, class Error>
concept UnexpectedFrom = requires {
    typename R::unexpected_type;
    typename R::error_type;
}
&&std::convertible_to<Error, typename R::error_type>&&
    std::constructible_from<typename R::unexpected_type, typename R::error_type>&&
        std::constructible_from<R, typename R::unexpected_type>;

}  // namespace detail

/// Makes a result out of a rejection. Specialise it beside a type of your own:
/// `template <> struct fusebox::RejectionTraits<Response> { static Response make(const Rejection&);
/// }`.
///
/// Built in: std::error_code, and expected-like types (with `unexpected_type` and `error_type`)
/// whose error is made implicitly from `Rejection` or else from std::error_code.
template <class R>
struct RejectionTraits {
    [[nodiscard]] static R make(
        const Rejection& rejection) requires std::same_as<R, std::error_code> {
        return toErrorCode(rejection.reason);
    }

    [[nodiscard]] static R make(
        const Rejection& rejection) requires detail::UnexpectedFrom<R, const Rejection&> {
        const auto error = [&]() -> typename R::error_type { return rejection; };
        return R(typename R::unexpected_type(error()));
    }

    [[nodiscard]] static R make(const Rejection& rejection) requires(
        !detail::UnexpectedFrom<R, const Rejection&> &&
        detail::UnexpectedFrom<R, std::error_code>) {
        const auto error = [&]() ->
            typename R::error_type { return toErrorCode(rejection.reason); };
        return R(typename R::unexpected_type(error()));
    }
};

/// A result type that can carry a rejection: the call then returns it instead of throwing.
template <class R>
concept CarriesRejection = requires(const Rejection& rejection) {
    { RejectionTraits<R>::make(rejection) } -> std::convertible_to<R>;
};

}  // namespace fusebox
