// SPDX-License-Identifier: MIT
// What a server's handler answers when a breaker rejects: 503 with Retry-After. For cpp-httplib.
//
// needs: httplib
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

#include <httplib.h>

#include "fusebox/adapters/detail/httplib_ranges.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox {

/// Answers 503. `Retry-After`, in whole seconds, at least 1, is left out where nobody knows: the
/// breaker is forced open. The answer does not name the breaker: it is for strangers.
inline void answerUnavailable(httplib::Response& response, const Rejection& rejection) {
    using std::chrono::seconds;
    std::string body = R"({"error":"service temporarily unavailable")";
    if (rejection.retryAfter != kForever) {
        const auto whole = std::chrono::duration_cast<seconds>(rejection.retryAfter);
        const bool exact = whole == rejection.retryAfter;
        const auto wait = std::max(exact ? whole : whole + seconds{1}, seconds{1});
        const std::string text = std::to_string(wait.count());
        response.set_header("Retry-After", text);
        body += R"(,"retryAfter":)" + text;
    }
    response.status = 503;
    response.set_header("Cache-Control", "no-store");
    response.set_content(body + "}", "application/json");
}

#if defined(__cpp_exceptions)
/// A handler for httplib::Server that calls this one, and answers for it if a breaker rejects.
/// Whatever else it throws leaves.
template <class Handler>
[[nodiscard]] auto answeringUnavailable(Handler handler) {
    static_assert(std::is_invocable_v<Handler&, const httplib::Request&, httplib::Response&>,
                  "fusebox::answeringUnavailable: the handler must be callable with a const "
                  "httplib::Request& and a httplib::Response&");
    return [handler = std::move(handler)](const httplib::Request& request,
                                          httplib::Response& response) mutable {
        try {
            handler(request, response);
        } catch (const CircuitOpenError& error) {
            detail::ignoreRanges(request);
            answerUnavailable(response, error.rejection());
        }
    };
}
#endif

}  // namespace fusebox
