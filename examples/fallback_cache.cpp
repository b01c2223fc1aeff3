// SPDX-License-Identifier: MIT
// A fallback: what callers get instead of a failure or a rejection.

#include <exception>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

namespace {

class Weather {
public:
    // [fallback_cache]
    /// Fresh if the service answers; else the last that it said.
    std::string report() {
        return fusebox::withCircuitBreaker(
            "weather-api", [&] { return cached_ = fetch(); },
            fusebox::fallback([&] { return cached_ + " (some time ago)"; }));
    }
    // [/fallback_cache]

    // [fallback_reasons]
    /// One fallback may tell a rejection from a failure.
    std::string status() {
        struct Why {
            std::string operator()(const fusebox::Rejection& rejection) const {
                return "rejected: " + toString(rejection);
            }
            std::string operator()(const std::exception_ptr&) const { return "it failed"; }
        };
        return fusebox::withCircuitBreaker(
            "weather-api", [&] { return fetch(); }, fusebox::fallback(Why{}));
    }
    // [/fallback_reasons]

    int asked() const { return asked_; }

private:
    std::string fetch() {
        if (++asked_ > 1) throw std::runtime_error{"no route to host"};
        return "sunny";
    }

    std::string cached_ = "unknown";
    int asked_ = 0;
};

}  // namespace

int main() {
    Weather weather;
    std::string last;
    for (int i = 0; i < 10; ++i) {
        last = weather.report();
        fmt::print("{}\n", last);
    }
    const std::string status = weather.status();
    fmt::print("{}\n", status);
    // One success and five failures reached the service; the circuit is open since.
    const bool stale = last == "sunny (some time ago)";
    return stale && weather.asked() == 6 && status.starts_with("rejected: ") ? 0 : 1;
}
