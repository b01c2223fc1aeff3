// SPDX-License-Identifier: MIT
// Windows of random length told of random calls, beside deques that keep every call.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "fusebox/window/last_calls_window.hpp"
#include "fusebox/window/last_time_window.hpp"
#include "reference/rapid.hpp"
#include "window/naive_windows.hpp"

namespace fusebox::test {

/// What is done, and how much of it: by remainder.
using WindowStep = std::tuple<std::uint8_t, std::uint16_t>;

/// The last N calls under records, rows of successes, and windows of other lengths that adopt what
/// this one knows. False where it differs from its definition.
[[nodiscard]] inline bool lastCallsAgree(int span, const std::vector<WindowStep>& steps,
                                         std::uint64_t& operations) {
    LastCallsWindow window{span};
    NaiveLastCalls naive{static_cast<std::uint64_t>(span)};
    std::uint64_t position = 0;
    for (const auto& [kind, amount] : steps) {
        ++operations;
        switch (kind % 8) {
            case 0:
            case 1:
            case 2:
                window.record(++position, true, kind % 8 == 2);
                naive.add({{}, true, kind % 8 == 2});
                break;
            case 3:
                window.record(++position, false, true);
                naive.add({{}, false, true});
                break;
            case 4: {
                // A shorter or equal window must take over everything it would hold.
                const int shorter = 1 + static_cast<int>(amount) % span;
                LastCallsWindow next{shorter};
                if (!next.adopt(window)) return false;
                NaiveLastCalls expected{static_cast<std::uint64_t>(shorter)};
                for (const NaiveCall& call : naive.all()) expected.add(call);
                if (next.counts(position) != expected.counts()) return false;
                break;
            }
            case 5: {
                // A longer one is exact, or says that it cannot be.
                LastCallsWindow next{span + 1 + static_cast<int>(amount) % 100};
                if (next.adopt(window) && position <= static_cast<std::uint64_t>(span) &&
                    next.counts(position) != naive.counts()) {
                    return false;
                }
                break;
            }
            default: {
                const std::uint64_t successes = amount % (2 * static_cast<unsigned>(span) + 2);
                position += successes;
                naive.addSuccesses(successes);
                break;
            }
        }
        if (window.counts(position) != naive.counts()) return false;
    }
    return true;
}

/// The last T, from any origin: calls at, just before and just after edges, and long rests.
[[nodiscard]] inline bool lastTimeAgrees(std::int64_t span, std::int64_t origin,
                                         const std::vector<WindowStep>& steps,
                                         std::uint64_t& operations) {
    using std::chrono::nanoseconds;
    LastTimeWindow window{nanoseconds{span}};
    NaiveLastTime naive{nanoseconds{span}, nanoseconds{origin}};
    nanoseconds now{origin};
    std::uint64_t position = 0;
    window.enter(now);
    for (const auto& [kind, amount] : steps) {
        ++operations;
        const nanoseconds before = now;
        switch (kind % 6) {
            case 0: now = naive.edgeAfter(now, amount % 13) + nanoseconds{amount % 3 - 1}; break;
            case 1: now += nanoseconds{span / 40 * (amount % 64)}; break;
            default: break;
        }
        now = std::max(now, before);
        const bool failed = kind % 5 < 2;
        const bool slow = amount % 4 == 0;
        if (failed || slow) {
            window.record(++position, now, failed, slow);
        } else {
            if (now >= window.nextEdge()) window.tick(position, now);
            ++position;
        }
        naive.add({now, failed, slow});
        if (window.counts(position, now) != naive.counts(now)) return false;
    }
    return true;
}

/// Both, with lengths of every size; a counterexample, or empty.
[[nodiscard]] inline std::string walkWindows(std::uint64_t seed, int tests,
                                             std::uint64_t& operations) {
    using Steps = std::vector<WindowStep>;
    const auto calls = [&] {
        const auto size = static_cast<unsigned>(*rc::gen::inRange(0, 12));
        const int span = 1 + *rc::gen::inRange(0, 1 << size);
        RC_ASSERT(lastCallsAgree(span, *rc::gen::arbitrary<Steps>(), operations));
    };
    const auto time = [&] {
        const auto size = static_cast<unsigned>(*rc::gen::inRange(0, 50));
        const std::int64_t span = 1 + *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << size);
        const auto origin = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 55);
        RC_ASSERT(lastTimeAgrees(span, origin, *rc::gen::arbitrary<Steps>(), operations));
    };
    const std::string found = counterexample(seed, tests, calls);
    return found.empty() ? counterexample(seed + 1, tests, time) : found;
}

}  // namespace fusebox::test
