// SPDX-License-Identifier: MIT
// What a window counts: the calls of the last N or of the last T, whichever was chosen at run time.
#pragma once

#include <chrono>
#include <cstdint>
#include <variant>

#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/window/last_calls_window.hpp"
#include "fusebox/window/last_time_window.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox {

/// A `LastCallsWindow` or a `LastTimeWindow`, as the `Window` says. A window of calls ignores times
/// and needs no ticks.
class CallWindow {
public:
    explicit CallWindow(const Window& window)
        : window_(window.isTime() ? Either{LastTimeWindow{window.duration()}}
                                  : Either{LastCallsWindow{window.calls()}}) {}

    /// Forgets everything: the next position is 1, the time is `now`.
    void enter(std::chrono::nanoseconds now) noexcept {
        if (auto* byTime = std::get_if<LastTimeWindow>(&window_)) return byTime->enter(now);
        byCalls()->enter();
    }

    /// Takes over what another window knows; false, and unchanged, where the shapes do not allow
    /// it.
    bool adopt(const CallWindow& other) noexcept {
        if (auto* byTime = std::get_if<LastTimeWindow>(&window_)) {
            const auto* otherByTime = std::get_if<LastTimeWindow>(&other.window_);
            return otherByTime && byTime->adopt(*otherByTime);
        }
        const auto* otherByCalls = std::get_if<LastCallsWindow>(&other.window_);
        return otherByCalls && byCalls()->adopt(*otherByCalls);
    }

    /// Records the call at `position`, which ended at `now`.
    void record(std::uint64_t position, std::chrono::nanoseconds now, bool failed,
                bool slow) noexcept {
        if (auto* byTime = std::get_if<LastTimeWindow>(&window_)) {
            return byTime->record(position, now, failed, slow);
        }
        byCalls()->record(position, failed, slow);
    }

    /// The window at `now`, when `position` calls have been recorded.
    [[nodiscard]] CallCounts counts(std::uint64_t position,
                                    std::chrono::nanoseconds now) const noexcept {
        if (const auto* byTime = std::get_if<LastTimeWindow>(&window_)) {
            return byTime->counts(position, now);
        }
        return std::get_if<LastCallsWindow>(&window_)->counts(position);
    }

    /// Tells that it is `now`, and that `position` calls were recorded before.
    void tick(std::uint64_t position, std::chrono::nanoseconds now) noexcept {
        if (auto* byTime = std::get_if<LastTimeWindow>(&window_)) byTime->tick(position, now);
    }

    /// When to call `tick` next; never for a window of calls.
    [[nodiscard]] std::chrono::nanoseconds nextTick() const noexcept {
        const auto* byTime = std::get_if<LastTimeWindow>(&window_);
        return byTime ? byTime->nextEdge() : kForever;
    }

private:
    using Either = std::variant<LastCallsWindow, LastTimeWindow>;

    [[nodiscard]] LastCallsWindow* byCalls() noexcept {
        return std::get_if<LastCallsWindow>(&window_);
    }

    Either window_;
};

}  // namespace fusebox
