// SPDX-License-Identifier: MIT
// The policies, clocks and options that are measured.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>

#include "fusebox/fusebox.hpp"
#if __has_include("fusebox/vocabulary/tsc_clock.hpp")
#include "fusebox/vocabulary/tsc_clock.hpp"
#define FUSEBOX_BENCH_TSC_CLOCK
#endif

namespace bench {

using namespace std::chrono_literals;

/// A clock, as a parameter with a name.
template <class C>
struct ClockCase {
    using Clock = C;
    std::string name;
};
inline const ClockCase<std::chrono::steady_clock> kSteady{"steady"};

template <class F>
void forEachClock(F&& f) {
    f(kSteady);
    f(ClockCase<fusebox::CoarseSteadyClock>{"coarse"});
#if defined(FUSEBOX_BENCH_TSC_CLOCK)
    // Where the counter cannot be trusted, there is no such clock.
    if (fusebox::TscClock::complaint()) return;
    f(ClockCase<fusebox::TscClock>{"tsc"});
    f(ClockCase<fusebox::RelaxedTscClock>{"relaxed tsc"});
#endif
}

/// What a policy cannot decide without, beyond the count of calls.
enum class Senses {
    Nothing,
    TimeOfFailures,  ///< A failure reads the clock, a success does not.
    TimeSlices,      ///< A success looks whether a slice of time is over.
    Latency,         ///< Each call is timed.
};

template <class P>
struct PolicyCase {
    using Policy = P;
    std::string name;
    P policy{};
    Senses senses = Senses::Nothing;
};

inline const PolicyCase<fusebox::ConsecutiveFailures> kInARow{"ConsecutiveFailures"};
inline const PolicyCase<fusebox::FailureRate> kRateOfTime{
    "FailureRate(60s)", {.window = 60s}, Senses::TimeSlices};

/// Every policy, over calls and over time; and combined, and chosen at run time.
template <class F>
void forEachPolicy(F&& f) {
    using namespace fusebox;
    const FailureRate rateOfCalls{.window = lastCalls(100)};
    const FailureRate rateOfTime = kRateOfTime.policy;

    f(kInARow);
    f(PolicyCase<FailureCount>{"FailureCount(100)", {.window = lastCalls(100)}});
    f(PolicyCase<FailureCount>{"FailureCount(60s)", {.window = 60s}, Senses::TimeOfFailures});
    f(PolicyCase<FailureRate>{"FailureRate(100)", rateOfCalls});
    f(kRateOfTime);
    f(PolicyCase<SlowCallRate>{"SlowCallRate(100)", {.window = lastCalls(100)}, Senses::Latency});
    f(PolicyCase<SlowCallRate>{"SlowCallRate(60s)", {.window = 60s}, Senses::Latency});
    f(PolicyCase<Cusum>{"Cusum"});
    f(PolicyCase<AnyOf<ConsecutiveFailures, FailureRate>>{
        "anyOf(in a row,rate 100)", anyOf(ConsecutiveFailures{}, rateOfCalls)});
    f(PolicyCase<AllOf<FailureCount, FailureRate>>{
        "allOf(count 60s,rate 60s)", allOf(FailureCount{}, rateOfTime), Senses::TimeSlices});
    f(PolicyCase<AnyTripPolicy>{"AnyTripPolicy(in a row)", ConsecutiveFailures{}});
    f(PolicyCase<AnyTripPolicy>{"AnyTripPolicy(rate 60s)", rateOfTime, Senses::TimeSlices});
}

/// The arithmetic of a policy without its verdict: it is told of every failure and never trips, so
/// that a breaker stays closed for as long as failures are measured.
template <class Policy>
struct NeverTrips {
    Policy policy{};

    friend bool operator==(const NeverTrips&, const NeverTrips&) = default;

    template <class Clock>
    class Tracker : public Policy::template Tracker<Clock> {
        using Base = typename Policy::template Tracker<Clock>;

    public:
        explicit Tracker(const NeverTrips& never) : Base(never.policy) {}

        fusebox::Verdict record(const fusebox::CallRecord& call) noexcept {
            fusebox::Verdict verdict = Base::record(call);
            benchmark::DoNotOptimize(verdict);
            return {false, verdict.holds};
        }
    };
};

/// The options that change what a call costs.
enum class Measuring { Nothing, Latency, InFlight, Overdue };

[[nodiscard]] inline std::string nameOf(Measuring measuring) {
    switch (measuring) {
        case Measuring::Nothing: return "no latency";
        case Measuring::Latency: return "latency";
        case Measuring::InFlight: return "in flight";
        case Measuring::Overdue: return "overdue";
    }
    return {};
}

[[nodiscard]] inline fusebox::CircuitBreakerOptions optionsFor(Measuring measuring) {
    const bool overdue = measuring == Measuring::Overdue;
    return {.measureLatency = overdue || measuring == Measuring::Latency,
            .trackInFlight = measuring == Measuring::InFlight,
            .detectOverdue = overdue};
}

}  // namespace bench
