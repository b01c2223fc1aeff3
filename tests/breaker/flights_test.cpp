// SPDX-License-Identifier: MIT
#include "fusebox/breaker/flights.hpp"
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using detail::Flights;
using detail::StateWord;
using detail::Ticket;
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
        GENERATE(as<nanoseconds>{}, 16ns, 17ns, 31ns, 200ms, 30s, 24h * 365);
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

namespace {

/// What another thread does before one of the atomic steps of this one.
struct OtherThread {
    static inline int stepsLeft = 0;
    static inline std::function<void()> pending{};
    static void step() {
        if (pending && stepsLeft-- == 0) std::exchange(pending, nullptr)();
    }
};

/// A std::atomic whose user may be interrupted before each step.
template <class T>
struct SteppedAtomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    [[nodiscard]] T load(std::memory_order order) const {
        OtherThread::step();
        return std::atomic<T>::load(order);
    }
    bool compare_exchange_strong(T& seen, T next, std::memory_order yes, std::memory_order no) {
        OtherThread::step();
        return std::atomic<T>::compare_exchange_strong(seen, next, yes, no);
    }
};

struct SteppedPlatform {
    template <class T>
    using Atomic = SteppedAtomic<T>;
    using Mutex = std::mutex;
};

}  // namespace

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
                OtherThread::stepsLeft = step;
                OtherThread::pending = [&] { (void)flights.begin(others); };
                (void)flights.begin(mine);
                if (std::exchange(OtherThread::pending, nullptr)) (void)flights.begin(others);
                overdue.push_back(flights.takeOverdue(kWatched, 120s));
            }
        }
    }}.join();
    CHECK(overdue == std::vector<std::uint64_t>(12, 2));
}
