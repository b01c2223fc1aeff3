// SPDX-License-Identifier: MIT
// fusebox_drill SERVER [--seed N] [--repeat N] [--lanes N] [--only TEXT]
//
// Goes through every outage (those whose name has TEXT in it), several at once, and prints what
// came of each. SERVER is the program flaky_server. The seed draws pauses, jitter and who is hit.
// Returns 0 if every promise was kept, 1 if not, 2 if it could not be tried.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <list>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>

#include "drills/audit.hpp"
#include "drills/choice.hpp"
#include "drills/drill.hpp"
#include "drills/lag_meter.hpp"
#include "drills/outage.hpp"
#include "drills/report.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

using namespace fusebox;
using namespace fusebox::test;
using namespace std::chrono_literals;

namespace {

/// Healthy all through.
const flaky::Script kHealthy{{1h, 1ms, 1ms, 1ms}};

/// With a lag of so much, an outage whose times were exceeded says nothing.
constexpr auto kStandstill = 30ms;
constexpr int kTries = 4;

struct Held {
    std::ptrdiff_t threads;
    std::ptrdiff_t files;

    static Held now() {
        const auto entries = [](const char* folder) {
            return std::distance(std::filesystem::directory_iterator{folder}, {});
        };
        return {entries("/proc/self/task"), entries("/proc/self/fd")};
    }
    friend bool operator==(const Held&, const Held&) = default;
};

bool isExcused(const Evidence& seen, const Findings& found) {
    return seen.worstLag >= kStandstill && !found.violations.empty() &&
           std::ranges::all_of(found.violations, &Violation::ofTime);
}

void tryOut(const Outage& outage, const flaky::ServerProcess& server, const LagMeter& lags,
            std::uint32_t seed, Report& report) {
    for (int tries = 1;; ++tries) {
        const Evidence seen = goThrough(outage, server, lags, seed);
        const Findings found = audit(outage, seen);
        if (tries == kTries || !isExcused(seen, found)) return report.add(outage, seen, found);
        report.postpone(outage, seen, found);
    }
}

void drill(const Choice& choice, const std::vector<Outage>& outages, Report& report) {
    const LagMeter lags;
    std::atomic<std::size_t> next{0};
    const std::size_t number = outages.size() * static_cast<std::size_t>(choice.repeat);
    const auto work = [&](const flaky::ServerProcess& server) {
        for (std::size_t i = next++; i < number; i = next++) {
            const auto seed =
                static_cast<std::uint32_t>(choice.seed) + static_cast<std::uint32_t>(i);
            tryOut(outages[i % outages.size()], server, lags, seed, report);
        }
    };
    // All of them before there is a proxy: a child would hold the sockets that are open then.
    std::list<flaky::ServerProcess> servers;
    const std::size_t most = std::min(number, static_cast<std::size_t>(choice.lanes));
    while (servers.size() < most) servers.emplace_back(choice.server, kHealthy);
    std::vector<std::future<void>> lanes;
    for (const auto& server : servers) {
        lanes.push_back(std::async(std::launch::async, work, std::cref(server)));
    }
    for (auto& lane : lanes) lane.get();
}

/// What the library, and others, keep from their first use on is there.
void useOnce(const std::string& server) {
    CircuitBreaker breaker{"first"};
    breaker.execute([](const std::stop_token&) {});
    const flaky::ServerProcess process{server, kHealthy};
    (void)process.requestsReached();
}

void checkLeaks(const Held& before, Report& report) {
    // A thread that was joined may be listed a moment longer.
    for (int i = 0; i < 1000 && Held::now() != before; ++i) std::this_thread::sleep_for(5ms);
    const Held after = Held::now();
    if (after != before) {
        report.complain(fmt::format("{} threads and {} files are left, of {} and {} before",
                                    after.threads, after.files, before.threads, before.files));
    }
    if (::waitpid(-1, nullptr, WNOHANG) >= 0) report.complain("a server is left");
}

}  // namespace

int main(int argc, char** argv) try {
    const Choice choice = Choice::from({argv + 1, argv + argc});
    const std::vector<Outage> those = choice.ofThose(outages());
    // Writing to a connection that is reset is a failed call, not the end.
    std::signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
    useOnce(choice.server);
    const Held before = Held::now();

    Report report;
    Report::printHeader();
    drill(choice, those, report);
    checkLeaks(before, report);
    report.printSum();
    return report.right() ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "fusebox_drill: {}\n", error.what());
    return 2;
}
