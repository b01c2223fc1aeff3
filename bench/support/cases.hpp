// SPDX-License-Identifier: MIT
// How one case is named, run and checked.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/fusebox.hpp"
#include "support/measure.hpp"

namespace bench {

/// What a case is; bench/report reads it from the benchmark's name. What is empty is left out.
struct CaseName {
    std::string what;
    std::string by = "fusebox";
    std::string policy{};
    std::string clock{};
    std::string options{};
    std::string entry{};
    std::string floor{};  ///< The entry of the floor case that it is measured against.

    /// `what/by:fusebox/policy:.../...`
    [[nodiscard]] std::string text() const {
        std::string text = what;
        const auto add = [&](const char* key, const std::string& value) {
            if (!value.empty()) text += std::string{"/"} + key + ':' + value;
        };
        add("by", by);
        add("policy", policy);
        add("clock", clock);
        add("options", options);
        add("entry", entry);
        add("floor", floor);
        return text;
    }
};

/// On how many threads at once a case runs.
using ThreadCounts = std::vector<int>;
inline const ThreadCounts kOneThread{1};
inline const ThreadCounts kOneAndTwo{1, 2};
inline const ThreadCounts kManyThreads{1, 2, 4, 8};

/// What is wrong after a run, in words; nothing, normally.
using Finding = std::optional<std::string>;

/// No state to check.
inline constexpr auto unchecked = [](const auto&, std::uint64_t) -> Finding { return {}; };

/// A check that the breaker was all the time what it was meant to be: it ends in `state`, and
/// `total` counted each call of the run, of all threads. So no case measures another one in
/// silence.
template <class BreakerOf>
auto counted(fusebox::CircuitState state, std::uint64_t fusebox::CircuitBreakerStats::*total,
             BreakerOf breakerOf) {
    return [=](auto& fixture, std::uint64_t calls) -> Finding {
        const fusebox::CircuitBreakerStats stats = breakerOf(fixture).stats();
        if (stats.state != state) {
            return "the breaker ended " + std::string{toString(stats.state)};
        }
        if (stats.*total != calls) {
            return "of " + std::to_string(calls) + " calls " + std::to_string(stats.*total) +
                   " went as they should";
        }
        return {};
    };
}

/// One object for all threads of a run, made by the first that comes and destroyed by the last that
/// goes. Nobody goes before all have come: a run begins together.
template <class Fixture, class Make>
class Shared {
public:
    explicit Shared(Make make) : make_(std::move(make)) {}

    Fixture& enter() {
        const std::lock_guard lock{mutex_};
        if (users_++ == 0) fixture_ = make_();
        return *fixture_;
    }
    /// The last one calls `check(steps)` with those that all of them made.
    template <class Check>
    void leave(std::uint64_t steps, Check&& check) {
        const std::lock_guard lock{mutex_};
        steps_ += steps;
        if (--users_ > 0) return;
        check(std::exchange(steps_, 0));
        fixture_.reset();
    }

private:
    Make make_;
    std::mutex mutex_;
    int users_ = 0;
    std::uint64_t steps_ = 0;
    std::unique_ptr<Fixture> fixture_;
};

/// Registers a case: `step(fixture)` is timed, on a fixture that `make()` returns in a unique_ptr,
/// new for each run, and `check(fixture, calls)` looks at it afterwards.
template <class Make, class Step, class Check>
void add(const CaseName& name, const ThreadCounts& threads, Make make, Step step, Check check) {
    using Fixture = typename decltype(make())::element_type;
    const auto shared = std::make_shared<Shared<Fixture, Make>>(std::move(make));
    auto* registered = benchmark::RegisterBenchmark(
        name.text().c_str(), [shared, step, check](benchmark::State& state) {
            Fixture& fixture = shared->enter();
            const std::uint64_t untimed = measure(state, [&] { step(fixture); });
            const std::uint64_t steps = untimed + static_cast<std::uint64_t>(state.iterations());
            shared->leave(steps, [&](std::uint64_t calls) {
                if (const Finding finding = check(fixture, calls)) {
                    state.SkipWithError(finding->c_str());
                }
            });
        });
    // Real time: what a thread waits for another counts.
    registered->UseRealTime();
    for (const int count : threads) registered->Threads(count);
}

}  // namespace bench
