// SPDX-License-Identifier: MIT
// Result types as users have them.
#pragma once

#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "fusebox/breaker/outcome_traits.hpp"
#include "fusebox/breaker/rejection_traits.hpp"

namespace fusebox::test {

/// The least that is like std::expected.
template <class T, class E>
class Expected {
public:
    struct unexpected_type {
        E error;
        explicit unexpected_type(E e) : error(std::move(e)) {}
    };
    using value_type = T;
    using error_type = E;

    Expected(T value) : value_(std::move(value)) {}
    Expected(unexpected_type u) : error_(std::move(u.error)) {}

    [[nodiscard]] bool has_value() const { return value_.has_value(); }
    [[nodiscard]] const T& value() const { return *value_; }
    [[nodiscard]] const E& error() const { return *error_; }

private:
    std::optional<T> value_{};
    std::optional<E> error_{};
};

template <class T, class E>
[[nodiscard]] Expected<T, E> unexpected(E error) {
    return typename Expected<T, E>::unexpected_type{std::move(error)};
}

/// A user's error, made implicitly from a rejection.
struct ServiceError {
    std::string text{};
    ServiceError(std::string what) : text(std::move(what)) {}
    ServiceError(const Rejection& rejection) : text(toString(rejection)) {}
};

/// An error that nothing of this library becomes.
struct ForeignError {
    int code = 0;
};

/// Like absl::Status.
struct Status {
    bool good = true;
    [[nodiscard]] bool ok() const { return good; }
};

/// A response that says itself how it is judged and how it carries a rejection.
struct Response {
    int status = 200;
};

}  // namespace fusebox::test

template <>
struct fusebox::OutcomeTraits<fusebox::test::Response> {
    [[nodiscard]] static Outcome classify(const test::Response& response) {
        if (response.status == 504) return Outcome::Timeout;
        if (response.status >= 500) return Outcome::Failure;
        return response.status == 404 ? Outcome::Ignored : Outcome::Success;
    }
};

template <>
struct fusebox::RejectionTraits<fusebox::test::Response> {
    [[nodiscard]] static test::Response make(const Rejection&) { return {503}; }
};
