// SPDX-License-Identifier: MIT
// Whether a history has an order of its operations that a breaker alone could have had: the search
// of Wing and Gong (1993), with Lowe's memory of where it failed (2017).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "reference/history.hpp"

namespace fusebox::test {

/// Which figures at the end an order must explain.
using Explains = std::function<bool(Figure)>;

class Linearizer {
public:
    Linearizer(const History& history, const Explains& explains)
        : history_(history), explains_(explains), next_(history.threads.size()) {
        for (const auto& thread : history.threads) {
            for (const Done& done : thread) {
                if (done.deed.what == Deed::What::Advance) advances_.push_back(done);
            }
        }
    }

    /// @param world after what was done before.
    [[nodiscard]] bool search(const World& world) {
        if (done()) return endsAs(world);
        if (!failed_.insert(placeOf(world)).second) return false;
        for (std::size_t thread = 0; thread < next_.size(); ++thread) {
            if (!mayComeFirst(thread)) continue;
            const Done& one = history_.threads[thread][next_[thread]];
            for (const auto& [checked, now] : looksOf(one, world)) {
                if (goesOn(world, thread, one.deed, checked, now)) return true;
                if (one.mayBeStale &&
                    goesOn(world, thread, {Deed::What::SucceedStale}, checked, now)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// How many operations the model was asked to do.
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

private:
    using Nanoseconds = std::chrono::nanoseconds;

    [[nodiscard]] bool goesOn(const World& world, std::size_t thread, const Deed& deed,
                              Nanoseconds checked, Nanoseconds now) {
        const Done& one = history_.threads[thread][next_[thread]];
        if (!world.admits(thread, deed)) return false;
        World after = world;
        after.model.defersTrips = true;
        ++steps_;
        after.model.lookAgain(checked, now);
        if (after.actAsOf(thread, deed) != one.answer || !toldSoFar(after)) return false;
        ++next_[thread];
        if (search(after)) return true;
        --next_[thread];
        return false;
    }

    /// What the clock showed, or what the breaker had already seen of it, during an operation.
    [[nodiscard]] std::vector<Nanoseconds> timesOf(const Done& one, const World& world) const {
        std::vector<Nanoseconds> times{history_.begun};
        for (const Done& advance : advances_) {
            const Nanoseconds step = advanceOf(advance.deed.argument);
            const bool before = advance.to < one.from;
            if (!before && advance.from > one.to) continue;
            const std::size_t size = times.size();
            for (std::size_t i = 0; i < size; ++i) {
                if (!before) times.push_back(times[i]);
                times[i] += step;
            }
        }
        const std::size_t size = times.size();
        for (std::size_t i = 0; i < size; ++i) {
            if (times[i] < world.model.now()) times.push_back(world.model.now());
        }
        std::sort(times.begin(), times.end());
        times.erase(std::unique(times.begin(), times.end()), times.end());
        return times;
    }

    /// The two looks of an operation at the clock, which others may advance between them. Who only
    /// reads looks once.
    [[nodiscard]] std::vector<std::pair<Nanoseconds, Nanoseconds>> looksOf(
        const Done& one, const World& world) const {
        using What = Deed::What;
        const bool once = one.deed.what == What::State || one.deed.what == What::RetryAfter;
        std::vector<std::pair<Nanoseconds, Nanoseconds>> looks;
        for (const Nanoseconds now : timesOf(one, world)) {
            looks.emplace_back(now, now);
            if (once) continue;
            for (const Nanoseconds checked : timesOf(one, world)) {
                if (checked < now) looks.emplace_back(checked, now);
            }
        }
        return looks;
    }

    using Place = std::vector<std::int64_t>;

    [[nodiscard]] bool done() const {
        for (std::size_t thread = 0; thread < next_.size(); ++thread) {
            if (next_[thread] < history_.threads[thread].size()) return false;
        }
        return true;
    }

    /// Nothing that is still to come was over before this began.
    [[nodiscard]] bool mayComeFirst(std::size_t thread) const {
        if (next_[thread] >= history_.threads[thread].size()) return false;
        const std::uint64_t from = history_.threads[thread][next_[thread]].from;
        for (std::size_t other = 0; other < next_.size(); ++other) {
            if (next_[other] >= history_.threads[other].size()) continue;
            if (history_.threads[other][next_[other]].to < from) return false;
        }
        return true;
    }

    [[nodiscard]] bool toldSoFar(const World& world) const {
        const auto& told = world.model.told.ordered;
        return told.size() <= history_.told.size() &&
               std::equal(told.begin(), told.end(), history_.told.begin());
    }

    [[nodiscard]] bool endsAs(const World& world) const {
        if (world.model.told.ordered != history_.told) return false;
        World end = world;
        end.model.look(end.clock);
        const Seen seen = end.model.seen();
        for (std::size_t i = 0; i < Seen::size(); ++i) {
            const auto figure = static_cast<Figure>(i);
            if (explains_(figure) && seen[figure] != history_.end[figure]) return false;
        }
        return true;
    }

    /// Where the search stands: what was done, and all that the model may do because of it.
    [[nodiscard]] Place placeOf(const World& world) const {
        Place place;
        for (const std::size_t next : next_) place.push_back(static_cast<std::int64_t>(next));
        World copy = world;
        const Seen seen = copy.model.seen();
        for (std::size_t i = 0; i < Seen::size(); ++i) {
            place.push_back(seen[static_cast<Figure>(i)]);
        }
        world.model.addHidden(place);
        place.push_back(world.clock.count());
        place.push_back(static_cast<std::int64_t>(world.tripping));
        for (const auto& tickets : world.tickets) {
            for (const Model::Ticket& ticket : tickets) {
                place.push_back(static_cast<std::int64_t>(ticket.epoch));
                place.push_back(static_cast<std::int64_t>(ticket.kind));
                place.push_back(ticket.begun.count());
            }
            place.push_back(-1);
        }
        return place;
    }

    const History& history_;
    const Explains& explains_;
    std::vector<std::size_t> next_;
    std::vector<Done> advances_{};
    std::set<Place> failed_{};
    std::uint64_t steps_ = 0;
};

}  // namespace fusebox::test
