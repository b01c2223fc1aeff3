// SPDX-License-Identifier: MIT
// The state machine of the library on explored atomics, and how its callers use it.
#pragma once

#include <memory>
#include <optional>

#include "breaker/clock_face.hpp"
#include "breaker/history.hpp"
#include "breaker/model_journal.hpp"
#include "breaker/model_policy.hpp"
#include "engine/platform.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/state_machine.hpp"

namespace fusebox::model {

/// What a breaker is made of.
struct Setup {
    CircuitBreakerOptions options{};
    ModelPolicy policy{};
    bool snapshots = false;   ///< Its journal asks for the statistics that come with an event.
    bool watchLater = false;  ///< Overdue calls count from a reconfiguration on.
};

/// Every call notes what it met in the history.
class ExploredBreaker {
public:
    using Machine = detail::StateMachine<ModelTracker, ModelTime, ModelJournal, Platform>;

    explicit ExploredBreaker(const Setup& setup);

    [[nodiscard]] Machine& machine() noexcept { return machine_; }
    [[nodiscard]] ClockFace& clock() noexcept { return clock_; }
    [[nodiscard]] const History& history() const noexcept { return history_; }

    [[nodiscard]] std::optional<detail::Ticket> admit();
    void report(detail::Ticket ticket, detail::CallEnd end);
    void read();
    [[nodiscard]] CircuitBreakerStats stats();
    void reconfigure(const CircuitBreakerOptions& options);

private:
    [[nodiscard]] ReportResult end(detail::Ticket ticket, const detail::CallEnd& end);
    [[nodiscard]] ReportResult succeed(detail::Ticket ticket, const detail::CallEnd& end);

    Setup setup_;
    ClockFace clock_{};
    History history_{};
    ModelJournal journal_;
    Machine machine_;
};

}  // namespace fusebox::model
