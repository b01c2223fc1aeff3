// SPDX-License-Identifier: MIT
#include "breaker/history.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace fusebox::model {

void History::stored(ObjectRef object, std::uint64_t bits, const void* type, Where where) {
    // Of the published atomics only the word is of this type.
    if (type != &typeMark<detail::StateWord::Bits>) return;
    if (!std::string_view{where.file}.ends_with("breaker/published_state.hpp")) return;
    const auto companion = [&](std::uint32_t after) {
        return Nanoseconds{static_cast<Nanoseconds::rep>(execution().newest(object.id + after))};
    };
    // In the order of the members of PublishedState.
    Publication next{detail::StateWord{bits},
                     companion(1),
                     companion(2),
                     companion(3),
                     companion(4),
                     static_cast<int>(execution().newest(object.id + 6))};
    if (!begun_) publications_.clear();  // A breaker under construction publishes as it likes.
    if (begun_) requireStep(publications_.back(), next);
    publications_.push_back(next);
    notes().lastPublication = publications_.size();
}

void History::requireStep(const Publication& from, const Publication& to) const {
    const auto require = [](bool holds, const char* what) {
        if (!holds) execution().fail(what);
    };
    require(to.word.probes() <= to.probeLimit, "more probes than the limit");
    if (to.word.epoch() == from.word.epoch()) {
        require(to.word.withProbes(0) == from.word.withProbes(0),
                "a word of the same epoch differs in more than its probes");
        require(std::abs(to.word.probes() - from.word.probes()) == 1,
                "more than one probe came or went at once");
        return;
    }
    require(to.word.epoch() == from.word.epoch() + 1, "an epoch is left out, or comes back");
    require(to.word.probes() == 0, "an epoch begins with probes");
    if (to.word.state() == from.word.state()) return;
    require(from.word.state() != CircuitState::Closed || to.word.state() == CircuitState::Open,
            "a closed breaker became half-open");
    require(!announced_.empty() && announced_.back().from == from.word.state() &&
                announced_.back().to == to.word.state(),
            "a transition without its event");
    if (to.word.state() == CircuitState::Open) {
        require(to.deadline > to.openedAt, "Open is published without its deadline");
    }
}

void History::announce(const Announced& event) {
    if (!announced_.empty() && announced_.back().to != event.from)
        execution().fail("the events are no chain");
    announced_.push_back(event);
    if (event.to == CircuitState::Closed) beginPeriod();
    const bool byCall = (event.reason == TransitionReason::PolicyTripped && !watched_) ||
                        event.reason == TransitionReason::ProbeFailed ||
                        event.reason == TransitionReason::ProbesSucceeded;
    if (byCall) requirePresent("transition");
}

void History::beginPeriod() {
    periodBegin_ = publications_.empty() ? 0 : present().word.epoch() + 1;
}

void History::requirePresent(const char* what) const {
    const auto& ticket = notes_[execution().thread()].reporting;
    if (!ticket) return execution().fail(std::string{"a "} + what + " without a report");
    if (ticket->word.epoch() != present().word.epoch())
        execution().fail(std::string{"a "} + what + " by a call of another epoch");
}

std::vector<std::int64_t> numbersOf(const History& history) {
    std::vector<std::int64_t> numbers;
    const auto add = [&](auto value) { numbers.push_back(static_cast<std::int64_t>(value)); };
    for (const Publication& publication : history.publications()) {
        add(publication.word.bits());
        add(publication.deadline.count());
        add(publication.lease.count());
    }
    for (const Notes& notes : history.allNotes()) {
        add(-1);
        for (const Rejected& rejected : notes.rejected) {
            add(rejected.ticket.word.bits());
            add(rejected.ticket.time.count());
        }
        for (const ReadState& read : notes.read) {
            add(read.reading.state);
            add(read.reading.retryAfter.count());
        }
        for (const Reported& reported : notes.reported) {
            add(reported.ticket.word.bits());
            add(reported.result);
        }
        numbers.insert(numbers.end(), notes.figures.begin(), notes.figures.end());
    }
    return numbers;
}

detail::Reading readingOf(const Publication& there, Nanoseconds now) {
    const detail::StateWord word = there.word;
    if (word.mode() == ControlMode::ForcedOpen) return {CircuitState::Open, kForever};
    if (word.mode() == ControlMode::ForcedClosed || word.state() == CircuitState::Closed) return {};
    Nanoseconds until = there.deadline;
    if (word.state() == CircuitState::HalfOpen) {
        if (now <= there.lease) return {CircuitState::HalfOpen, Nanoseconds::zero()};
        until = saturatingAdd(there.lease, there.reopenWait);
    }
    if (isOver(until, now)) return {CircuitState::HalfOpen, Nanoseconds::zero()};
    if (until == kForever) return {CircuitState::Open, kForever};
    return {CircuitState::Open, until - std::max(now, there.openedAt)};
}

}  // namespace fusebox::model
