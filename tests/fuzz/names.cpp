// SPDX-License-Identifier: MIT
// Names, tags and errors of any bytes, in a registry and in every format.
//
// needs: nlohmann_json nlohmann_json::nlohmann_json
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fusebox/exposition/emf_sink.hpp"
#include "fusebox/exposition/json.hpp"
#include "fusebox/exposition/json_lines_sink.hpp"
#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/exposition/stats_text.hpp"
#include "fusebox/health/health_json.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/strict_text.hpp"
#include "fuzz/targets.hpp"

namespace fusebox::test {
namespace {

std::string name(Bytes& bytes) {
    return bytes.text(bytes.byte() % 16);
}

/// Refused where a name is empty or taken.
bool create(CircuitBreakerRegistry& registry, const std::string& name,
            const CircuitBreakerOptions& options) {
    const bool taken = registry.view(name) != nullptr;
    const bool wrong = name.empty() || taken || options.tags.contains("");
    try {
        const auto breaker = registry.create(name, ConsecutiveFailures{1}, options);
        demand(!wrong, "a breaker that should be refused", name);
        demand(breaker->name() == name, "another name", name);
        return true;
    } catch (const ConfigError& error) {
        const std::string_view sentence = error.what();
        demand(wrong, "a breaker is refused", sentence);
        demand(std::ranges::none_of(sentence, detail::isControl), "control characters", sentence);
        demand(taken || sentence.find("; allowed: ") != sentence.npos, "no sentence", sentence);
        return false;
    }
}

void checkLookUps(CircuitBreakerRegistry& registry, const std::set<std::string>& names) {
    demand(registry.size() == names.size(), "the number of breakers");
    auto expected = names.begin();
    for (const auto& view : registry.getAll()) {
        demand(view->name() == *expected++, "not sorted by name");
    }
    for (const std::string& name : names) {
        const auto breaker = registry.get(name);
        demand(breaker && breaker->name() == name, "not found", name);
        demand(!names.contains(name + 'x') == !registry.view(name + 'x'), "found", name);
        const NamedCircuitBreaker again{
            name, breaker->policy(), breaker->options(), {}, breaker->exportState()};
        demand(again.stats().lastError == breaker->stats().lastError, "another error", name);
    }
}

void checkJson(const std::vector<CircuitBreakerStats>& all) {
    const auto json = strictJson(jsonText(nlohmann::ordered_json(all)));
    demand(json.size() == all.size(), "not every breaker in JSON");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto said = json[i]["name"].get<std::string>();
        demand(!isUtf8(all[i].name) || said == all[i].name, "another name in JSON", said);
        demand(json[i]["tags"].size() == all[i].tags.size(), "a tag is lost in JSON", said);
    }
    HealthReport report;
    report.circuitBreakers = all;
    for (const auto& stats : all) {
        CheckReport& check = report.checks.emplace_back();
        check.name = stats.name;
        check.message = stats.lastError;
    }
    const auto own = strictJson(jsonText(healthJson(report)));
    demand(own["circuitBreakers"].size() == all.size(), "a breaker is lost in healthJson");
    (void)strictJson(jsonText(actuatorJson(report)));
    (void)strictJson(jsonText(healthPlusJson(report)));
}

void checkLines(const std::vector<CircuitBreakerStats>& all) {
    std::stringstream lines;
    const MetricsSnapshot snapshot{{}, all};
    JsonLinesSink{lines}.publish(snapshot);
    EmfSink{lines}.publish(snapshot);
    std::string line;
    std::size_t count = 0;
    for (; std::getline(lines, line); ++count) (void)strictJson(line);
    demand(count == 2 * all.size(), "not a line each");
}

void checkWords(const std::vector<CircuitBreakerStats>& all) {
    for (const auto& stats : all) {
        const std::string line = statsLine(stats);
        demand(std::ranges::none_of(line, detail::isControl), "control characters", line);
    }
    const std::string table = statsTable(all);
    demand(std::ranges::none_of(table, [](char c) { return c != '\n' && detail::isControl(c); }),
           "control characters in a table", table);
    demand(static_cast<std::size_t>(std::ranges::count(table, '\n')) == all.size() + 1,
           "not a line each in a table", table);
}

}  // namespace

void fuzzNames(Input input) {
    Bytes bytes{input};
    CircuitBreakerRegistry registry;
    std::set<std::string> names;
    for (int i = 0; i < 6 && !bytes.empty(); ++i) {
        const std::string wanted = name(bytes);
        CircuitBreakerOptions options;
        for (int tags = bytes.byte() % 4; tags > 0; --tags) {
            std::string key = name(bytes);
            options.tags[std::move(key)] = name(bytes);
        }
        if (create(registry, wanted, options)) names.insert(wanted);
        if (!names.contains(wanted)) continue;
        const std::string error = name(bytes);
        try {
            withCircuitBreaker(registry, wanted, [&] { throw std::runtime_error{error}; });
            fail("nothing was thrown");
        } catch (const CircuitOpenError& rejected) {
            demand(rejected.name() == wanted, "another name", rejected.what());
        } catch (const std::runtime_error&) {
        }
        if (bytes.byte() % 8 == 0) {
            demand(registry.remove(wanted), "not removed", wanted);
            names.erase(wanted);
        }
    }
    checkLookUps(registry, names);
    const auto all = registry.getAllStats();
    checkJson(all);
    checkLines(all);
    checkWords(all);
    checkPrometheus(prometheusText(all), names.size());
}

}  // namespace fusebox::test
