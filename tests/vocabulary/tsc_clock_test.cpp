// SPDX-License-Identifier: MIT
// The clocks on the time stamp counter: beside the steady clock, between threads, in a breaker, and
// refused. Where this machine has no such clock, the tests that need one say so and pass.
#include "fusebox/vocabulary/tsc_clock.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>

#include "fusebox/breaker/call_context.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "stress/hand_over.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using fusebox::CircuitState;
using fusebox::ClockTraits;
using fusebox::CoarseSteadyClock;
using fusebox::RelaxedTscClock;
using fusebox::TscClock;
using fusebox::detail::TscFacts;
using fusebox::detail::TscTime;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

static_assert(fusebox::Clock<TscClock>);
static_assert(fusebox::Clock<RelaxedTscClock>);
static_assert(std::is_same_v<TscClock::time_point, steady_clock::time_point>);
static_assert(fusebox::detail::TimeSource<TscClock>::onSteadyTimeLine);
static_assert(fusebox::detail::TimeSource<RelaxedTscClock>::onSteadyTimeLine);
static_assert(TscClock::is_steady);
static_assert(!RelaxedTscClock::is_steady);
static_assert(std::is_copy_assignable_v<TscClock> && sizeof(TscClock) == sizeof(void*));

/// What docs/concepts/clock.md promises while the steady clock's pace changes by no more than NTP
/// changes it.
constexpr nanoseconds kApart = 20us;

/// Whether this machine has the clock; if not, says why.
bool isThere() {
    const fusebox::Complaint complaint = TscClock::complaint();
    if (complaint) WARN("no TscClock on this machine: " << *complaint);
    return !complaint;
}

/// Readings between two of the steady clock.
struct Bracketed {
    int readings = 0;
    nanoseconds furthestAhead = nanoseconds::min();
    nanoseconds furthestBehind = nanoseconds::min();
    int lagged = 0;  ///< by more than 10 ms
};

template <class Read>
Bracketed bracket(nanoseconds duration, Read read) {
    Bracketed result;
    const auto end = steady_clock::now() + duration;
    for (auto after = steady_clock::now(); after < end; ++result.readings) {
        const auto before = after;
        const steady_clock::time_point reading = read();
        after = steady_clock::now();
        result.furthestAhead = std::max<nanoseconds>(result.furthestAhead, reading - after);
        result.furthestBehind = std::max<nanoseconds>(result.furthestBehind, before - reading);
        if (before - reading > 10ms) ++result.lagged;
    }
    return result;
}

/// What a machine says that has all that is asked for.
TscFacts goodFacts() {
    TscFacts facts;
    facts.isX8664 = true;
    facts.isInvariant = true;
    facts.hasRdtscp = true;
    facts.clockSources = "kvm-clock tsc acpi_pm";
    return facts;
}

std::string sentenceAbout(const TscFacts& facts) {
    return validate(facts).value_or("");
}

/// What is read of a kernel whose file is this.
std::optional<std::string> sourcesOf(const std::string& content) {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    std::fputs(content.c_str(), file);
    std::fflush(file);
    const std::string path = "/proc/self/fd/" + std::to_string(fileno(file));
    auto sources = fusebox::detail::readClockSources(path.c_str());
    std::fclose(file);
    return sources;
}

using TscBreaker = fusebox::CircuitBreaker<TscClock, fusebox::ConsecutiveFailures>;

/// Spins until the breaker is in the state, for seconds at most.
bool comesToBe(const TscBreaker& breaker, CircuitState state) {
    const auto end = steady_clock::now() + 10s;
    while (breaker.state() != state && steady_clock::now() < end) {
    }
    return breaker.state() == state;
}

}  // namespace

TEMPLATE_TEST_CASE("A clock on the time stamp counter keeps beside the steady clock", "", TscClock,
                   RelaxedTscClock) {
    if (!isThere()) return;
    const TestType clock;
    // Ten pieces of a line: most of them were begun with what was measured here.
    const Bracketed result = bracket(160ms, [&] { return clock.now(); });
    CHECK(result.readings > 0);
    CHECK(result.furthestAhead <= kApart);
    CHECK(result.furthestBehind <= kApart);
}

