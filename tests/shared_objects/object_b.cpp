// SPDX-License-Identifier: MIT
#include "objects.hpp"
#include "stops.hpp"

namespace b {

namespace {

fusebox::Subscription once;
int calls = 0;

}  // namespace

const void* registry() {
    return &fusebox::circuitBreakerRegistry();
}

bool reaches(const char* name) {
    const auto before = fusebox::createCircuitBreaker(name)->stats().totalSuccesses;
    fusebox::withCircuitBreaker(name, [] {});
    return fusebox::circuitBreakerRegistry().get(name)->stats().totalSuccesses == before + 1;
}

void callDuring(const char* name, void (*within)()) {
    fusebox::withCircuitBreaker(name, within);
}

void listenOnce() {
    once = fusebox::circuitBreakerRegistry().on<fusebox::StateChanged>([] {
        ++calls;
        once.unsubscribe();
    });
}

int heard() {
    return calls;
}

bool watches(const char* name) {
    const auto view = fusebox::circuitBreakerRegistry().view(name);
    return view && view->state() == fusebox::CircuitState::Closed &&
           view->stats().name == std::string_view{name};
}

const void* timer() {
    return &fusebox::detail::deadlineTimer();
}

bool stops() {
    return stopsAtTheDeadline();
}

fusebox::CircuitBreakerRegistry& own() {
    static fusebox::CircuitBreakerRegistry registry;
    return registry;
}

}  // namespace b
