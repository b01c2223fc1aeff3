// SPDX-License-Identifier: MIT
// Random breakers and sequences of operations, drawn and shrunk by RapidCheck.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "reference/operation.hpp"

namespace fusebox::test {

/// One test: a breaker and what is done with it.
struct Story {
    Setup setup{};
    std::vector<Operation> operations{};

    friend bool operator==(const Story&, const Story&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Story& story) {
    out << story.setup;
    for (const Operation& operation : story.operations) out << "\n  " << operation;
    return out;
}

[[nodiscard]] inline Operation drawOperation(rc::Random& random) {
    std::uint64_t bits = random.next();
    const auto byte = [&] {
        const auto low = static_cast<std::uint8_t>(bits);
        bits >>= 8;
        return low;
    };
    Operation operation;
    operation.kind = kindOf(byte());
    operation.a = byte();
    operation.b = byte();
    operation.c = byte();
    return operation;
}

[[nodiscard]] inline Story drawStory(rc::Random& random, std::size_t longest) {
    Story story;
    for (RulesChoice& rules : story.setup.rules) {
        for (std::uint8_t& choice : rules.choice) {
            choice = static_cast<std::uint8_t>(random.next() % 251);
        }
        // Every second time the policy stays, so that windows have to be adopted.
        if (random.next() % 2 == 0) rules.choice[0] = story.setup.rules[0].choice[0];
    }
    story.setup.callbacks = random.next() % 2 == 0;
    story.setup.coarse = random.next() % 4 == 0;
    const std::size_t length = 1 + random.next() % longest;
    story.operations.reserve(length);
    for (std::size_t i = 0; i < length; ++i) story.operations.push_back(drawOperation(random));
    return story;
}

/// Simpler values of the three numbers of an operation.
[[nodiscard]] inline rc::Seq<Operation> simpler(const Operation& operation) {
    std::vector<Operation> all;
    for (std::uint8_t Operation::*field : {&Operation::a, &Operation::b, &Operation::c}) {
        const std::uint8_t value = operation.*field;
        for (const int smaller : {0, value % 12, value / 2, value - 1}) {
            if (smaller < 0 || smaller >= value) continue;
            Operation next = operation;
            next.*field = static_cast<std::uint8_t>(smaller);
            all.push_back(next);
        }
    }
    return rc::seq::fromContainer(std::move(all));
}

[[nodiscard]] inline rc::Seq<Setup> simpler(const Setup& setup) {
    std::vector<Setup> all;
    const auto add = [&](auto change) {
        Setup next = setup;
        change(next);
        if (!(next == setup)) all.push_back(next);
    };
    add([](Setup& s) { s.callbacks = false; });
    add([](Setup& s) { s.coarse = false; });
    for (std::size_t i = 0; i < setup.rules.size(); ++i) {
        add([&](Setup& s) { s.rules[i] = {}; });
        for (std::size_t f = 0; f < RulesChoice::Fields; ++f) {
            add([&](Setup& s) { s.rules[i].choice[f] = 0; });
            add([&](Setup& s) { s.rules[i].choice[f] %= 26; });
            add([&](Setup& s) { s.rules[i].choice[f] %= 6; });
        }
    }
    return rc::seq::fromContainer(std::move(all));
}

[[nodiscard]] inline rc::Seq<Story> simpler(const Story& story) {
    const auto withOperations = [story](std::vector<Operation> operations) {
        return Story{story.setup, std::move(operations)};
    };
    const auto withSetup = [story](Setup setup) { return Story{setup, story.operations}; };
    const auto each = [](const Operation& operation) { return simpler(operation); };
    return rc::seq::concat(
        rc::seq::map(rc::shrink::removeChunks(story.operations), withOperations),
        rc::seq::map(simpler(story.setup), withSetup),
        rc::seq::map(rc::shrink::eachElement(story.operations, each), withOperations));
}

/// Stories of up to `longest` operations, whatever RapidCheck thinks of their size.
[[nodiscard]] inline rc::Gen<Story> stories(std::size_t longest) {
    return [longest](const rc::Random& random, int) {
        rc::Random drawing = random;
        return rc::shrinkable::shrinkRecur(drawStory(drawing, longest),
                                           [](const Story& story) { return simpler(story); });
    };
}

}  // namespace fusebox::test
