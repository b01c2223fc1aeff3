// SPDX-License-Identifier: MIT
// Two or three threads that act on one breaker.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "breaker/actions.hpp"
#include "breaker/explored_breaker.hpp"
#include "engine/scenario.hpp"

namespace fusebox::model {

/// How the breaker stands before the threads begin.
enum class Start {
    Closed,
    Open,
    Due,       ///< Open, and its wait is over.
    HalfOpen,  ///< The first of the calls that began before are its probes.
    Count_,
};

[[nodiscard]] std::string_view toString(Start start);

class BreakerScenario final : public Scenario {
public:
    /// @param actions what each thread does, in their order.
    BreakerScenario(Setup setup, Start start, std::vector<std::vector<Action>> actions);

    [[nodiscard]] std::string name() const override;
    [[nodiscard]] std::size_t threads() const override { return actions_.size(); }
    void begin() override;
    void run(std::size_t thread) override;
    void resume(std::size_t thread) override;
    void end() override;

private:
    [[nodiscard]] bool does(Action action) const;
    void countUntilALook();
    void admitLate(bool again);

    Setup setup_;
    Start start_;
    std::vector<std::vector<Action>> actions_;
    std::unique_ptr<ExploredBreaker> breaker_;
    std::array<std::optional<detail::Ticket>, kThreads> late_{};
};

/// What suits a start: how many failures trip, how many probes there may be.
[[nodiscard]] Setup setupFor(Start start);

}  // namespace fusebox::model
