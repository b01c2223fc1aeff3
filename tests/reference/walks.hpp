// SPDX-License-Identifier: MIT
// Many random stories, and what happened in them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "reference/generators.hpp"
#include "reference/rapid.hpp"
#include "reference/walk.hpp"

namespace fusebox::test {

/// How much was tried.
struct Census {
    std::uint64_t stories = 0;
    std::uint64_t operations = 0;
    std::uint64_t openings = 0;
    std::uint64_t closings = 0;
    std::uint64_t rejections = 0;
    std::uint64_t staleCalls = 0;

    void add(const Seen& end) {
        openings += static_cast<std::uint64_t>(end[Figure::TimesOpened]);
        closings += static_cast<std::uint64_t>(end[Figure::TimesClosed]);
        rejections += static_cast<std::uint64_t>(end[Figure::Rejected]);
        staleCalls += static_cast<std::uint64_t>(end[Figure::Stale]);
    }
};

/// Walks through one story; empty, or where and how breaker and model differ.
template <class Policy>
[[nodiscard]] std::string differenceIn(const Story& story, Census& census) {
    ++census.stories;
    Walk<Policy> walk{story.setup};
    std::size_t step = 0;
    for (const Operation& operation : story.operations) {
        if (!walk.difference().empty()) break;
        ++step;
        walk.step(operation);
    }
    census.operations += step;
    if (walk.difference().empty()) {
        census.add(walk.expected());
        return {};
    }
    return "after operation " + std::to_string(step) + ":\n" + walk.difference();
}

/// Stories of up to `longest` operations until `operations` were walked; a counterexample, or
/// empty.
template <class Policy>
[[nodiscard]] std::string walkAbout(std::uint64_t seed, std::uint64_t operations,
                                    std::size_t longest, Census& census) {
    const auto tests = static_cast<int>(operations / (longest / 2 + 1) + 1);
    return counterexample(seed, tests, [&] {
        const Story story = *stories(longest);
        const std::string difference = differenceIn<Policy>(story, census);
        if (!difference.empty()) RC_FAIL(difference);
    });
}

}  // namespace fusebox::test