TEST_CASE("The first reading after a pause is beside the steady clock, too") {
    if (!isThere()) return;
    const TscClock clock;
    for (int i = 0; i < 5; ++i) {
        const auto end = steady_clock::now() + 40ms;
        while (steady_clock::now() < end) {
        }
        const Bracketed result = bracket(1us, [&] { return clock.now(); });
        CHECK(result.furthestAhead <= kApart);
        CHECK(result.furthestBehind <= kApart);
    }
}

TEST_CASE("The coarse steady clock keeps beside the steady clock, but for a tick") {
    const Bracketed result = bracket(50ms, [] { return CoarseSteadyClock::now(); });
    CHECK(result.furthestAhead <= 0ns);
    // A tick may come late where the machine itself is held up.
    CHECK(result.lagged <= result.readings / 2);
    STATIC_REQUIRE(ClockTraits<steady_clock>::coarseLag <= 10ms);
}

TEST_CASE("The coarse twin of a TscClock is behind it, by its margin at least") {
    if (!isThere()) return;
    using Traits = ClockTraits<TscClock>;
    const TscClock clock;
    const Bracketed result = bracket(50ms, [&] { return Traits::coarseNow(clock); });
    CHECK(result.furthestAhead <= -Traits::margin);
    CHECK(Traits::coarseNow(clock) <= clock.now() + kApart - Traits::margin);
    STATIC_REQUIRE(Traits::margin == 4ms);
    STATIC_REQUIRE(Traits::coarseLag == ClockTraits<steady_clock>::coarseLag + Traits::margin);
    STATIC_REQUIRE(Traits::neverStepsBack);
}

TEST_CASE("Copies of a TscClock, and two of them, share one time") {
    if (!isThere()) return;
    using fusebox::detail::kVersion;
    using fusebox::detail::processTscTime;
    CHECK(&processTscTime<kVersion>() == &processTscTime<kVersion>());
    const TscClock one;
    const TscClock copy = one;  // NOLINT(performance-unnecessary-copy-initialization)
    const TscClock other;
    const RelaxedTscClock relaxed;
    const auto first = one.now();
    const auto second = copy.now();
    const auto third = other.now();
    CHECK(first <= second);
    CHECK(second <= third);
    CHECK(std::chrono::abs(relaxed.now() - third) < 1s);
}

