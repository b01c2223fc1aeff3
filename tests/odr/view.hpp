// SPDX-License-Identifier: MIT
// What a translation unit thinks of the library; both units must think the same.
#pragma once

#include <cstddef>

#include "fusebox/fusebox.hpp"

struct View {
    std::size_t breakerSize;
    std::size_t permitSize;
    std::size_t optionsSize;
    std::size_t statsSize;
    const void* registry;
    const void* breaker;

    friend bool operator==(const View&, const View&) = default;
};

inline constexpr const char* breakerName = "shared between translation units";

namespace {

// In an unnamed namespace on purpose: each unit looks with its own eyes.
View look() {
    return {
        .breakerSize = sizeof(fusebox::NamedCircuitBreaker),
        .permitSize = sizeof(fusebox::NamedCircuitBreaker::Permit),
        .optionsSize = sizeof(fusebox::CircuitBreakerOptions),
        .statsSize = sizeof(fusebox::CircuitBreakerStats),
        .registry = &fusebox::circuitBreakerRegistry(),
        .breaker = fusebox::createCircuitBreaker(breakerName).get(),
    };
}

}  // namespace

View secondView();
void tripInSecond();
