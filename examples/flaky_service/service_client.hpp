// SPDX-License-Identifier: MIT
// One caller's connection to the service, and what the breaker needs to know of its answers.
#pragma once

#include <fusebox/breaker/outcome_traits.hpp>
#include <fusebox/breaker/rejection_traits.hpp>

#include <stop_token>

#include <httplib.h>

#include "script.hpp"

namespace flaky {

/// What a caller is told.
struct Response {
    int status = 0;         ///< of HTTP; 0: no answer in time
    bool rejected = false;  ///< the breaker answered, the service was not asked
};

class ServiceClient {
public:
    /// Connects. Throws `std::runtime_error` if there is no answer.
    explicit ServiceClient(int port);

    /// Asks the service once; gives up after `patience`.
    [[nodiscard]] Response work(nanoseconds patience);
    /// Gives up when it is asked to stop, by another thread.
    [[nodiscard]] Response workUntil(const std::stop_token& stop);
    /// Cannot be interrupted; waits longer than any hang here.
    [[nodiscard]] Response workHoweverLong() { return work(kLongest); }

private:
    static constexpr nanoseconds kLongest = 1min;

    [[nodiscard]] Response ask(nanoseconds toConnect, nanoseconds toAnswer);

    httplib::Client http_;
};

}  // namespace flaky

/// No answer and the server's own errors are failures.
template <>
struct fusebox::OutcomeTraits<flaky::Response> {
    static Outcome classify(const flaky::Response& response) {
        const bool answered = response.status != 0 && response.status < 500;
        return answered ? Outcome::Success : Outcome::Failure;
    }
};

/// A rejected call gets its answer on the spot, as a value: nothing is thrown.
template <>
struct fusebox::RejectionTraits<flaky::Response> {
    static flaky::Response make(const Rejection&) { return {.rejected = true}; }
};
