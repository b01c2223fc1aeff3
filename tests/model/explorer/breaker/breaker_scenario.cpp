// SPDX-License-Identifier: MIT
#include "breaker/breaker_scenario.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "breaker/judge.hpp"
#include "fusebox/window/thread_number.hpp"

namespace fusebox::model {
namespace {

using namespace std::chrono_literals;

[[nodiscard]] bool hasLate(const std::vector<Action>& actions) {
    return std::any_of(actions.begin(), actions.end(), isLate);
}

}  // namespace

std::string_view toString(Start start) {
    constexpr std::array<std::string_view, static_cast<std::size_t>(Start::Count_)> kNames{
        "closed", "open", "due", "halfOpen"};
    return kNames[static_cast<std::size_t>(start)];
}

Setup setupFor(Start start) {
    Setup setup;
    setup.options.recoveryTimeout = 100ns;
    setup.options.recoveryBackoff = 2.0;
    setup.options.probeTimeout = 50ns;
    setup.options.requestTimeout = kForever;
    setup.options.measureLatency = false;
    setup.options.shards = 1;
    setup.options.halfOpenLimit = start == Start::HalfOpen ? 2 : 1;
    setup.options.successThreshold = start == Start::HalfOpen ? 2 : 1;
    return setup;
}

BreakerScenario::BreakerScenario(Setup setup, Start start, std::vector<std::vector<Action>> actions)
    : setup_(std::move(setup)), start_(start), actions_(std::move(actions)) {}

std::string BreakerScenario::name() const {
    std::string name{toString(start_)};
    for (const auto& thread : actions_) {
        name += " |";
        for (const Action action : thread) name.append(" ").append(toString(action));
    }
    return name;
}

bool BreakerScenario::does(Action action) const {
    return std::any_of(actions_.begin(), actions_.end(), [=](const auto& thread) {
        return std::find(thread.begin(), thread.end(), action) != thread.end();
    });
}

void BreakerScenario::begin() {
    detail::threadNumber = 0;
    breaker_ = std::make_unique<ExploredBreaker>(setup_);
    late_ = {};
    admitLate(false);
    if (start_ == Start::Closed) return countUntilALook();
    breaker_->machine().open(std::nullopt);
    if (start_ == Start::Open) return countUntilALook();
    breaker_->clock().set(ClockFace::kBegin + 150ns);
    if (start_ == Start::Due) return;
    const auto probe = breaker_->admit();
    breaker_->report(*probe, {.outcome = Outcome::Ignored, .cancelled = true});
    admitLate(true);
}

/// Where there may be more shards, so that the next calls look for other threads.
void BreakerScenario::countUntilALook() {
    if (setup_.options.shards == 1) return;
    for (std::uint64_t i = 0; i < Platform::kLooks; ++i) {
        std::optional<detail::Ticket> none;
        perform(Action::Succeed, *breaker_, setup_, none);
    }
}

/// @param again a call of before goes on, but for as many as are admitted now.
void BreakerScenario::admitLate(bool again) {
    int free = again ? setup_.options.halfOpenLimit : static_cast<int>(kThreads);
    for (std::size_t t = 0; t < actions_.size() && free > 0; ++t) {
        if (!hasLate(actions_[t])) continue;
        --free;
        if (again)
            breaker_->report(*late_[t + 1], {.outcome = Outcome::Ignored, .cancelled = true});
        late_[t + 1] = breaker_->admit();
    }
}

void BreakerScenario::run(std::size_t thread) {
    for (const Action action : actions_[thread - 1])
        perform(action, *breaker_, setup_, late_[thread]);
}

void BreakerScenario::resume(std::size_t thread) {
    detail::threadNumber = static_cast<std::uint32_t>(thread);
}

void BreakerScenario::end() {
    detail::threadNumber = 0;
    judge(*breaker_, setup_, does(Action::Reset));
    if (collects()) show(numbersOf(breaker_->history()));
    requireRecovery(*breaker_);
    breaker_.reset();
}

}  // namespace fusebox::model
