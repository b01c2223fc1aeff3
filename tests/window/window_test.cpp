// SPDX-License-Identifier: MIT
#include "fusebox/window/window.hpp"

#include <chrono>
#include <concepts>
#include <limits>
#include <string>

#include "support/catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

static_assert(std::regular<Window>);
static_assert(std::convertible_to<std::chrono::minutes, Window>);
static_assert(std::convertible_to<std::chrono::duration<double>, Window>);
static_assert(!std::convertible_to<int, Window>, "a bare number could be calls or seconds");
static_assert(Window{} == lastCalls(100));
static_assert(Window{60s} == Window{1min});
static_assert(Window{100ns} != lastCalls(100));

TEST_CASE("A window spans calls or time") {
    CHECK(Window{}.calls() == 100);
    constexpr Window calls = lastCalls(7);
    CHECK_FALSE(calls.isTime());
    CHECK(calls.calls() == 7);
    CHECK(calls.duration() == 0ns);

    constexpr Window time = 30s;
    CHECK(time.isTime());
    CHECK(time.calls() == 0);
    CHECK(time.duration() == 30s);
    CHECK(Window{1.5s}.duration() == 1500ms);
}

TEST_CASE("A window of any duration saturates instead of overflowing") {
    CHECK(Window{std::chrono::hours::max()}.duration() == std::chrono::nanoseconds::max());
    CHECK(Window{std::chrono::hours::min()}.duration() == std::chrono::nanoseconds::min());
    CHECK(Window{std::chrono::duration<double>{std::numeric_limits<double>::infinity()}} ==
          Window{std::chrono::nanoseconds::max()});
}

TEST_CASE("A window says itself in words") {
    CHECK(toString(lastCalls(100)) == "the last 100 calls");
    CHECK(toString(lastCalls(1)) == "the last call");
    CHECK(toString(Window{30s}) == "the last 30 s");
    CHECK(toString(Window{std::chrono::nanoseconds::max()}) == "all time");
}

TEST_CASE("A window that cannot work reaches validation and is refused by name and value") {
    const auto complaint = [](const Window& window) {
        return detail::requireWindow("Policy.window", window).value_or("none");
    };
    const std::string allowed =
        "; allowed: lastCalls(1) to lastCalls(1000000), or a duration above 0";
    CHECK(complaint(lastCalls(0)) == "Policy.window is lastCalls(0)" + allowed);
    CHECK(complaint(lastCalls(-3)) == "Policy.window is lastCalls(-3)" + allowed);
    CHECK(complaint(lastCalls(1'000'001)) == "Policy.window is lastCalls(1000001)" + allowed);
    CHECK(complaint(lastCalls(std::numeric_limits<int>::min())) ==
          "Policy.window is lastCalls(-2147483648)" + allowed);
    CHECK(complaint(0s) == "Policy.window is 0 ns; allowed: a duration above 0");
    CHECK(complaint(-5s) == "Policy.window is -5 s; allowed: a duration above 0");
    CHECK(complaint(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}) ==
          "Policy.window is 0 ns; allowed: a duration above 0");

    CHECK(complaint(lastCalls(1)) == "none");
    CHECK(complaint(lastCalls(Window::kMaxCalls)) == "none");
    CHECK(complaint(1ns) == "none");
    CHECK(complaint(std::chrono::nanoseconds::max()) == "none");
}

TEST_CASE("A window reaches as far as another of its kind that is not longer") {
    using fusebox::detail::reachesAsFar;
    CHECK(reachesAsFar(Window{10s}, Window{10s}));
    CHECK(reachesAsFar(Window{10s}, Window{9s}));
    CHECK_FALSE(reachesAsFar(Window{10s}, Window{11s}));
    CHECK(reachesAsFar(lastCalls(5), lastCalls(4)));
    CHECK_FALSE(reachesAsFar(lastCalls(5), lastCalls(6)));
    CHECK_FALSE(reachesAsFar(lastCalls(5), Window{1s}));
}
