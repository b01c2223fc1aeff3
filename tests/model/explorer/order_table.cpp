// SPDX-License-Identifier: MIT
#include "order_table.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "breaker/suites.hpp"
#include "engine/order_sites.hpp"
#include "engine/scenario.hpp"

namespace fusebox::model {
namespace {

constexpr Limits kLimits{.executions = 2'000};

using ByScenario = std::map<std::string, std::set<OrderSite>>;

void forEachScenario(std::size_t stride, const Visit& visit) {
    forEachSpecial(visit);
    forEachPair(visit);
    forEachTriple(stride, visit);
}

[[nodiscard]] ByScenario sitesByScenario(std::size_t stride) {
    ByScenario sites;
    orderSites().collect(true);
    forEachScenario(stride, [&](Scenario& scenario) {
        (void)explore(scenario, kLimits);
        std::set<OrderSite> used = orderSites().takeCollected();
        std::erase_if(used, [](const OrderSite& site) {
            return site.file.rfind("fusebox/", 0) != 0 ||
                   site.file.find("/model/") != std::string::npos;
        });
        sites[scenario.name()].merge(used);
    });
    orderSites().collect(false);
    return sites;
}

/// The first scenario in which something goes wrong, and what; empty if there is none.
[[nodiscard]] std::string noticedBy(const OrderSite& site, std::memory_order weaker,
                                    const ByScenario& sites, std::size_t stride) {
    std::string noticed;
    orderSites().weaken(site, weaker);
    forEachScenario(stride, [&](Scenario& scenario) {
        if (!noticed.empty() || !sites.at(scenario.name()).contains(site)) return;
        const Findings findings = explore(scenario, kLimits);
        if (!findings.violation.empty()) noticed = scenario.name() + " | " + findings.violation;
    });
    orderSites().restore();
    return noticed;
}

}  // namespace

bool printOrderTable(std::size_t stride) {
    const auto begin = std::chrono::steady_clock::now();
    const ByScenario sites = sitesByScenario(stride);
    std::set<OrderSite> all;
    for (const auto& [name, used] : sites) all.insert(used.begin(), used.end());
    int relaxed = 0;
    int weakened = 0;
    int missed = 0;
    for (const OrderSite& site : all) {
        if (site.order == std::memory_order_relaxed) {
            ++relaxed;
            std::printf("%s | relaxed\n", toString(site).c_str());
        }
        for (const std::memory_order weaker : weakerThan(site)) {
            ++weakened;
            const std::string noticed = noticedBy(site, weaker, sites, stride);
            if (noticed.empty()) ++missed;
            std::printf("%s | %s -> %s | %s\n", toString(site).c_str(),
                        toString(site.order).c_str(), toString(weaker).c_str(),
                        noticed.empty() ? "NOT NOTICED" : noticed.c_str());
            std::fflush(stdout);
        }
    }
    std::printf("orders: %zu sites, %d of them relaxed; %d weakened, %d not noticed; %.1f s\n",
                all.size(), relaxed, weakened, missed,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return missed == 0;
}

}  // namespace fusebox::model
