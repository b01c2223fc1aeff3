// SPDX-License-Identifier: MIT
#include "fusebox/breaker/flights.hpp"
#include <thread>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "fusebox/window/thread_number.hpp"
#include "support/catch.hpp"
#include "support/other_thread.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using detail::Flights;
using detail::StateWord;
using detail::Ticket;
using fusebox::test::OtherThread;
using fusebox::test::SteppedPlatform;
using std::chrono::nanoseconds;

namespace {

constexpr StateWord kWatched = StateWord{}.withInstruments({.measured = true, .watched = true});

/// A call that begins, and is counted at once.
Ticket begin(Flights<>& flights, StateWord word, nanoseconds start) {
    Ticket ticket{word, start};
    REQUIRE(flights.begin(ticket) == Flights<>::Begun::Counted);
    return ticket;
}

struct NaiveFlight {
    Ticket ticket;
    bool taken = false;
};

/// Whether every call that began in the same sixteenth of the deadline is over it.
bool sliceIsOver(nanoseconds start, nanoseconds timeout, nanoseconds now) {
    const nanoseconds slice = timeout / 16;
    const auto floorOf = [&](nanoseconds time) {
        // Slices are counted from the earliest instant there is.
        const auto since = static_cast<std::uint64_t>(time.count()) ^ (std::uint64_t{1} << 63);
        return since / static_cast<std::uint64_t>(slice.count());
    };
    const auto last = (floorOf(start) + 1) * static_cast<std::uint64_t>(slice.count()) - 1;
    const auto at = static_cast<std::uint64_t>(now.count()) ^ (std::uint64_t{1} << 63);
    return at > last && at - last > static_cast<std::uint64_t>(timeout.count());
}

}  // namespace

TEST_CASE("A call that ends in time is not overdue, one that does not is, once") {
    Flights<> flights{4};
    flights.setTimeout(16s);
    const Ticket inTime = begin(flights, kWatched, 100s);
    const Ticket late = begin(flights, kWatched, 100s);
    CHECK(flights.end(inTime));
    CHECK(flights.takeOverdue(kWatched, 110s) == 0);
    CHECK(flights.takeOverdue(kWatched, 117s + 1s) == 1);
    CHECK(flights.takeOverdue(kWatched, 200s) == 0);
    CHECK_FALSE(flights.end(late));
}

TEST_CASE("Calls are overdue after the deadline, at most a sixteenth of it later") {
    Flights<> flights{1};
    const nanoseconds timeout =
        GENERATE(as<nanoseconds>{}, 1ns, 15ns, 16ns, 17ns, 31ns, 200ms, 30s, 24h * 365);
    const nanoseconds start = GENERATE(as<nanoseconds>{}, -1s, 0ns, 5ns, 123456789ns);
    CAPTURE(timeout.count(), start.count());
    flights.setTimeout(timeout);
    begin(flights, kWatched, start);
    CHECK(flights.takeOverdue(kWatched, start + timeout) == 0);
    CHECK(flights.takeOverdue(kWatched, start + timeout + timeout / 16 + 1ns) == 1);
}

TEST_CASE("It is time to look once a slice") {
    Flights<> flights{1};
    flights.setTimeout(16s);
    CHECK(flights.lookIsDue(0s));
    CHECK(flights.takeOverdue(kWatched, 100s) == 0);
    CHECK_FALSE(flights.lookIsDue(100s));
    CHECK(flights.lookIsDue(102s));
    // At once under another deadline. In slices of a nanosecond: at the next one.
    flights.setTimeout(16ns);
    CHECK(flights.lookIsDue(100s));
    CHECK(flights.lookIsDue(0ns));
    CHECK(flights.takeOverdue(kWatched, 100ns) == 0);
    CHECK_FALSE(flights.lookIsDue(100ns));
    CHECK(flights.lookIsDue(101ns));
}

