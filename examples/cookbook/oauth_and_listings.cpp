// SPDX-License-Identifier: MIT
// Two services behind one application, each with a policy and options of its own: when the identity
// server is down nobody signs in, but who is signed in still sees listings.

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;

namespace {

/// The user's mistake, not the server's.
struct BadCode : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Stands for the identity server.
class IdentityServer {
public:
    std::string exchange(std::string_view code, std::chrono::nanoseconds timeout) {
        ++asked;
        longestTimeout = std::max(longestTimeout, timeout);
        if (!up) throw std::runtime_error{"connection refused"};
        if (code != "good") throw BadCode{"invalid_grant"};
        return "token";
    }

    bool up = true;
    int asked = 0;
    std::chrono::nanoseconds longestTimeout{0};
};

/// Stands for the listings service.
class ListingsServer {
public:
    std::vector<std::string> of(std::string_view agent) {
        return {fmt::format("{}: two rooms", agent), fmt::format("{}: garden", agent)};
    }
};

// [calls]
std::string exchangeCode(IdentityServer& server, std::string_view code) {
    const auto exchange = [&](const fusebox::CallContext& call) {
        return server.exchange(code, call.remaining());
    };
    // Sign-in is interactive: give up early, look again soon. A bad code says nothing about the
    // server.
    return fusebox::withCircuitBreaker(
        "oauth-token", fusebox::judgedBy(exchange, fusebox::ignoring<BadCode>()),
        fusebox::ConsecutiveFailures{3}, {.recoveryTimeout = 30s, .requestTimeout = 10s});
}

std::vector<std::string> listingsOf(ListingsServer& server, std::string_view agent) {
    return fusebox::withCircuitBreaker("listings-api", [&] { return server.of(agent); },
                                       fusebox::ConsecutiveFailures{5},
                                       {.recoveryTimeout = 60s, .requestTimeout = 30s});
}
// [/calls]

struct Reply {
    int status = 200;
    std::string body{};
    std::chrono::seconds retryAfter{0};
};

// [reply]
/// The HTTP answer to a sign-in.
Reply signIn(IdentityServer& server, std::string_view code) {
    try {
        return {200, exchangeCode(server, code)};
    } catch (const fusebox::CircuitOpenError& error) {
        return {503, error.what(), std::chrono::ceil<std::chrono::seconds>(error.retryAfter())};
    } catch (const BadCode& error) {
        return {401, error.what()};
    } catch (const std::exception& error) {
        return {502, error.what()};
    }
}
// [/reply]

Reply show(const Reply& reply) {
    fmt::print("{} {}\n", reply.status, reply.body);
    return reply;
}

}  // namespace

int main() {
    Promises promises;
    IdentityServer identity;
    ListingsServer listings;
    auto& registry = fusebox::circuitBreakerRegistry();

    promises.check(show(signIn(identity, "good")).status == 200, "sign-in works");
    for (int i = 0; i < 5; ++i) show(signIn(identity, "guessed"));
    promises.check(!registry.view("oauth-token")->isOpen(), "bad codes do not open the circuit");
    promises.check(identity.longestTimeout <= 10s, "the call knows its ten seconds");

    identity.up = false;
    identity.asked = 0;
    for (int i = 0; i < 3; ++i) promises.check(show(signIn(identity, "good")).status == 502, "502");
    const Reply rejected = show(signIn(identity, "good"));
    promises.check(rejected.status == 503 && identity.asked == 3, "then 503, and nobody asks");
    promises.check(rejected.retryAfter > 0s && rejected.retryAfter <= 30s, "it says when to retry");
    promises.check(listingsOf(listings, "ada").size() == 2, "listings do not suffer from it");

    // [monitoring]
    for (const auto& stats : registry.getAllStats()) {
        fmt::print("{:<14}{:<8}{} calls, {} failed, {} rejected\n", stats.name,
                   toString(stats.state), stats.totalCalls, stats.totalFailures,
                   stats.totalRejected);
    }
    // [/monitoring]

    // [reset]
    registry.reset("oauth-token");  // One, by hand or between tests;
    registry.resetAll();            // all;
    // [/reset]
    identity.up = true;
    promises.check(signIn(identity, "good").status == 200, "after a reset calls go through");
    // [clear]
    registry.clear();  // or forget them: the next call makes a new breaker.
    // [/clear]
    promises.check(registry.getAll().empty(), "a cleared registry is empty");
    return promises.exitCode();
}
