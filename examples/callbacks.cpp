// SPDX-License-Identifier: MIT
// Being told: callbacks in the options, and subscriptions that end when they are dropped.

#include <exception>
#include <stdexcept>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

namespace {

void fail(auto& breaker) {
    try {
        breaker.execute([] { throw std::runtime_error{"mailbox unavailable"}; });
    } catch (const std::exception& error) {
        fmt::print("caller: {}\n", error.what());
    }
}

}  // namespace

int main() {
    // [options]
    fusebox::CircuitBreaker breaker{
        "mail",
        fusebox::ConsecutiveFailures{2},
        {.onStateChange =
             [](const fusebox::StateChanged& change) {
                 fmt::print("{}: {} -> {} ({}), after {} failures\n", change.breaker,
                            toString(change.from), toString(change.to), toString(change.reason),
                            change.snapshot.totalFailures);
             },
         .onOpen = [] { fmt::print("page the one on duty\n"); }}};
    // [/options]

    int rejected = 0;
    {
        // [subscription]
        const auto subscription = breaker.on<fusebox::CallRejected>([&] { ++rejected; });
        // [/subscription]
        for (int i = 0; i < 4; ++i) fail(breaker);
    }
    fail(breaker);  // Rejected too, but the subscription is gone.
    fmt::print("{} of {} rejections were told\n", rejected, breaker.stats().totalRejected);
    return rejected == 2 && breaker.stats().totalRejected == 3 ? 0 : 1;
}