TEST_CASE("A call of another epoch is not overdue") {
    Flights<> flights{1};
    flights.setTimeout(16s);
    const Ticket old = begin(flights, kWatched, 100s);
    const StateWord next = kWatched.next(CircuitState::Closed);
    CHECK(flights.takeOverdue(next, 200s) == 0);
    begin(flights, next, 100s);
    CHECK_FALSE(flights.end(old));
    CHECK(flights.takeOverdue(next, 200s) == 1);
}

TEST_CASE("A call that hung through a long silence is overdue") {
    Flights<> flights{1};
    flights.setTimeout(16s);
    begin(flights, kWatched, 100s);
    CHECK(flights.takeOverdue(kWatched, 24h * 30) == 1);
    // Of slices, that may be just less than 2^23.
    flights.setTimeout(16ns);
    begin(flights, kWatched, 0ns);
    CHECK(flights.takeOverdue(kWatched, nanoseconds{(1 << 23) - 1}) == 1);
}

TEST_CASE("Numbers of slices begin anew, and a call is as old as before") {
    // Numbered from the earliest instant there is, with 24 bits: 0 is the first of a round.
    for (const nanoseconds start : {-1ns, -16ns, 0ns}) {
        Flights<> flights{1};
        flights.setTimeout(16ns);
        begin(flights, kWatched, start);
        CHECK(flights.takeOverdue(kWatched, start + 16ns) == 0);
        CHECK(flights.takeOverdue(kWatched, start + 17ns) == 1);
    }
}

TEST_CASE("A call is taken once, also by the first epoch in the first slice") {
    Flights<> flights{1};
    flights.setTimeout(16ns);
    const Ticket late = begin(flights, kWatched, 0ns);
    CHECK(flights.takeOverdue(kWatched, 100ns) == 1);
    CHECK(flights.takeOverdue(kWatched, 101ns) == 0);
    CHECK_FALSE(flights.end(late));
}

TEST_CASE("A call keeps the lane of the thread on which it began") {
    const std::size_t lanes = GENERATE(as<std::size_t>{}, 1, 2, 4, 128, 1024);
    std::vector<int> wrong;
    std::thread{[&] {
        Flights<> flights{lanes};
        flights.setTimeout(16s);
        for (const std::uint32_t number : {0U, 1U, 2U, 3U, 5U, 126U, 127U, 128U, 1023U}) {
            detail::threadNumber = number;
            Ticket ticket{kWatched, 100s};
            const bool counted = flights.begin(ticket) == Flights<>::Begun::Counted;
            // The number of the lane from 1, of at most 128.
            const std::size_t expected = number % std::min<std::size_t>(lanes, 128) + 1;
            detail::threadNumber = number + 1;
            if (!counted || ticket.word.probes() != static_cast<int>(expected) ||
                !flights.end(ticket)) {
                wrong.push_back(static_cast<int>(number));
            }
        }
    }}.join();
    CHECK(wrong == std::vector<int>{});
}

TEST_CASE("A slice that is used again is looked at first") {
    Flights<> flights{1};
    flights.setTimeout(16s);
    begin(flights, kWatched, 100s);
    Ticket later{kWatched, 132s};
    REQUIRE(flights.begin(later) == Flights<>::Begun::LookFirst);
    CHECK(flights.takeOverdue(kWatched, 132s) == 1);
    CHECK(flights.begin(later) == Flights<>::Begun::Counted);
    CHECK(flights.end(later));
}

TEST_CASE("A call that was held up beyond what the slices remember is not counted") {
    Flights<> flights{1};
    flights.setTimeout(16s);
    const Ticket newer = begin(flights, kWatched, 132s);
    Ticket older{kWatched, 100s};
    CHECK(flights.begin(older) == Flights<>::Begun::NotCounted);
    CHECK(flights.end(older));
    CHECK(flights.end(newer));
}

