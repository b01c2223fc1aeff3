// SPDX-License-Identifier: MIT
// What the command line asks for.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "drills/outage.hpp"

namespace fusebox::test {

struct Choice {
    std::string server;
    std::string only;
    int seed = 1;
    int repeat = 1;
    int lanes = 12;  ///< Outages at the same time.

    /// @throws flaky::BadArgument
    static Choice from(const std::vector<std::string>& words) {
        Choice choice;
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::string& word = words[i];
            const auto value = [&] {
                if (i + 1 == words.size())
                    throw flaky::BadArgument{word + ": its value is missing"};
                return words[++i];
            };
            if (word == "--seed") {
                choice.seed = flaky::parseNumber(word, value(), 0, 1'000'000'000);
            } else if (word == "--repeat") {
                choice.repeat = flaky::parseNumber(word, value(), 1, 1'000'000);
            } else if (word == "--lanes") {
                choice.lanes = flaky::parseNumber(word, value(), 1, 32);
            } else if (word == "--only") {
                choice.only = value();
            } else if (choice.server.empty() && !word.starts_with('-')) {
                choice.server = word;
            } else {
                throw flaky::BadArgument{word + ": no such argument"};
            }
        }
        if (choice.server.empty()) throw flaky::BadArgument{"the program flaky_server is missing"};
        return choice;
    }

    /// @throws flaky::BadArgument
    [[nodiscard]] std::vector<Outage> ofThose(std::vector<Outage> all) const {
        std::vector<Outage> those;
        for (Outage& outage : all) {
            if (outage.name.find(only) != std::string::npos) those.push_back(std::move(outage));
        }
        if (those.empty()) throw flaky::BadArgument{"no outage is called '" + only + "'"};
        return those;
    }
};

}  // namespace fusebox::test
