// SPDX-License-Identifier: MIT
// Callers that hang, and cannot be interrupted: the breaker opens for all others all the same.
#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

int main() {
    std::latch hungUp{1};
    const auto hang = [&] { hungUp.wait(); };

    // [overdue]
    fusebox::CircuitBreaker archive{"archive",
                                    fusebox::FailureCount{.threshold = 4},
                                    {.requestTimeout = 160ms, .detectOverdue = true}};
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) callers.emplace_back([&] { archive.execute(hang); });

    bool rejected = false;
    while (!rejected) {
        std::this_thread::sleep_for(20ms);
        // Answers quickly, but the others hang: once they are overdue, it is not asked any more.
        archive.execute([] {}, fusebox::fallback([&] { rejected = true; }));
    }
    // [/overdue]

    const auto stats = archive.stats();
    fmt::print("{}: {}\n", toString(stats.state), stats.lastTrip->summary);
    hungUp.count_down();
    return stats.lastTrip->consecutiveFailures > 0 ? 0 : 1;
}
