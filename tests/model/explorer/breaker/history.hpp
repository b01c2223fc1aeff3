// SPDX-License-Identifier: MIT
// What one run of a breaker showed: every word it published, and what each thread met.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "breaker/clock_face.hpp"
#include "engine/execution.hpp"
#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/state_machine.hpp"
#include "fusebox/breaker/state_word.hpp"

namespace fusebox::model {

/// A word and the newest companions, when it was published.
struct Publication {
    detail::StateWord word{};
    Nanoseconds openedAt{0};
    Nanoseconds deadline{0};
    Nanoseconds lease{0};
    Nanoseconds reopenWait{0};
    int probeLimit = 0;
};

struct Rejected {
    detail::Ticket ticket{};
    Nanoseconds now{0};  ///< As its thread saw it.
};

struct ReadState {
    detail::Reading reading{};
    Nanoseconds now{0};
};

struct Reported {
    detail::Ticket ticket{};
    detail::CallEnd end{};
    ReportResult result = ReportResult::Recorded;
    // The publications by which a probe took its slot, and gave it back.
    std::size_t taken = 0;
    std::size_t released = 0;
};

struct Announced {
    CircuitState from = CircuitState::Closed;
    CircuitState to = CircuitState::Closed;
    TransitionReason reason = TransitionReason::PolicyTripped;
};

/// What a thread met. No other thread looks at it before the end: the order of steps that touch
/// nothing in common is not explored.
struct Notes {
    std::vector<Rejected> rejected{};
    std::vector<ReadState> read{};
    std::vector<Reported> reported{};
    std::vector<std::int64_t> figures{};  ///< Of the statistics that it read.
    std::optional<detail::Ticket> reporting{};
    std::size_t lastPublication = 0;
    std::size_t taken = 0;  ///< The publication by which its probe took a slot.
};

/// Written as a run goes on. What is shared is written under the breaker's mutex only.
class History final : public StoreObserver {
public:
    void stored(ObjectRef object, std::uint64_t bits, const void* type, Where where) override;

    /// The breaker is made.
    /// @param watched whether calls may count as failed, and open it, before they are reported.
    void begin(bool watched) noexcept {
        begun_ = true;
        watched_ = watched;
    }

    [[nodiscard]] Notes& notes() noexcept { return notes_[execution().thread()]; }
    [[nodiscard]] const std::array<Notes, kThreads>& allNotes() const noexcept { return notes_; }
    [[nodiscard]] const std::vector<Publication>& publications() const noexcept {
        return publications_;
    }
    [[nodiscard]] const Publication& present() const noexcept { return publications_.back(); }

    // Under the mutex.
    void announce(const Announced& event);
    void beginPeriod();
    /// A verdict call of the present thread: of the present epoch, or it has come too late.
    void requirePresent(const char* what) const;

    [[nodiscard]] const std::vector<Announced>& announced() const noexcept { return announced_; }
    /// The first epoch of the present closed period.
    [[nodiscard]] std::uint64_t periodBegin() const noexcept { return periodBegin_; }

private:
    void requireStep(const Publication& from, const Publication& to) const;

    std::vector<Publication> publications_;
    std::vector<Announced> announced_;
    std::uint64_t periodBegin_ = 0;
    bool begun_ = false;
    bool watched_ = false;
    std::array<Notes, kThreads> notes_{};
};

/// All of it as numbers, to compare runs.
[[nodiscard]] std::vector<std::int64_t> numbersOf(const History& history);

/// What a breaker that stands like this reads at `now`.
[[nodiscard]] detail::Reading readingOf(const Publication& there, Nanoseconds now);

}  // namespace fusebox::model
