// SPDX-License-Identifier: MIT
// docs/metrics.md says which metrics there are: it is compared with what is really written.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "exposition/metric_lines.hpp"
#include "fusebox/exposition/metrics.hpp"
#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace fusebox;
using namespace fusebox::test;

namespace {

/// A line of the document's tables.
struct Documented {
    std::string name;
    std::string type;
    std::set<std::string> labels;
};

/// What stands between backticks.
std::vector<std::string> inBackticks(const std::string& cell) {
    std::vector<std::string> words;
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
        const std::size_t end = cell.find('`', at + 1);
        words.push_back(cell.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    return words;
}

std::vector<Documented> documented() {
    std::ifstream file{std::string{FUSEBOX_SOURCE_DIR} + "/docs/metrics.md"};
    std::vector<Documented> rows;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("| `resilience4j_") && !line.starts_with("| `fusebox_")) continue;
        std::vector<std::string> cells;
        std::istringstream stream{line.substr(1)};
        for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(cell);
        const auto labels = inBackticks(cells.at(2));
        std::string type = cells.at(1);
        std::erase(type, ' ');
        rows.push_back({inBackticks(cells.at(0)).at(0), type, {labels.begin(), labels.end()}});
    }
    return rows;
}

/// Breakers of which every metric is known.
void fill(CircuitBreakerRegistry& registry) {
    const auto open = registry.create("open", FailureRate{}, {.trackInFlight = true});
    (void)open->tryAcquire().failure();
    open->open();
    (void)registry.create("scored", Cusum{});
}

}  // namespace

TEST_CASE("The document names every metric, with its type and labels, in the order of the text") {
    CircuitBreakerRegistry registry;
    fill(registry);
    const auto families = metricFamilies(registry.getAllStats());
    const auto rows = documented();
    std::vector<std::string> inDocument;
    std::vector<std::string> inText;
    for (const auto& row : rows) inDocument.push_back(row.name);
    for (const auto& family : families) inText.push_back(family.name);
    REQUIRE(inDocument == inText);
    CHECK(familiesOf(prometheusText(registry)) == inText);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(rows[i].name);
        CHECK(rows[i].type == std::string{toString(families[i].type)});
        std::set<std::string> labels;
        for (const auto& label : families[i].samples.at(0).labels) labels.insert(label.name);
        CHECK(labels.erase("name") == 1);
        CHECK(rows[i].labels == labels);
    }
}
