// SPDX-License-Identifier: MIT
#include <cstdio>

#include "objects.hpp"

namespace {

int failed = 0;

void check(bool condition, const char* what) {
    if (condition) return;
    ++failed;
    std::fprintf(stderr, "not so: %s\n", what);
}

}  // namespace

int main() {
    const void* const mine = &fusebox::circuitBreakerRegistry();
    check(a::registry() == mine && b::registry() == mine, "there is one registry");

    a::create("made in a");
    check(b::reaches("made in a"), "b reaches what a made");
    a::addOther("added by a");
    check(b::watches("added by a"), "b watches what a added");

    // The listener is b's, the thread is in a's delivery: b must know, or wait for ever.
    b::listenOnce();
    a::deliver("added by a");
    check(b::heard() == 1, "a listener of b unsubscribes itself while a delivers");

    // In flight in b, removed by the program: it lives until the call has ended.
    b::callDuring("made in a", [] {
        fusebox::circuitBreakerRegistry().remove("made in a");
        a::create("made in a");
    });
    check(b::reaches("made in a"), "a breaker removed during its call is replaced");

    const void* const timer = &fusebox::detail::deadlineTimer();
    check(a::timer() == timer && b::timer() == timer, "there is one timer");
    check(a::stops() && b::stops(), "it stops calls of every object");

    check(a::callIn(b::own(), "mine") == 42, "a registry can be handed over");
    check(b::own().get("mine")->stats().totalSuccesses == 1, "a call there is counted");
    return failed == 0 ? 0 : 1;
}
