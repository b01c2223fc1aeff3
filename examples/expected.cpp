// SPDX-License-Identifier: MIT
// Results without exceptions: std::expected and its kin are understood as they are.
// needs: tl-expected tl::expected

#include <string>
#include <system_error>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <tl/expected.hpp>

namespace {

using Price = tl::expected<int, std::error_code>;

Price fetch() {
    return tl::unexpected{make_error_code(std::errc::host_unreachable)};
}

}  // namespace

int main() {
    fusebox::CircuitBreaker breaker{"prices", fusebox::ConsecutiveFailures{2}};

    // [expected]
    Price price;
    for (int i = 0; i < 3; ++i) {
        price = breaker.execute(fetch);  // An error is a failure; a rejection becomes an error.
        if (!price) fmt::print("{}\n", price.error().message());
    }
    // [/expected]
    // [errc]
    const bool rejected = price.error() == fusebox::Errc::CircuitOpen;
    const bool tryAgain = price.error() == std::errc::resource_unavailable_try_again;
    // [/errc]
    return rejected && tryAgain ? 0 : 1;
}
