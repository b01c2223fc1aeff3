// SPDX-License-Identifier: MIT
// Hears of every transition, and checks that one hears of it at a time.
#pragma once

#include <vector>

#include "breaker/history.hpp"
#include "engine/platform.hpp"

namespace fusebox::model {

class ModelJournal {
public:
    /// @param snapshots whether it asks for the statistics that come with an event.
    ModelJournal(History& history, bool snapshots) : history_(history), snapshots_(snapshots) {}

    [[nodiscard]] bool wantsTransitions() const noexcept { return true; }
    template <class MakeSnapshot>
    void stateChanged(CircuitState from, CircuitState to, TransitionReason reason,
                      MakeSnapshot&& snapshot) noexcept {
        if (snapshots_ && snapshot().state != from)
            execution().fail("the snapshot of an event is of another state");
        ++staged_.write();
        history_.announce({from, to, reason});
    }
    void modeChanged(ControlMode from, ControlMode to) noexcept {
        if (from == to) execution().fail("a mode changed to itself");
        ++staged_.write();
    }
    void wasReset() noexcept {
        ++staged_.write();
        history_.beginPeriod();
    }
    void commit() noexcept {
        committed_.write() += staged_.read();
        staged_.write() = 0;
    }
    void flush() noexcept {}

private:
    History& history_;
    bool snapshots_;
    Plain<int> staged_{};
    Plain<int> committed_{};
};

}  // namespace fusebox::model
