// SPDX-License-Identifier: MIT
#include "campaign.hpp"

#include <algorithm>
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
    Findings findings = explore(scenario, {.executions = most});
    add(figures, findings);
    if (findings.exhausted || !findings.violation.empty()) return findings;
    ++figures.bounded;
    findings = explore(scenario, {.preemptions = 2, .executions = most});
    add(figures, findings);
    if (!findings.exhausted && findings.violation.empty()) {
        ++figures.cut;
        std::printf("not exhausted: %s\n", scenario.name().c_str());
    }
    return findings;
}

/// Whether all that the runs within `limits` show is shown by those with the reduction.
[[nodiscard]] bool compare(const char* name, const Suite& suite, const Limits& limits) {
    std::uint64_t whole = 0;
    std::uint64_t begun = 0;
    std::uint64_t different = 0;
    std::uint64_t runs = 0;
    std::uint64_t reducedRuns = 0;
    const auto begin = std::chrono::steady_clock::now();
    suite([&](Scenario& scenario) {
        Scenario::Shown all;
        Scenario::Shown some;
        scenario.collect(&all);
        const Findings full = explore(scenario, limits);
        scenario.collect(&some);
        const Findings reduced = explore(scenario);
        runs += full.executions;
        reducedRuns += reduced.executions;
        full.exhausted ? ++whole : ++begun;
        if (std::includes(some.begin(), some.end(), all.begin(), all.end())) return;
        ++different;
        std::printf("the reduction leaves something out: %s\n", scenario.name().c_str());
    });
    std::printf(
        "reduction, %s: %llu compared in full, %llu in their first %llu executions, %llu differ; "
        "%llu executions without it, %llu with it, %.1f s\n",
        name, static_cast<unsigned long long>(whole), static_cast<unsigned long long>(begun),
        static_cast<unsigned long long>(limits.executions),
        static_cast<unsigned long long>(different), static_cast<unsigned long long>(runs),
        static_cast<unsigned long long>(reducedRuns), secondsSince(begin));
    std::fflush(stdout);
    return different == 0;
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
        "%s: %llu scenarios, %llu violations; %llu exhausted, %llu up to 2 preemptions, %llu cut; "
        "%llu executions (%llu in part redundant), %llu steps, %.1f s; largest: %s\n",
        name, static_cast<unsigned long long>(figures.scenarios),
        static_cast<unsigned long long>(figures.violations),
        static_cast<unsigned long long>(figures.scenarios - figures.bounded),
        static_cast<unsigned long long>(figures.bounded - figures.cut),
        static_cast<unsigned long long>(figures.cut),
        static_cast<unsigned long long>(figures.executions),
        static_cast<unsigned long long>(figures.redundant),
        static_cast<unsigned long long>(figures.steps), figures.seconds, figures.largest.c_str());
    std::fflush(stdout);
    return figures;
}

bool checkReduction(std::uint64_t most) {
    // Never so many preemptions: every order of the threads.
    const Limits everything{.preemptions = 1000, .everyValue = true, .executions = most};
    const bool pairs = compare("pairs, every order and value", forEachPair, everything);
    const auto triples = [](const Visit& visit) { forEachTriple(1, visit); };
    const Limits values{.everyValue = true, .executions = most};
    return compare("triples, every value", triples, values) && pairs;
}

}  // namespace fusebox::model
