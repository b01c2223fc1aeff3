// SPDX-License-Identifier: MIT
#include <memory>

#include "objects.hpp"
#include "stops.hpp"

namespace a {

const void* registry() {
    return &fusebox::circuitBreakerRegistry();
}

void create(const char* name) {
    (void)fusebox::createCircuitBreaker(name);
}

void addOther(const char* name) {
    fusebox::circuitBreakerRegistry().add(
        std::make_shared<fusebox::SteadyCircuitBreaker<fusebox::Cusum>>(name));
}

void deliver(const char* name) {
    const auto view = fusebox::circuitBreakerRegistry().view(name);
    view->open();
    view->close();
}

int callIn(fusebox::CircuitBreakerRegistry& registry, const char* name) {
    return fusebox::withCircuitBreaker(registry, name, [] { return 42; });
}

const void* timer() {
    return &fusebox::detail::deadlineTimer();
}

bool stops() {
    return stopsAtTheDeadline();
}

}  // namespace a
