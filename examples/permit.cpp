// SPDX-License-Identifier: MIT
// The two-step form: ask for a permit, do the work in your own way, report how it went.

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

namespace {

enum class Reply { Good, Bad, NotMine };

// [permit]
template <class Breaker>
bool send(Breaker& breaker, Reply reply) {
    auto permit = breaker.tryAcquire();
    if (!permit) {
        fmt::print("rejected: {}\n", toString(permit.rejection().reason));
        return false;
    }
    // Here stands work that does not fit into one function: a callback, a state machine, a queue.
    switch (reply) {
        case Reply::Good: permit.success(); break;
        case Reply::Bad: permit.failure(); break;
        case Reply::NotMine: break;  // Dropped unreported: cancelled, neither success nor failure.
    }
    return true;
}
// [/permit]

}  // namespace

int main() {
    fusebox::CircuitBreaker breaker{"queue", fusebox::ConsecutiveFailures{2}};
    send(breaker, Reply::Good);
    send(breaker, Reply::Bad);
    send(breaker, Reply::NotMine);
    send(breaker, Reply::Bad);
    const bool admitted = send(breaker, Reply::Good);

    const auto stats = breaker.stats();
    fmt::print("{} calls: {} good, {} bad, {} cancelled; {} rejected\n", stats.totalCalls,
               stats.totalSuccesses, stats.totalFailures, stats.totalCancelled,
               stats.totalRejected);
    return !admitted && stats.totalCalls == 4 && stats.totalCancelled == 1 ? 0 : 1;
}
