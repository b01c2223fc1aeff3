// SPDX-License-Identifier: MIT
// Text in lines, and the text for Prometheus, taken apart.
#pragma once

#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace fusebox::test {

[[nodiscard]] inline std::vector<std::string> linesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// Every time series, by name and labels as they are written.
[[nodiscard]] inline std::map<std::string, double> metricsOf(const std::string& text) {
    std::map<std::string, double> metrics;
    for (const std::string& line : linesOf(text)) {
        if (line.starts_with('#')) continue;
        const std::size_t space = line.rfind(' ');
        const std::string value = line.substr(space + 1);
        metrics[line.substr(0, space)] =
            value == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(value);
    }
    return metrics;
}

/// The names of the families, in order.
[[nodiscard]] inline std::vector<std::string> familiesOf(const std::string& text) {
    std::vector<std::string> names;
    for (const std::string& line : linesOf(text)) {
        if (line.starts_with("# TYPE ")) names.push_back(line.substr(7, line.rfind(' ') - 7));
    }
    return names;
}

}  // namespace fusebox::test
