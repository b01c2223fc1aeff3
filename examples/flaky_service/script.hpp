// SPDX-License-Identifier: MIT
// What the service goes through, and when: known to the server that acts it and to the client that
// measures it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <string_view>

namespace flaky {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// One clock for everything; on the same machine server and client read the same time from it.
using Clock = std::chrono::steady_clock;

enum class Phase { Healthy, Errors, Hangs, Recovered };

inline constexpr std::array kPhases{Phase::Healthy, Phase::Errors, Phase::Hangs, Phase::Recovered};

/// A number for each phase, in the order of `kPhases`.
template <class T>
using PerPhase = std::array<T, kPhases.size()>;

/// For how long a hanging request is held.
inline constexpr milliseconds kHold = 1s;

/// For how long a caller waits for an answer; well below `kHold`, well above a healthy answer.
inline constexpr milliseconds kCallTimeout = 300ms;

[[nodiscard]] constexpr std::size_t indexOf(Phase phase) {
    return static_cast<std::size_t>(phase);
}

[[nodiscard]] constexpr std::string_view toString(Phase phase) {
    return PerPhase<std::string_view>{"healthy", "errors", "hangs", "recovered"}[indexOf(phase)];
}

class Script {
public:
    explicit Script(const PerPhase<milliseconds>& lengths) : lengths_{lengths} {}

    /// Healthy, failing, hanging and recovered for 20, 25, 25 and 30 % of the time.
    [[nodiscard]] static Script lasting(milliseconds total) {
        return Script{{total * 20 / 100, total * 25 / 100, total * 25 / 100, total * 30 / 100}};
    }

    [[nodiscard]] const PerPhase<milliseconds>& lengths() const { return lengths_; }

    [[nodiscard]] milliseconds start(Phase phase) const {
        const auto end = lengths_.begin() + static_cast<std::ptrdiff_t>(phase);
        return std::accumulate(lengths_.begin(), end, 0ms);
    }

    [[nodiscard]] milliseconds total() const {
        return std::accumulate(lengths_.begin(), lengths_.end(), 0ms);
    }

    /// The phase at that time; the last one does not end.
    [[nodiscard]] Phase at(nanoseconds elapsed) const {
        if (elapsed < start(Phase::Errors)) return Phase::Healthy;
        if (elapsed < start(Phase::Hangs)) return Phase::Errors;
        if (elapsed < start(Phase::Recovered)) return Phase::Hangs;
        return Phase::Recovered;
    }

    [[nodiscard]] bool sickAt(nanoseconds elapsed) const {
        return elapsed >= start(Phase::Errors) && elapsed < start(Phase::Recovered);
    }

private:
    PerPhase<milliseconds> lengths_;
};

}  // namespace flaky