TEST_CASE("A reading that was handed over is never later than the one taken next") {
    if (!isThere()) return;
    const TscClock clock;
    // On a busy machine it takes a while until both threads run at the same time.
    const auto result = fusebox::test::handOver(
        2, 20'000, 10'000'000, [&] { return clock.now().time_since_epoch().count(); });
    CHECK(result.wentBack == 0);
    if (result.made == 0) WARN("the threads never ran at the same time");
}

TEST_CASE("A breaker on a TscClock measures latencies, opens and recovers") {
    if (!isThere()) return;
    TscBreaker breaker{"tsc",
                       fusebox::ConsecutiveFailures{2},
                       {.recoveryTimeout = 1ms, .successThreshold = 1, .requestTimeout = 1h}};
    auto took = 0ns;
    breaker.execute([&] {
        const auto begin = steady_clock::now();
        while (steady_clock::now() - begin < 1ms) {
        }
        took = steady_clock::now() - begin;
    });
    CHECK(breaker.stats().averageResponseTime.value() >= took - kApart);

    for (int i = 0; i < 2; ++i) CHECK_THROWS(breaker.execute([] { throw 1; }));
    const auto opened = steady_clock::now();
    CHECK(breaker.stats().timesOpened == 1);
    CHECK(comesToBe(breaker, CircuitState::HalfOpen));
    CHECK(steady_clock::now() - opened >= 1ms - kApart);
    CHECK(breaker.execute([] { return 5; }) == 5);
    CHECK(breaker.state() == CircuitState::Closed);
}

TEST_CASE("Deadlines of a breaker on a TscClock are on the steady time line") {
    if (!isThere()) return;
    TscBreaker breaker{"tsc", {}, {.requestTimeout = 1min}};
    const auto before = steady_clock::now();
    const auto deadline = breaker.execute([](const fusebox::CallContext& call) {
        CHECK(call.remaining() > 0s);
        CHECK(call.remaining() <= 1min);
        return call.deadline();
    });
    CHECK(deadline >= before + 1min - kApart);
    CHECK(deadline <= steady_clock::now() + 1min + kApart);
}

TEST_CASE("Where the machine gives no reason to trust the counter, the sentence says which") {
    CHECK_FALSE(validate(goodFacts()));
    TscFacts facts;
    CHECK_THAT(sentenceAbout(facts), StartsWith("processor"));
    facts.isX8664 = true;
    CHECK_THAT(sentenceAbout(facts), StartsWith("time stamp counter"));
    facts.isInvariant = true;
    CHECK_THAT(sentenceAbout(facts), StartsWith("RDTSCP"));
    facts.hasRdtscp = true;
    CHECK_THAT(sentenceAbout(facts), StartsWith("available_clocksource"));
    facts = goodFacts();
    facts.isX8664 = false;
    CHECK(sentenceAbout(facts) == "processor is not x86-64; allowed: x86-64");
    facts = goodFacts();
    facts.isInvariant = false;
    CHECK(sentenceAbout(facts) ==
          "time stamp counter is not invariant (CPUID 0x80000007, EDX bit 8); allowed: one of the "
          "same pace in every power state");
    facts = goodFacts();
    facts.hasRdtscp = false;
    CHECK(sentenceAbout(facts) ==
          "RDTSCP is missing (CPUID 0x80000001, EDX bit 27); allowed: a processor that has it");
    facts = goodFacts();
    facts.clockSources = "tsc-early hyperv_clocksource_tsc_page hpet";
    CHECK(sentenceAbout(facts) ==
          "available_clocksource is \"tsc-early hyperv_clocksource_tsc_page hpet\"; allowed: a "
          "list with tsc, by which the kernel says that it trusts the counter");
    facts.clockSources.reset();
    CHECK(sentenceAbout(facts) ==
          "available_clocksource is unreadable; allowed: a list with tsc, by which the kernel says "
          "that it trusts the counter");
}

TEST_CASE("A list of clock sources has tsc wherever it stands, as a word of its own") {
    for (const char* list : {"tsc", "tsc hpet", "hpet tsc", "hpet tsc acpi_pm"}) {
        TscFacts facts = goodFacts();
        facts.clockSources = list;
        CHECK_FALSE(validate(facts));
    }
    for (const char* list : {"", " ", "tscx", "xtsc", "hpet", "ts c"}) {
        TscFacts facts = goodFacts();
        facts.clockSources = list;
        CHECK(validate(facts));
    }
}

TEST_CASE("A clock that is refused throws the sentence") {
    TscTime none{TscFacts{}};
    CHECK(none.complaint() == "processor is not x86-64; allowed: x86-64");
    const auto refused =
        Catch::Matchers::Message("TscClock: processor is not x86-64; allowed: x86-64");
    CHECK_THROWS_MATCHES(TscClock{none}, fusebox::ConfigError, refused);
    CHECK_THROWS_MATCHES(RelaxedTscClock{none}, fusebox::ConfigError, refused);
}

TEST_CASE("A TscClock is there exactly if there is no complaint about it") {
    if (const fusebox::Complaint complaint = TscClock::complaint()) {
        CHECK_THROWS_MATCHES(TscClock{}, fusebox::ConfigError,
                             Catch::Matchers::Message("TscClock: " + *complaint));
    } else {
        CHECK_NOTHROW(TscClock{});
        CHECK_FALSE(RelaxedTscClock::complaint());
    }
}

TEST_CASE("What the processor says of its counter is what the kernel read of it") {
    const TscFacts facts = fusebox::detail::tscFacts();
    CHECK(facts.isX8664 == (FUSEBOX_HAS_TSC != 0));
    std::ifstream file{"/proc/cpuinfo"};
    std::string line;
    while (std::getline(file, line) && !line.starts_with("flags")) {
    }
    if (FUSEBOX_HAS_TSC == 0 || !file) {
        WARN("nothing to compare with");
        return;
    }
    const auto says = [words = line + ' '](const std::string& flag) {
        return words.find(' ' + flag + ' ') != std::string::npos;
    };
    CHECK(facts.isInvariant == says("nonstop_tsc"));
    CHECK(facts.hasRdtscp == says("rdtscp"));
    CHECK(facts.clockSources == fusebox::detail::readClockSources());
    if (facts.clockSources) {
        REQUIRE_FALSE(facts.clockSources->empty());
        CHECK(std::isgraph(static_cast<unsigned char>(facts.clockSources->back())) != 0);
    }
}

TEST_CASE("Each of the two facts of a processor is one bit of EDX, in one leaf of CPUID") {
    struct Bit {
        std::uint32_t leaf;
        int number;
    };
    const auto factsWith = [](Bit set, std::uint32_t others) {
        const auto edxOf = [=](std::uint32_t leaf) {
            const std::uint32_t bit = leaf == set.leaf ? std::uint32_t{1} << set.number : 0;
            return others ^ bit;
        };
        return fusebox::detail::factsOfX8664(edxOf, "tsc");
    };
    constexpr Bit kInvariant{0x80000007U, 8};
    constexpr Bit kRdtscp{0x80000001U, 27};
    for (const std::uint32_t others : {std::uint32_t{0}, ~std::uint32_t{0}}) {
        const bool isSet = others == 0;
        CHECK(factsWith(kInvariant, others).isInvariant == isSet);
        CHECK(factsWith(kInvariant, others).hasRdtscp == !isSet);
        CHECK(factsWith(kRdtscp, others).isInvariant == !isSet);
        CHECK(factsWith(kRdtscp, others).hasRdtscp == isSet);
    }
    CHECK_FALSE(validate(fusebox::detail::factsOfX8664([](auto) { return ~0U; }, "tsc")));
}

TEST_CASE("An ordered clock takes the ordered reading, a relaxed one the other") {
    struct TwoReadings {
        static std::uint64_t ticks() { return 1; }
        static std::uint64_t relaxedTicks() { return 2; }
    };
    using fusebox::detail::readTicks;
    using fusebox::detail::TscOrder;
    CHECK(readTicks<TscOrder::Ordered, TwoReadings>() == 1);
    CHECK(readTicks<TscOrder::Relaxed, TwoReadings>() == 2);
}

#if FUSEBOX_HAS_TSC
TEST_CASE("Both readings of the counter are what the compiler's own gives") {
    if (!fusebox::detail::tscFacts().hasRdtscp) {
        WARN("no RDTSCP");
        return;
    }
    constexpr std::uint64_t kAtOnce = std::uint64_t{1} << 30;
    const auto since = __builtin_ia32_rdtsc();
    CHECK(fusebox::detail::TscCounter::ticks() - since < kAtOnce);
    CHECK(fusebox::detail::TscCounter::relaxedTicks() - since < kAtOnce);
}
#endif

TEST_CASE("A counter whose pace cannot be measured is refused with that sentence") {
    TscTime uneven{goodFacts(), [](const fusebox::detail::TscCounter&) {
                       fusebox::detail::TickCalibration pace;
                       pace.complaint = "uneven";
                       return pace;
                   }};
    CHECK(uneven.complaint() == "uneven");
    CHECK_THROWS_AS(TscClock{uneven}, fusebox::ConfigError);
}

TEST_CASE("What a kernel or a processor does not tell is not known") {
    CHECK_FALSE(fusebox::detail::readClockSources("/nowhere/available_clocksource"));
    CHECK_FALSE(fusebox::detail::readClockSources("/dev/null"));
    CHECK(sourcesOf("kvm-clock tsc acpi_pm") == "kvm-clock tsc acpi_pm");
    CHECK(sourcesOf("tsc hpet \n") == "tsc hpet");
    CHECK(sourcesOf("\n") == "");
    CHECK(sourcesOf(std::string(5'000, 'x') + " tsc") == std::string(5'000, 'x') + " tsc");
    CHECK_FALSE(sourcesOf(""));
#if FUSEBOX_HAS_TSC
    CHECK(fusebox::detail::cpuidEdx(0x8fffffffU) == 0);        // no such leaf
    CHECK(fusebox::detail::cpuidEdx(0x80000007U) >> 31 == 0);  // a reserved bit
#endif
}
