// SPDX-License-Identifier: MIT
// Without exceptions: a rejection comes back in the result, through a fallback, or by the permit.
// This file is compiled with -fno-exceptions.

#include <system_error>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

namespace {

std::error_code connect() {
    return make_error_code(std::errc::connection_refused);
}
int measure() {
    return 42;
}

}  // namespace

int main() {
    fusebox::CircuitBreaker breaker{"device", fusebox::ConsecutiveFailures{2}};

    // [no_exceptions]
    // 1. The result carries it. An error code is judged by what it holds.
    std::error_code code;
    for (int i = 0; i < 3; ++i) {
        code = breaker.execute(connect);
        fmt::print("{}\n", code.message());
    }
    // 2. A fallback answers it. Without one, execute(measure) would not compile: an int cannot say
    //    that the call was rejected.
    const int value = breaker.execute(measure, fusebox::fallback([] { return -1; }));
    // 3. The permit says it.
    auto permit = breaker.tryAcquire();
    if (!permit) fmt::print("{}\n", toString(permit.rejection()));
    // [/no_exceptions]
    return code == fusebox::Errc::CircuitOpen && value == -1 && !permit ? 0 : 1;
}
