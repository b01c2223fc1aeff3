// SPDX-License-Identifier: MIT
// What a few threads did with one breaker, when, and what they were answered.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <ostream>
#include <vector>

#include "reference/model.hpp"

namespace fusebox::test {

/// One operation. Reports end the oldest permit that their thread holds; without one they are
/// nothing.
struct Deed {
    enum class What : std::uint8_t {
        Acquire,
        Succeed,
        Fail,
        Ignore,
        Drop,
        State,
        RetryAfter,
        Open,
        Close,
        Mode,
        Reset,
        Advance,
        Reconfigure,
        /// The first half of a reset, as others may see it: it closes, then begins anew.
        ResetCloses,
        /// The second half of a failure: the transition, if the verdict was to trip.
        FailTrips,
        /// A success that meets the end of its epoch before others can see it.
        SucceedStale,
        Count
    };
    What what = What::Acquire;
    std::uint8_t argument = 0;
};

/// Two numbers are enough for every answer.
struct Answer {
    std::int64_t what = 0;
    std::int64_t detail = 0;

    friend bool operator==(const Answer&, const Answer&) = default;
};

/// An operation that was asked for at instant `from` and answered at `to`, of one order of all.
struct Done {
    Deed deed{};
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    Answer answer{};
    /// A success that races the end of its epoch: it may be either.
    bool mayBeStale = false;
};

struct History {
    /// What one thread did first, and whose permits that left: each goes to the thread named.
    std::vector<Deed> before{};
    /// What the clock showed then.
    std::chrono::nanoseconds begun{0};
    std::vector<std::vector<Done>> threads{};
    /// At rest, after all of it.
    Seen end{};
    std::vector<Told> told{};
};

[[nodiscard]] inline std::chrono::nanoseconds advanceOf(std::uint8_t argument) {
    using namespace std::chrono_literals;
    constexpr std::chrono::nanoseconds kSteps[] = {10s, 7s, 1s};
    return kSteps[argument % std::size(kSteps)];
}
inline constexpr ControlMode kDeedModes[] = {ControlMode::Automatic, ControlMode::ForcedOpen,
                                             ControlMode::Automatic, ControlMode::ForcedClosed,
                                             ControlMode::Shadow};
[[nodiscard]] inline ControlMode modeOf(std::uint8_t argument) {
    return kDeedModes[argument % std::size(kDeedModes)];
}

[[nodiscard]] inline Answer answerOf(const Rejection& rejection) {
    return {-10 - static_cast<std::int64_t>(rejection.reason), rejection.retryAfter.count()};
}
[[nodiscard]] inline Answer answerOf(ReportResult result) {
    return {static_cast<std::int64_t>(result)};
}
inline constexpr Answer kAdmitted{1, 0};
inline constexpr Answer kNothing{-2, 0};

/// The model with the permits of each thread.
struct World {
    Model model;
    std::chrono::nanoseconds clock{0};
    std::vector<std::deque<Model::Ticket>> tickets{};
    /// Whose failure it is that trips, while one is pending.
    std::size_t tripping = 0;

    /// One after the other: each operation looks at the clock when it is done.
    Answer act(std::size_t thread, const Deed& deed) {
        model.look(clock);
        model.defersTrips = false;
        return actAsOf(thread, deed);
    }

    /// Whether an operation may come now: while a failure trips, it holds the breaker's mutex.
    [[nodiscard]] bool admits(std::size_t thread, const Deed& deed) const {
        using What = Deed::What;
        if (!model.tripPending()) return true;
        switch (deed.what) {
            case What::Acquire:
            case What::Succeed:
            case What::Ignore:
            case What::Drop:
            case What::State:
            case What::RetryAfter:
            case What::Advance:
            case What::FailTrips: return true;
            case What::Fail: return tickets[thread].empty();
            default: return false;
        }
    }

    /// With the time that the model has.
    Answer actAsOf(std::size_t thread, const Deed& deed) {
        using What = Deed::What;
        auto& mine = tickets[thread];
        switch (deed.what) {
            case What::Acquire: {
                const auto ticket = model.acquire();
                if (!ticket) return answerOf(model.rejection());
                mine.push_back(*ticket);
                return kAdmitted;
            }
            case What::Succeed: return end(mine, Outcome::Success);
            case What::Fail:
                if (!mine.empty()) tripping = thread;
                return end(mine, Outcome::Failure);
            case What::FailTrips:
                if (tripping == thread) model.tripNow();
                return {};
            case What::SucceedStale:
                if (mine.empty()) return kNothing;
                model.endEarly(mine.front());
                mine.pop_front();
                return answerOf(ReportResult::Stale);
            case What::Ignore: return end(mine, Outcome::Ignored);
            case What::Drop:
                if (mine.empty()) return kNothing;
                (void)model.cancel(mine.front());
                mine.pop_front();
                return {};
            case What::State: return {static_cast<std::int64_t>(model.state())};
            case What::RetryAfter: return {asFigure(model.retryAfter())};
            case What::Open: model.open(std::nullopt); return {};
            case What::Close: model.close(); return {};
            case What::Mode: model.setMode(modeOf(deed.argument)); return {};
            case What::Reset: model.reset(); return {};
            case What::ResetCloses: model.close(TransitionReason::Reset); return {};
            case What::Advance: clock += advanceOf(deed.argument); return {};
            case What::Reconfigure:
                model.reconfigure(model.rules(), [] { return true; });
                return {};
            case What::Count: break;
        }
        return {};
    }

private:
    Answer end(std::deque<Model::Ticket>& mine, Outcome outcome) {
        if (mine.empty()) return kNothing;
        const Model::Ticket ticket = mine.front();
        mine.pop_front();
        return answerOf(model.report(ticket, outcome));
    }
};

inline std::ostream& operator<<(std::ostream& out, const Deed& deed) {
    static constexpr const char* kNames[] = {
        "acquire",     "succeed",      "fail",  "ignore",          "drop",  "state",
        "retryAfter",  "open",         "close", "mode ",           "reset", "advance ",
        "reconfigure", "reset closes", "trip",  "succeed too late"};
    out << kNames[static_cast<std::size_t>(deed.what)];
    if (deed.what == Deed::What::Mode) out << toString(modeOf(deed.argument));
    if (deed.what == Deed::What::Advance) out << detail::toText(advanceOf(deed.argument));
    return out;
}

inline std::ostream& operator<<(std::ostream& out, const History& history) {
    out << "before:";
    for (const Deed& deed : history.before) out << ' ' << deed << ';';
    for (std::size_t thread = 0; thread < history.threads.size(); ++thread) {
        out << "\nthread " << thread << ':';
        for (const Done& done : history.threads[thread]) {
            out << "\n  [" << done.from << ", " << done.to << "] " << done.deed << " -> "
                << done.answer.what << ", " << done.answer.detail;
        }
    }
    out << "\ntold:";
    for (const Told& told : history.told) out << ' ' << told;
    return out << '\n';
}

}  // namespace fusebox::test
