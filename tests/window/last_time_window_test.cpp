// SPDX-License-Identifier: MIT
#include "fusebox/window/last_time_window.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>

#include "support/catch.hpp"
#include "window/naive_windows.hpp"

using namespace std::chrono_literals;
using fusebox::CallCounts;
using fusebox::LastTimeWindow;
using fusebox::test::NaiveCall;
using fusebox::test::NaiveLastTime;
using std::chrono::nanoseconds;

namespace {

/// The window and its definition, told of the same calls; a success ticks as the breaker does.
class LastTimePair {
public:
    LastTimePair(nanoseconds span, nanoseconds origin)
        : now(origin), window_(span), naive_(span, origin) {
        window_.enter(origin);
    }

    void record(bool failed, bool slow) {
        window_.record(++position_, now, failed, slow);
        naive_.add({now, failed, slow});
    }
    void succeed() {
        if (now >= window_.nextEdge()) window_.tick(position_, now);
        ++position_;
        naive_.add({now});
    }
    [[nodiscard]] CallCounts counts() const { return window_.counts(position_, now); }
    [[nodiscard]] bool agree() { return counts() == naive_.counts(now); }
    [[nodiscard]] nanoseconds edgeAfter(int slices) const { return naive_.edgeAfter(now, slices); }
    [[nodiscard]] const LastTimeWindow& window() const { return window_; }

