// expect: fusebox: without exceptions a rejected call has nowhere to go
// flags: -fno-exceptions
// SPDX-License-Identifier: MIT
#include <system_error>

#include "fusebox/breaker/circuit_breaker.hpp"

auto guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    return breaker.execute([] { return 1; });
#else
    return breaker.execute([] { return std::error_code{}; });
#endif
}
