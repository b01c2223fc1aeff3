// SPDX-License-Identifier: MIT

#include "report.hpp"

#include <algorithm>
#include <concepts>
#include <string_view>

#include <fmt/format.h>

#include "latency.hpp"

namespace flaky {
namespace {

std::string wordsFor(std::integral auto count) {
    return fmt::to_string(count);
}

void printRow(std::string_view label, const std::string& unguarded, const std::string& guarded) {
    fmt::print("{:<44} {:>12} {:>12}\n", label, unguarded, guarded);
}

bool within(std::optional<nanoseconds> time, nanoseconds limit) {
    return time && *time >= 0ns && *time <= limit;
}

/// Counts that should be equal, but for a request lost with its connection or two.
bool agree(std::size_t a, std::size_t b) {
    const std::size_t difference = std::max(a, b) - std::min(a, b);
    return difference <= 2 + std::max(a, b) / 200;
}

}  // namespace

void printTable(const Summary& unguarded, const Summary& guarded) {
    const auto row = [&](std::string_view label, auto member) {
        printRow(label, wordsFor(unguarded.*member), wordsFor(guarded.*member));
    };
    fmt::print("\n");
    printRow("", "unguarded", "guarded");
    row("calls made", &Summary::calls);
    row("failed calls seen by callers", &Summary::failed);
    row("rejected at once by the breaker", &Summary::rejected);
    row("requests that reached the sick server", &Summary::reachedSick);
    row("p50 latency while the server was sick", &Summary::sickP50);
    row("p99 latency while the server was sick", &Summary::sickP99);
    row("p50 latency overall", &Summary::p50);
    row("p99 latency overall", &Summary::p99);
    row("longest time a caller was stuck", &Summary::longest);
    row("time all callers spent on the sick server", &Summary::sickWaiting);
    row("from the first failure to open", &Summary::firstFailureToOpen);
    row("from recovery to the first success", &Summary::recoveryToSuccess);
    row("from recovery to closed", &Summary::recoveryToClosed);
    fmt::print("\n");
}

bool printVerdict(const Summary& unguarded, const Summary& guarded) {
    bool all = true;
    const auto check = [&](bool passed, const std::string& criterion) {
        fmt::print("{}  {}\n", passed ? "PASS" : "FAIL", criterion);
        all = all && passed;
    };
    // The last probe may hang until just after the recovery; then comes a wait, then good probes.
    constexpr milliseconds closeLimit = kCallTimeout + Guard::kRecoveryTimeout + 700ms;
    constexpr milliseconds openLimit = 1s;

    check(guarded.rejectedWhileHealthy == 0, "no call was rejected while the server was healthy");
    check(within(guarded.firstFailureToOpen, openLimit),
          fmt::format("the breaker opened within {} of the first failure: {}", inWords(openLimit),
                      wordsFor(guarded.firstFailureToOpen)));
    check(!guarded.closedWhileSick, "it did not close while the server was sick");
    check(guarded.reachedSick * 10 <= unguarded.reachedSick,
          fmt::format("at most a tenth of the requests reached the sick server: {} of {}",
                      guarded.reachedSick, unguarded.reachedSick));
    check(guarded.failed * 10 <= unguarded.failed,
          fmt::format("callers saw at most a tenth of the failures: {} of {}", guarded.failed,
                      unguarded.failed));
    check(guarded.sickP99 * 10 <= unguarded.sickP99,
          fmt::format("p99 latency while the server was sick was at most a tenth: {}, not {}",
                      inWords(guarded.sickP99), inWords(unguarded.sickP99)));
    check(within(guarded.recoveryToClosed, closeLimit),
          fmt::format("the breaker closed within {} of the recovery: {}", inWords(closeLimit),
                      wordsFor(guarded.recoveryToClosed)));
    for (const auto* run : {&unguarded, &guarded}) {
        const std::size_t asked = run->calls - run->rejected;
        check(agree(static_cast<std::size_t>(run->reached), asked),
              fmt::format("{}: the server counted {} requests, the callers {}",
                          run == &guarded ? "guarded" : "unguarded", run->reached, asked));
    }
    return all;
}

}  // namespace flaky