TEST_CASE("Flights agree with a list of calls, whatever begins, ends and is looked at") {
    const auto seed = GENERATE(range(1U, 21U));
    std::mt19937 random{seed};
    const auto below = [&](int n) { return std::uniform_int_distribution<>{0, n - 1}(random); };
    const nanoseconds timeout{16 + below(2000)};
    Flights<> flights{1};
    flights.setTimeout(timeout);
    std::vector<NaiveFlight> naive;
    nanoseconds now{below(1'000'000)};
    StateWord word = kWatched;
    int differences = 0;
    for (int step = 0; step < 20'000; ++step) {
        now += nanoseconds{below(static_cast<int>(timeout.count()) / 20 + 2)};
        const bool due = flights.lookIsDue(now);
        if (due || below(10) == 0) {
            std::uint64_t expected = 0;
            for (NaiveFlight& flight : naive) {
                if (flight.taken || !sliceIsOver(flight.ticket.time, timeout, now)) continue;
                flight.taken = true;
                ++expected;
            }
            if (flights.takeOverdue(word, now) != expected) ++differences;
        }
        if (below(2) == 0) {
            naive.push_back({begin(flights, word, now)});
        } else if (!naive.empty() && below(3) != 0) {
            const auto one = naive.begin() + below(static_cast<int>(naive.size()));
            if (flights.end(one->ticket) == one->taken) ++differences;
            naive.erase(one);
        }
        if (below(2000) == 0) {
            word = word.next(CircuitState::Closed);
            naive.clear();
        }
    }
    CHECK(differences == 0);
}

TEST_CASE("Calls that begin at one step of each other are both counted, and both overdue") {
    using Stepped = Flights<SteppedPlatform>;
    std::vector<std::uint64_t> overdue;
    // On a thread that has no number yet, and gets one when it meets another.
    std::thread{[&] {
        for (int step = 0; step < 6; ++step) {
            for (int round = 0; round < 2; ++round) {
                Stepped flights{4};
                flights.setTimeout(16s);
                Ticket mine{kWatched, 100s};
                Ticket others{kWatched, 100s};
                OtherThread::actBeforeStep(step, [&] { (void)flights.begin(others); });
                (void)flights.begin(mine);
                if (!OtherThread::acted()) (void)flights.begin(others);
                overdue.push_back(flights.takeOverdue(kWatched, 120s));
            }
        }
    }}.join();
    CHECK(overdue == std::vector<std::uint64_t>(12, 2));
}

TEST_CASE("Calls that end at one step of each other are both ended") {
    using Stepped = Flights<SteppedPlatform>;
    for (int step = 0; step < 6; ++step) {
        Stepped flights{1};
        flights.setTimeout(16s);
        Ticket mine{kWatched, 100s};
        Ticket others{kWatched, 100s};
        Ticket late{kWatched, 100s};
        for (Ticket* ticket : {&mine, &others, &late}) (void)flights.begin(*ticket);
        bool othersEnded = false;
        const auto end = [&] { othersEnded = flights.end(others); };
        OtherThread::actBeforeStep(step, end);
        CHECK(flights.end(mine));
        if (!OtherThread::acted()) end();
        CHECK(othersEnded);
        CHECK(flights.takeOverdue(kWatched, 120s) == 1);
    }
}

TEST_CASE("A thread gets a number when its call meets another's, if there are lanes to choose") {
    using Stepped = Flights<SteppedPlatform>;
    for (const std::size_t lanes : {1U, 2U, 4U}) {
        std::uint32_t alone = 1;
        std::uint32_t met = 0;
        std::thread{[&] {
            Stepped flights{lanes};
            flights.setTimeout(16s);
            Ticket mine{kWatched, 100s};
            Ticket others{kWatched, 100s};
            (void)flights.begin(mine);
            alone = detail::thisThreadNumber();
            // Behind the load, before the exchange.
            OtherThread::actBeforeStep(2, [&] { (void)flights.begin(others); });
            (void)flights.begin(mine);
            met = detail::thisThreadNumber();
        }}.join();
        CHECK(alone == 0);
        CHECK((met != 0) == (lanes > 1));
    }
}
