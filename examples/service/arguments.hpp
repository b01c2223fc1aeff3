// SPDX-License-Identifier: MIT
// What the service is told on its command line.
#pragma once

#include <charconv>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dependency.hpp"
#include "shop.hpp"

namespace shop {

inline constexpr std::string_view kUsage =
    "usage: service [option...]\n"
    "  --port N              0 to 65535; default 8080, 0 takes any free one\n"
    "  --fault NAME=FAULT    database, cache or external-api; ok, fail or hang\n"
    "  --recovery-ms N       how long an open breaker waits; default 30000\n"
    "  --request-ms N        the deadline of a call to a dependency; default 1000\n"
    "  --jobs-ms N           the interval of the jobs; default 5000\n"
    "  --drain-ms N          how long /readyz says 503 before it stops; default 500\n"
    "Environment: ADMIN_TOKEN, what administrators send as \"Authorization: Bearer ...\", without\n"
    "which nobody may change anything; TABLE_NAME, without which it is unhealthy.\n";

struct Arguments {
    int port = 8080;
    Times times{};
    std::chrono::milliseconds drain{500};
    std::vector<std::pair<std::string, Fault>> faults{};
    bool help = false;
};

inline int numberFrom(std::string_view option, std::string_view text, int least, int most) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (whole && number >= least && number <= most) return number;
    throw std::invalid_argument{std::string{option} + " is \"" + std::string{text} +
                                "\"; allowed: " + std::to_string(least) + " to " +
                                std::to_string(most)};
}

inline std::pair<std::string, Fault> faultFrom(std::string_view text) {
    const std::size_t sign = text.find('=');
    const auto name = text.substr(0, sign);
    const auto fault =
        sign == std::string_view::npos ? std::nullopt : faultOf(text.substr(sign + 1));
    const bool known = name == "database" || name == "cache" || name == "external-api";
    if (known && fault) return {std::string{name}, *fault};
    throw std::invalid_argument{"--fault is \"" + std::string{text} +
                                "\"; allowed: such as database=fail or cache=hang"};
}

/// @throws std::invalid_argument naming what is wrong.
inline Arguments argumentsFrom(int argc, char** argv) {
    Arguments arguments;
    const auto milliseconds = [](std::string_view option, std::string_view text) {
        return std::chrono::milliseconds{numberFrom(option, text, 1, 3'600'000)};
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--help") {
            arguments.help = true;
            return arguments;
        }
        const std::string_view value = i + 1 < argc ? argv[++i] : "";
        if (option == "--port") {
            arguments.port = numberFrom(option, value, 0, 65535);
        } else if (option == "--fault") {
            arguments.faults.push_back(faultFrom(value));
        } else if (option == "--recovery-ms") {
            arguments.times.recovery = milliseconds(option, value);
        } else if (option == "--request-ms") {
            arguments.times.request = milliseconds(option, value);
        } else if (option == "--jobs-ms") {
            arguments.times.jobs = milliseconds(option, value);
        } else if (option == "--drain-ms") {
            arguments.drain = std::chrono::milliseconds{numberFrom(option, value, 0, 60'000)};
        } else {
            throw std::invalid_argument{"unknown option " + std::string{option}};
        }
    }
    return arguments;
}

}  // namespace shop
