// SPDX-License-Identifier: MIT
#include "campaign.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace fusebox::model {
namespace {

[[nodiscard]] double secondsSince(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void add(Figures& figures, const Findings& findings) {
    figures.executions += findings.executions;
    figures.redundant += findings.redundant;
    figures.steps += findings.steps;
}

[[nodiscard]] Findings exploreOne(Scenario& scenario, std::uint64_t most, Figures& figures) {
    constexpr std::uint64_t kSample = 2'000;
    Findings findings = explore(scenario, {.executions = scenario.isSampled() ? kSample : most});
    add(figures, findings);
    if (findings.exhausted || !findings.violation.empty()) return findings;
    if (scenario.isSampled()) {
        ++figures.sampled;
        return findings;
    }
    ++figures.bounded;
    findings = explore(scenario, {.preemptions = 2, .executions = most});
    add(figures, findings);
    if (!findings.exhausted && findings.violation.empty()) {
        ++figures.cut;
        std::printf("not exhausted: %s\n", scenario.name().c_str());
    }
    return findings;
}

}  // namespace

Figures explore(const char* name, const Suite& suite, std::uint64_t most) {
    Figures figures;
    std::uint64_t mostExecutions = 0;
    // Where it is, for who waits.
    const bool verbose = std::getenv("EXPLORER_VERBOSE") != nullptr;
    const auto begin = std::chrono::steady_clock::now();
    suite([&](Scenario& scenario) {
        ++figures.scenarios;
        if (verbose) std::printf("%7.1f s: %s\n", secondsSince(begin), scenario.name().c_str());
        const Findings findings = exploreOne(scenario, most, figures);
        if (findings.executions > mostExecutions) {
            mostExecutions = findings.executions;
            figures.largest = scenario.name();
        }
        if (findings.violation.empty()) return;
        ++figures.violations;
        std::printf("VIOLATION in %s: %s\n%s", scenario.name().c_str(), findings.violation.c_str(),
                    findings.trace.c_str());
    });
    figures.seconds = secondsSince(begin);
    std::printf(
        "%s: %llu scenarios, %llu violations; %llu exhausted, %llu up to 2 preemptions, %llu cut, "
        "%llu sampled; "
        "%llu executions (%llu in part redundant), %llu steps, %.1f s; largest: %s\n",
        name, static_cast<unsigned long long>(figures.scenarios),
        static_cast<unsigned long long>(figures.violations),
        static_cast<unsigned long long>(figures.scenarios - figures.bounded - figures.sampled),
        static_cast<unsigned long long>(figures.bounded - figures.cut),
        static_cast<unsigned long long>(figures.cut),
        static_cast<unsigned long long>(figures.sampled),
        static_cast<unsigned long long>(figures.executions),
        static_cast<unsigned long long>(figures.redundant),
        static_cast<unsigned long long>(figures.steps), figures.seconds, figures.largest.c_str());
    std::fflush(stdout);
    return figures;
}

bool checkReduction(std::uint64_t most) {
    std::uint64_t compared = 0;
    std::uint64_t larger = 0;
    std::uint64_t different = 0;
    std::uint64_t plainRuns = 0;
    std::uint64_t reducedRuns = 0;
    const auto begin = std::chrono::steady_clock::now();
    forEachPair([&](Scenario& scenario) {
        Scenario::Shown plain;
        Scenario::Shown reduced;
        scenario.collect(&plain);
        const Findings all = explore(scenario, {.preemptions = 1000, .executions = most});
        scenario.collect(&reduced);
        const Findings some = explore(scenario);
        plainRuns += all.executions;
        reducedRuns += some.executions;
        all.exhausted ? ++compared : ++larger;
        for (const auto& shown : plain) {
            if (reduced.count(shown) > 0) continue;
            ++different;
            std::printf("the reduction leaves something out: %s\n", scenario.name().c_str());
            return;
        }
    });
    std::printf(
        "reduction: %llu pairs compared in full, %llu in their first %llu executions, %llu differ; "
        "%llu executions without it, %llu with it, %.1f s\n",
        static_cast<unsigned long long>(compared), static_cast<unsigned long long>(larger),
        static_cast<unsigned long long>(most), static_cast<unsigned long long>(different),
        static_cast<unsigned long long>(plainRuns), static_cast<unsigned long long>(reducedRuns),
        secondsSince(begin));
    return different == 0;
}

}  // namespace fusebox::model
