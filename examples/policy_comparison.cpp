// SPDX-License-Identifier: MIT
// How soon does each policy notice an outage? Makes the tables of docs/design/policies.md.
//
// Usage: policy_comparison [repetitions]
#include <fmt/format.h>
#include <fusebox/policy/consecutive_failures.hpp>
#include <fusebox/policy/cusum.hpp>
#include <fusebox/policy/failure_rate.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace {

constexpr std::uint64_t kHealthyCalls = 200;
constexpr double kHealthyRate = 0.01;
constexpr std::array kOutageRates{1.0, 0.8, 0.5, 0.3};
// An outage of so many calls that goes unnoticed will not be noticed.
constexpr std::uint64_t kLongestOutage = 10'000;

/// Calls of which a given share fails. Successes need not be told to a policy, so that only the
/// positions of the failures are drawn.
class Service {
public:
    explicit Service(std::uint64_t seed) : random_(seed) {}

    /// The position of the next failing call after `position`.
    std::uint64_t failureAfter(std::uint64_t position, double rate) {
        if (rate >= 1.0) return position + 1;
        return position + 1 + std::geometric_distribution<std::uint64_t>{rate}(random_);
    }

private:
    std::mt19937_64 random_;
};

// [tell_a_tracker]
/// Tells a tracker of the failures among the calls after `from` up to `to`, until it trips.
/// Returns the position of the call that tripped it, or 0.
template <class Tracker>
std::uint64_t callUntilTrip(Tracker& tracker, Service& service, double rate, std::uint64_t from,
                            std::uint64_t to) {
    std::uint64_t position = service.failureAfter(from, rate);
    for (; position <= to; position = service.failureAfter(position, rate)) {
        if (tracker.record({.position = position, .failed = true}).trips) return position;
    }
    return 0;
}
// [/tell_a_tracker]

/// Mean calls from the beginning of an outage to the trip, in words. A run that trips while the
/// service is healthy says nothing about outages: it is counted and drawn again.
template <class Policy>
std::string callsToNotice(const Policy& policy, double rate, int repetitions, int& falseTrips) {
    typename Policy::template Tracker<std::chrono::steady_clock> tracker{policy};
    Service service{20'240'601};
    double calls = 0;
    int noticed = 0;
    for (int run = 0; run < repetitions;) {
        tracker.enter(std::chrono::nanoseconds{0});
        if (callUntilTrip(tracker, service, kHealthyRate, 0, kHealthyCalls) != 0) {
            ++falseTrips;
            continue;
        }
        ++run;
        const std::uint64_t trip =
            callUntilTrip(tracker, service, rate, kHealthyCalls, kHealthyCalls + kLongestOutage);
        if (trip == 0) continue;
        ++noticed;
        calls += static_cast<double>(trip - kHealthyCalls);
    }
    // Not "never" strictly: 30 failures in 100 become 50 by chance once in some 100'000 calls.
    if (noticed < repetitions / 10) return "never";
    return fmt::format("{}{:.1f}", noticed < repetitions ? ">" : "", calls / noticed);
}

template <class Policy>
void printRow(const char* name, const Policy& policy, int repetitions) {
    fmt::print("| {:<30} |", name);
    int falseTrips = 0;
    for (const double rate : kOutageRates) {
        fmt::print(" {:>6} |", callsToNotice(policy, rate, repetitions, falseTrips));
    }
    fmt::print(" {:>11} |\n", falseTrips);
}

/// Mean calls until a healthy service trips the policy.
double callsBetweenFalseTrips(const fusebox::Cusum& policy, int repetitions) {
    fusebox::Cusum::Tracker<std::chrono::steady_clock> tracker{policy};
    Service service{20'240'602};
    double calls = 0;
    for (int run = 0; run < repetitions; ++run) {
        tracker.enter(std::chrono::nanoseconds{0});
        calls += static_cast<double>(callUntilTrip(tracker, service, policy.acceptableFailureRate,
                                                   0, std::uint64_t{1} << 40));
    }
    return calls / repetitions;
}

}  // namespace

int main(int argc, char** argv) {
    const int repetitions = std::max(argc > 1 ? std::atoi(argv[1]) : 2'000, 10);

    fmt::print(
        "Calls until the trip, mean of {} outages after {} calls of which {:.0f} % failed\n\n",
        repetitions, kHealthyCalls, kHealthyRate * 100);
    fmt::print("| {:<30} |", "share of failures in the outage");
    for (const double rate : kOutageRates) fmt::print(" {:>4.0f} % |", rate * 100);
    fmt::print(" false trips |\n| {:-<30} | -----: | -----: | -----: | -----: | ----------: |\n",
               "");
    printRow("Cusum(1 %, 30 %, 1e6)", fusebox::Cusum{0.01, 0.30, 1e6}, repetitions);
    // As if the limit were ln(1e6): what textbooks give, and more than the promise needs.
    printRow("Cusum, textbook limit", fusebox::Cusum{0.01, 0.30, 1e6 / 0.30}, repetitions);
    printRow("half of the last 100 (min. 10)",
             fusebox::FailureRate{0.5, 10, fusebox::lastCalls(100)}, repetitions);
    printRow("five in a row", fusebox::ConsecutiveFailures{5}, repetitions);

    const int falseRepetitions = std::max(repetitions / 20, 10);
    fmt::print("\nCalls between false trips of Cusum(1 %, 30 %), mean of {}\n\n", falseRepetitions);
    fmt::print("| asked for | measured |\n| --------: | -------: |\n");
    bool kept = true;
    for (const double asked : {3e2, 3e3, 3e4}) {
        const double measured =
            callsBetweenFalseTrips(fusebox::Cusum{0.01, 0.30, asked}, falseRepetitions);
        fmt::print("| {:>9.0f} | {:>8.0f} |\n", asked, measured);
        kept = kept && measured >= asked;
    }
    return kept ? EXIT_SUCCESS : EXIT_FAILURE;
}