    nanoseconds now;

private:
    LastTimeWindow window_;
    NaiveLastTime naive_;
    std::uint64_t position_ = 0;
};

/// Random calls at random times, often right at, before or after an edge; true if all agree.
bool agreesAtRandom(nanoseconds span, nanoseconds origin, int operations) {
    LastTimePair pair{span, origin};
    std::mt19937_64 random{static_cast<std::uint64_t>(span.count())};
    const auto step = static_cast<std::uint64_t>(span.count()) / 40 + 2;
    for (int i = 0; i < operations; ++i) {
        const std::uint64_t choice = random() % 200;
        const nanoseconds before = pair.now;
        if (choice < 8) {
            constexpr int kAhead[] = {1, 1, 2, 9, 10, 11, 12, 30};
            const nanoseconds edge = pair.edgeAfter(kAhead[choice]);
            pair.now = edge - 1ns + nanoseconds{random() % 3};
        } else if (choice < 60) {
            pair.now += nanoseconds{random() % step};
        }
        pair.now = std::max(pair.now, before);
        if (random() % 4 == 0) {
            pair.record(random() % 2 == 0, random() % 3 == 0);
        } else {
            pair.succeed();
        }
        if (!pair.agree() || !(pair.window().nextEdge() > pair.now)) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("The last T is counted by its slices, whatever happens") {
    const auto span = GENERATE(1ns, 2ns, 3ns, 7ns, 9ns, 10ns, 11ns, 19ns, 101ns, 1000ns, 1003ns,
                               nanoseconds{60s}, nanoseconds{60s} + 7ns);
    CAPTURE(span.count());
    CHECK(agreesAtRandom(span, 0ns, 100'000));
    CHECK(agreesAtRandom(span, -12'345ns, 10'000));
    CHECK(agreesAtRandom(span, nanoseconds{1'700'000'000s} + 13ns, 10'000));
}

TEST_CASE("Everything younger than T is counted, and nothing older than T and a tenth") {
    const auto span = GENERATE(1ns, 7ns, 10ns, 95ns, 1000ns, 1001ns);
    LastTimePair pair{span, 5ns};
    std::deque<NaiveCall> all;
    std::mt19937_64 random{3};
    const auto step = static_cast<std::uint64_t>(span.count()) / 5 + 2;
    int missing = 0;
    int tooOld = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 3 == 0) pair.now += nanoseconds{random() % step};
        const bool failed = random() % 2 == 0;
        failed ? pair.record(true, false) : pair.succeed();
        all.push_back({pair.now, failed, false});
        while (10 * (pair.now - all.front().time) > 11 * span) all.pop_front();
        const auto young = static_cast<std::uint64_t>(std::count_if(
            all.begin(), all.end(), [&](const NaiveCall& c) { return pair.now - c.time < span; }));
        missing += pair.counts().calls < young;
        tooOld += pair.counts().calls > all.size();
    }
    CHECK(missing == 0);
    CHECK(tooOld == 0);
}

TEST_CASE("A window is read without a tick, at any later time") {
    LastTimePair pair{100ns, 0ns};
    for (int i = 0; i < 30; ++i) {
        pair.now += 4ns;
        pair.record(true, i % 2 == 0);
    }
    const nanoseconds last = pair.now;
    int differences = 0;
    for (; pair.now < last + 500ns; pair.now += 1ns) differences += !pair.agree();
    CHECK(differences == 0);
    CHECK(pair.counts() == CallCounts{0, 0, 0});
}

TEST_CASE("A long idle time empties the window") {
    const auto windows = GENERATE(1, 2, 3, 1000, 1'000'000);
    const auto off = GENERATE(-1, 0, 1);
    LastTimePair pair{1003ns, 17ns};
    for (int i = 0; i < 50; ++i) {
        pair.now += 29ns;
        pair.record(true, true);
    }
    pair.now += windows * 1003ns + nanoseconds{off};
    CHECK(pair.agree());
    pair.succeed();
    CHECK(pair.agree());
    pair.now += 1003ns;
    pair.record(true, false);
    CHECK(pair.agree());
}

TEST_CASE("A window that never ends counts everything, and overflows nowhere") {
    const auto origin =
        GENERATE(0ns, nanoseconds{1'700'000'000s}, nanoseconds::min(), nanoseconds::max() - 5ns);
    LastTimePair pair{nanoseconds::max(), origin};
    for (int i = 0; i < 10; ++i) pair.record(true, false);
    CHECK(pair.counts() == CallCounts{10, 10, 0});
    if (origin < 0ns) pair.now += nanoseconds::max() / 20 * 19;
    pair.now = pair.now > 0ns ? nanoseconds::max() : pair.now + 1h;
    CHECK(pair.agree());
    pair.record(true, false);
    CHECK(pair.agree());
    CHECK(pair.counts() == CallCounts{11, 11, 0});
}

TEST_CASE("A short window survives a jump across the whole range of time") {
    const auto span = GENERATE(1ns, 3ns, 10ns, 60s + 7ns);
    LastTimePair pair{span, nanoseconds::min()};
    pair.record(true, true);
    pair.now = nanoseconds::max();
    CHECK(pair.counts() == CallCounts{0, 0, 0});
    pair.record(true, false);
    CHECK(pair.counts() == CallCounts{1, 1, 0});
    pair.succeed();
    CHECK(pair.counts() == CallCounts{2, 1, 0});
}

TEST_CASE("A time that goes back is read as standing still") {
    LastTimeWindow window{100ns};
    window.enter(1000ns);
    window.record(1, 1050ns, true, false);
    window.record(2, 20ns, true, false);
    window.tick(2, nanoseconds::min());
    CHECK(window.nextEdge() == 1060ns);
    CHECK(window.counts(2, 0ns) == CallCounts{2, 2, 0});
    CHECK(window.counts(2, 1050ns) == CallCounts{2, 2, 0});
    CHECK(window.counts(2, 1150ns) == CallCounts{2, 2, 0});
    CHECK(window.counts(2, 1160ns) == CallCounts{0, 0, 0});
}

TEST_CASE("Entering anew starts an empty window at that time") {
    LastTimeWindow window{100ns};
    window.enter(0ns);
    for (std::uint64_t i = 1; i <= 30; ++i) window.record(i, nanoseconds{i * 7}, true, true);
    window.enter(1234ns);
    CHECK(window.nextEdge() == 1244ns);
    CHECK(window.counts(0, 1234ns) == CallCounts{0, 0, 0});
    window.record(1, 1234ns, false, true);
    CHECK(window.counts(1, 1343ns) == CallCounts{1, 0, 1});
    CHECK(window.counts(1, 1344ns) == CallCounts{0, 0, 0});
}

TEST_CASE("A window that was not entered yet begins empty, at 0") {
    LastTimeWindow window{100ns};
    CHECK(window.nextEdge() == 10ns);
    window.record(1, 9ns, true, true);
    CHECK(window.counts(1, 109ns) == CallCounts{1, 1, 1});
    CHECK(window.counts(1, 110ns) == CallCounts{0, 0, 0});
}

TEST_CASE("A window adopts another of the same length only") {
    LastTimeWindow known{100ns};
    known.enter(1000ns);
    known.record(1, 1001ns, true, false);
    LastTimeWindow window{100ns};
    CHECK(window.adopt(known));
    CHECK(window.counts(1, 1109ns) == CallCounts{1, 1, 0});
    CHECK(window.counts(1, 1110ns) == CallCounts{0, 0, 0});
    for (const auto span : {99ns, 101ns}) {
        LastTimeWindow other{span};
        CHECK_FALSE(other.adopt(known));
        CHECK(other.counts(0, 0ns) == CallCounts{0, 0, 0});
    }
}

TEST_CASE("A duration that validation refuses is held to the range") {
    for (const nanoseconds refused : {nanoseconds{-5s}, -1ns, 0ns}) {
        LastTimeWindow window{refused};
        window.enter(0ns);
        window.record(1, 10ns, true, false);
        CHECK(window.counts(1, 11ns) == CallCounts{1, 1, 0});
        CHECK(window.counts(1, 12ns) == CallCounts{0, 0, 0});
    }
}
