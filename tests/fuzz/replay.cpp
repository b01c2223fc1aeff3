// SPDX-License-Identifier: MIT
// Gives inputs that were kept to their targets: fusebox_fuzz_replay <target>=<packed file>...
//
// A packed file holds a corpus, an input a line, in hexadecimal.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/targets.hpp"

using namespace fusebox::test;

namespace {

using Target = void (*)(Input);

Target targetOf(std::string_view name) {
    static constexpr std::pair<std::string_view, Target> kTargets[] = {
        {"operations", fuzzOperations},
        {"options", fuzzOptions},
        {"saved_state", fuzzSavedState},
#if defined(FUSEBOX_FUZZ_TEXTS)
        {"names", fuzzNames},
#endif
#if defined(FUSEBOX_FUZZ_ADMIN)
        {"admin", fuzzAdmin},
#endif
    };
    for (const auto& [known, target] : kTargets) {
        if (known == name) return target;
    }
    fail("no such target", name);
}

std::vector<std::uint8_t> bytesOf(const std::string& line) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const std::size_t equals = argument.find('=');
        demand(equals != argument.npos, "not <target>=<packed file>", argument);
        const Target target = targetOf(argument.substr(0, equals));
        std::ifstream file{std::string{argument.substr(equals + 1)}};
        int inputs = 0;
        for (std::string line; std::getline(file, line); ++inputs) target(bytesOf(line));
        demand(inputs > 0, "no inputs", argument);
        std::printf("%s: %d inputs\n", argv[i], inputs);
    }
    return 0;
}
