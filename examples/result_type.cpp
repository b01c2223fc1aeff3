// SPDX-License-Identifier: MIT
// A result type of your own: how it is judged, and how it carries a rejection.

#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

// [result_type]
struct Response {
    int status = 200;
    std::string body{};
};

template <>
struct fusebox::OutcomeTraits<Response> {
    static Outcome classify(const Response& response) {
        if (response.status >= 500) return Outcome::Failure;
        if (response.status == 404) return Outcome::Ignored;  // Says nothing about the server.
        return Outcome::Success;
    }
};

template <>
struct fusebox::RejectionTraits<Response> {
    static Response make(const Rejection& rejection) { return {503, toString(rejection)}; }
};
// [/result_type]

int main() {
    fusebox::CircuitBreaker breaker{"pages", fusebox::ConsecutiveFailures{2}};

    // [use]
    // Nothing is thrown: rejections come back as responses, too.
    for (const int status : {200, 404, 500, 404, 500, 200}) {
        const auto response = breaker.execute([&] { return Response{status, "from the server"}; });
        fmt::print("{}: {}\n", response.status, response.body);
    }
    // [/use]
    const auto stats = breaker.stats();
    return stats.totalFailures == 2 && stats.totalIgnored == 2 && stats.totalRejected == 1 ? 0 : 1;
}
