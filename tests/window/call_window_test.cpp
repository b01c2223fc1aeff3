// SPDX-License-Identifier: MIT
#include "fusebox/window/call_window.hpp"

#include <chrono>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CallCounts;
using fusebox::CallWindow;
using fusebox::kForever;
using fusebox::lastCalls;
using fusebox::Window;

TEST_CASE("A window of calls ignores the time") {
    CallWindow window{lastCalls(3)};
    window.enter(100ns);
    CHECK(window.nextTick() == kForever);
    window.record(1, 100ns, true, false);
    window.tick(1, 1h);
    CHECK(window.counts(1, 1h) == CallCounts{1, 1, 0});
    CHECK(window.counts(3, 1h) == CallCounts{3, 1, 0});
    CHECK(window.counts(4, 1h) == CallCounts{3, 0, 0});
    window.enter(0ns);
    CHECK(window.counts(0, 0ns) == CallCounts{0, 0, 0});
}

TEST_CASE("A window of time ticks") {
    CallWindow window{10s};
    window.enter(100s);
    CHECK(window.nextTick() == 101s);
    window.record(1, 100s, true, false);
    window.tick(5, 101s);
    CHECK(window.nextTick() == 102s);
    window.record(6, 101s, false, true);
    CHECK(window.counts(6, 110s) == CallCounts{6, 1, 1});
    CHECK(window.counts(6, 111s) == CallCounts{1, 0, 1});
    window.enter(200s);
    CHECK(window.counts(0, 200s) == CallCounts{0, 0, 0});
}

TEST_CASE("A window takes over what one of its own kind knows, and nothing else") {
    CallWindow calls{Window{lastCalls(4)}};
    CallWindow time{Window{10s}};
    calls.enter(0s);
    time.enter(0s);
    calls.record(1, 1s, true, false);
    time.record(1, 1s, true, true);
    CHECK_FALSE(CallWindow{calls}.adopt(time));
    CHECK_FALSE(CallWindow{time}.adopt(calls));

    CallWindow longer{Window{20s}};
    longer.enter(0s);
    CHECK_FALSE(longer.adopt(time));
    CHECK(longer.counts(0, 1s).failures == 0);

    CallWindow sameTime{Window{10s}};
    CHECK(sameTime.adopt(time));
    CHECK(sameTime.counts(1, 1s).slow == 1);
    CallWindow fewer{Window{lastCalls(2)}};
    CHECK(fewer.adopt(calls));
    CHECK(fewer.counts(1, 1s).failures == 1);
}
