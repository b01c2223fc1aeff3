// SPDX-License-Identifier: MIT
// What an operation completes with: how it is judged, and how rejections and timeouts stand in it.
//
// needs: asio
#pragma once

#include <exception>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/config.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// The first argument of a completion: an error code or an exception.
template <class Error>
struct ErrorTraits {
    static constexpr bool known = false;
};

template <>
struct ErrorTraits<ErrorCode> {
    static constexpr bool known = true;

    [[nodiscard]] static ErrorCode of(const Rejection& rejection) {
        return toErrorCode(rejection.reason);
    }
    [[nodiscard]] static ErrorCode of(const CallTimeoutError& error, const ErrorCode&) {
        return error.code();
    }
    [[nodiscard]] static bool isSet(const ErrorCode& error) noexcept { return !!error; }
    [[nodiscard]] static bool isAborted(const ErrorCode& error) noexcept {
        return error == net::error::operation_aborted;
    }
    [[nodiscard]] static std::string words(const ErrorCode& error) { return error.message(); }
};

template <>
struct ErrorTraits<std::exception_ptr> {
    static constexpr bool known = true;

    [[nodiscard]] static std::exception_ptr of(const Rejection& rejection) {
        return std::make_exception_ptr(CircuitOpenError{rejection});
    }
    /// Nests what the operation ended with.
    [[nodiscard]] static std::exception_ptr of(const CallTimeoutError& error,
                                               const std::exception_ptr& cause) {
        try {
            try {
                std::rethrow_exception(cause);
            } catch (...) {
                std::throw_with_nested(error);
            }
        } catch (...) {
            return std::current_exception();
        }
    }
    [[nodiscard]] static bool isSet(const std::exception_ptr& error) noexcept {
        return error != nullptr;
    }
    [[nodiscard]] static bool isAborted(const std::exception_ptr& error) noexcept {
        try {
            std::rethrow_exception(error);
        } catch (const SystemError& system) {
            return system.code() == net::error::operation_aborted;
        } catch (...) {
            return false;
        }
    }
    [[nodiscard]] static std::string words(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& exception) {
            return exception.what();
        } catch (...) {
            return "an exception not derived from std::exception";
        }
    }
};

/// A completion signature that begins with an error; `Result` holds what it was called with.
template <class Signature>
struct Completion {
    static constexpr bool known = false;
};

template <class R, class E, class... T>
struct Completion<R(E, T...)> {
    using Error = std::decay_t<E>;
    using Result = std::tuple<Error, std::decay_t<T>...>;
    static constexpr bool known = ErrorTraits<Error>::known;
    static constexpr bool canReject = (std::is_default_constructible_v<std::decay_t<T>> && ...);

    /// A result that can carry a rejection does so; else the error is one.
    [[nodiscard]] static Result rejected(const Rejection& rejection) {
        if constexpr (std::is_same_v<Error, std::exception_ptr> && sizeof...(T) == 1 &&
                      (CarriesRejection<std::decay_t<T>> && ...)) {
            return Result{nullptr, RejectionTraits<std::decay_t<T>>::make(rejection)...};
        } else {
            return Result{ErrorTraits<Error>::of(rejection), std::decay_t<T>()...};
        }
    }
};

/// How a completion counts, unless our deadline ended it. A classifier of `judgedBy` takes what the
/// completion handler takes, or the error alone, or the value alone where there is no error.
template <class Core, class Classifier, class Error, class... T>
[[nodiscard]] Outcome judgeCompletion(const Core& core, detail::Ticket ticket,
                                      Classifier& classifier, const Error& error,
                                      const T&... values) noexcept {
    using Traits = ErrorTraits<Error>;
    const bool failed = Traits::isSet(error);
    return detail::judgeSafely([&]() -> Outcome {
        if constexpr (std::is_invocable_r_v<Outcome, Classifier&, const Error&, const T&...>) {
            return classifier(error, values...);
        } else if constexpr (std::is_invocable_r_v<Outcome, Classifier&, const Error&>) {
            if (failed || sizeof...(T) == 0) return classifier(error);
        }
        if (failed && Traits::isAborted(error)) return Outcome::Ignored;
        if constexpr (std::is_same_v<Error, std::exception_ptr>) {
            if (failed) return detail::judgeException<Error>(core, ticket, classifier, error);
        } else {
            if (failed) return Outcome::Failure;
        }
        if constexpr (sizeof...(T) == 1) {
            return detail::judgeResult<T...>(classifier, values...);
        } else {
            return Outcome::Success;
        }
    });
}

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
