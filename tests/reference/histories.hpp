// SPDX-License-Identifier: MIT
// Random histories of a breaker that threads share, recorded and explained.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "reference/crew.hpp"
#include "reference/linearizable.hpp"
#include "reference/listeners.hpp"
#include "reference/turns.hpp"
#include "stress/yielding_breaker.hpp"

namespace fusebox::test {

/// The breaker that histories are about, with the permits of each thread.
class SharedBreaker {
public:
    using Breaker = CircuitBreaker<ManualClock, AnyTripPolicy>;
    using Crew = test::Crew;
    static constexpr bool kTells = true;

    SharedBreaker(const Rules& rules, const AnyTripPolicy& policy, std::size_t threads)
        : breaker_("walked", policy, rules.options, clock_), permits_(threads) {
        (void)breaker_.stats();
        listeners_.listenToTransitions(breaker_);
    }

    Answer act(std::size_t thread, const Deed& deed) {
        using What = Deed::What;
        auto& mine = permits_[thread];
        switch (deed.what) {
            case What::Acquire: {
                auto permit = breaker_.tryAcquire();
                if (!permit) return answerOf(permit.rejection());
                mine.push_back(std::move(permit));
                return kAdmitted;
            }
            case What::Succeed: return end(mine, Outcome::Success);
            case What::Fail: return end(mine, Outcome::Failure);
            case What::Ignore: return end(mine, Outcome::Ignored);
            case What::Drop:
                if (mine.empty()) return kNothing;
                mine.pop_front();
                return {};
            case What::State: return {static_cast<std::int64_t>(breaker_.state())};
            case What::RetryAfter: return {asFigure(breaker_.retryAfter())};
            case What::Open: breaker_.open(); return {};
            case What::Close: breaker_.close(); return {};
            case What::Mode: breaker_.setMode(modeOf(deed.argument)); return {};
            case What::Reset: breaker_.reset(); return {};
            case What::Advance: clock_.advance(advanceOf(deed.argument)); return {};
            case What::Reconfigure: breaker_.reconfigure(breaker_.policy()); return {};
            case What::ResetCloses:
            case What::FailTrips:
            case What::SucceedStale:
            case What::Count: break;
        }
        return {};
    }
    [[nodiscard]] Seen seen() const { return seenIn(breaker_.stats()); }
    [[nodiscard]] const std::vector<Told>& told() const { return listeners_.told.ordered; }

private:
    Answer end(std::deque<Breaker::Permit>& mine, Outcome outcome) {
        if (mine.empty()) return kNothing;
        auto permit = std::move(mine.front());
        mine.pop_front();
        return answerOf(permit.report(outcome));
    }

    ManualClock clock_{};
    Listeners listeners_{};
    Breaker breaker_;
    std::vector<std::deque<Breaker::Permit>> permits_;
};

/// The same state machine on atomics that let another thread run before any operation, so that
/// every history is a race. Its threads take turns on one core. It tells nobody and cannot be
/// reconfigured.
class InterruptedBreaker {
public:
    using Breaker = YieldingBreaker<AnyTripPolicy, TurnsPlatform>;
    using Crew = TurnsCrew;
    static constexpr bool kTells = false;

    InterruptedBreaker(const Rules& rules, const AnyTripPolicy& policy, std::size_t threads)
        : breaker_(policy, rules.options, clock_), permits_(threads) {}

    Answer act(std::size_t thread, const Deed& deed) {
        using What = Deed::What;
        auto& mine = permits_[thread];
        switch (deed.what) {
            case What::Acquire: {
                auto permit = breaker_.tryAcquire();
                if (!permit) return answerOf(permit.rejection());
                mine.push_back(std::move(permit));
                return kAdmitted;
            }
            case What::Succeed: return end(mine, [](auto& permit) { return permit.success(); });
            case What::Fail: return end(mine, [](auto& permit) { return permit.failure(); });
            case What::Ignore: return end(mine, [](auto& permit) { return permit.ignore(); });
            case What::Drop:
                if (mine.empty()) return kNothing;
                (void)end(mine, [](auto& permit) { return permit.cancel(); });
                return {};
            case What::State: return {static_cast<std::int64_t>(breaker_.state())};
            case What::RetryAfter: return {asFigure(breaker_.retryAfter())};
            case What::Open: breaker_.open(); return {};
            case What::Close: breaker_.close(); return {};
            case What::Mode: breaker_.setMode(modeOf(deed.argument)); return {};
            case What::Reset: breaker_.reset(); return {};
            case What::Advance: clock_.advance(advanceOf(deed.argument)); return {};
            case What::Reconfigure:
            case What::ResetCloses:
            case What::FailTrips:
            case What::SucceedStale:
            case What::Count: break;
        }
        return {};
    }
    [[nodiscard]] Seen seen() const { return seenIn(breaker_.stats()); }
    [[nodiscard]] const std::vector<Told>& told() const { return told_; }

private:
    template <class Report>
    static Answer end(std::deque<Breaker::Permit>& mine, Report report) {
        if (mine.empty()) return kNothing;
        auto permit = std::move(mine.front());
        mine.pop_front();
        return answerOf(report(permit));
    }

    ManualClock clock_{};
    Breaker breaker_;
    std::vector<std::deque<Breaker::Permit>> permits_;
    std::vector<Told> told_{};
};

/// Draws histories, has threads make them on a `Subject`, and looks for an order that explains
/// them.
template <class Subject = SharedBreaker>
class Historian {
public:
    struct Figures {
        std::uint64_t histories = 0;
        std::uint64_t operations = 0;
        std::uint64_t overlapping = 0;  ///< Histories with two operations at once.
        std::uint64_t steps = 0;        ///< Of the search.
    };

    explicit Historian(std::uint64_t seed)
        : random_(seed), crew_(kThreads, [this](std::size_t thread) { play(thread); }) {}

    /// Makes and explains some; empty, or the first that has no explanation.
    [[nodiscard]] std::string next(std::size_t histories = 200) {
        games_.clear();
        while (games_.size() < histories) games_.push_back(draw());
        crew_.round();
        for (const auto& game : games_) {
            game->history.end = game->subject.seen();
            game->history.told = game->subject.told();
            std::string unexplained = explain(*game);
            if (!unexplained.empty()) return unexplained;
        }
        return {};
    }
    [[nodiscard]] const Figures& figures() const { return figures_; }

private:
    static constexpr std::size_t kThreads = 4;

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    [[nodiscard]] Deed drawDeed() {
        using What = Deed::What;
        static constexpr What kOften[] = {What::Acquire, What::Acquire, What::Succeed, What::Fail,
                                          What::Fail,    What::Ignore,  What::Drop,    What::State,
                                          What::Acquire, What::Succeed, What::Fail,    What::Open,
                                          What::Close,   What::Mode,    What::Advance};
        static constexpr What kSeldom[] = {What::Reset, What::Reconfigure, What::RetryAfter};
        if (!Subject::kTells && below(24) == 0) return {What::Reset, 0};
        const What what = Subject::kTells && below(24) == 0 ? kSeldom[below(3)]
                                                            : kOften[below(std::size(kOften))];
        return {what, static_cast<std::uint8_t>(below(30))};
    }

    /// One history in the making.
    struct Game {
        Game(const Rules& rules, const AnyTripPolicy& policy)
            : subject(rules, policy, kThreads), world{Model{rules, {}}, {}, {}} {
            world.tickets.resize(kThreads);
            world.model.audience.transitions = Subject::kTells;
            history.threads.resize(kThreads);
        }

        Subject subject;
        World world;
        History history{};
        std::size_t active = 0;
        std::uint64_t pauses[kThreads] = {};
        std::atomic<std::uint64_t> now{1};
        std::atomic<std::size_t> arrived{0};
    };

    [[nodiscard]] Rules drawRules() {
        static constexpr std::size_t kPolicies[] = {0, 1, 4, 8};
        Rules rules;
        rules.policy = policyChoices()[kPolicies[below(4)]];
        rules.options.recoveryTimeout = std::chrono::seconds{10};
        rules.options.successThreshold = 1 + static_cast<int>(below(2));
        rules.options.halfOpenLimit = 1 + static_cast<int>(below(2));
        if (below(2) == 0) rules.options.probeTimeout = std::chrono::seconds{6};
        rules.options.requestTimeout = kForever;
        // Time that moves between two looks at the clock would stand in averages.
        rules.options.measureLatency = false;
        rules.options.trackInFlight = below(2) == 0;
        return rules;
    }

    [[nodiscard]] std::unique_ptr<Game> draw() {
        const Rules rules = drawRules();
        auto game = std::make_unique<Game>(
            rules,
            std::visit([](const auto& chosen) { return AnyTripPolicy{chosen}; }, rules.policy));
        History& history = game->history;
        for (std::uint64_t i = below(10); i > 0; --i) {
            const Deed deed = drawDeed();
            const std::size_t thread = below(2);
            (void)game->subject.act(thread, deed);
            (void)game->world.act(thread, deed);
            history.before.push_back(deed);
        }
        history.begun = game->world.clock;
        game->active = below(4) == 0 ? 3 + below(2) : 2;
        const std::size_t longest = 7 - game->active;
        for (std::size_t t = 0; t < game->active; ++t) {
            for (std::uint64_t i = 1 + below(longest); i > 0; --i) {
                history.threads[t].push_back({drawDeed(), 0, 0, {}, false});
            }
            game->pauses[t] = below(3) == 0 ? below(64) : 0;
        }
        return game;
    }

    /// Threads begin a history together, unless one of them does not run just now.
    void play(std::size_t thread) {
        for (const auto& game : games_) {
            if (thread >= game->active) continue;
            game->arrived.fetch_add(1, std::memory_order_relaxed);
            for (int i = 0; i < 3000; ++i) {
                if (game->arrived.load(std::memory_order_relaxed) == game->active) break;
                Subject::Crew::pause();
            }
            play(*game, thread);
        }
    }
    void play(Game& game, std::size_t thread) {
        for (Done& done : game.history.threads[thread]) {
            for (std::uint64_t i = 0; i < game.pauses[thread]; ++i) {
                std::atomic_signal_fence(std::memory_order_seq_cst);
            }
            // seq_cst: the order of these numbers must not contradict that of the operations.
            done.from = game.now.fetch_add(1, std::memory_order_seq_cst);
            done.answer = game.subject.act(thread, done.deed);
            done.to = game.now.fetch_add(1, std::memory_order_seq_cst);
        }
    }

    /// Operations that others may see half done.
    static void split(std::vector<Done>& thread) {
        std::vector<Done> halves;
        for (const Done& done : thread) {
            const bool resets = done.deed.what == Deed::What::Reset;
            if (resets)
                halves.push_back({{Deed::What::ResetCloses}, done.from, done.to, {}, false});
            halves.push_back(done);
            const bool fails = done.deed.what == Deed::What::Fail;
            if (fails) halves.push_back({{Deed::What::FailTrips}, done.from, done.to, {}, false});
        }
        thread.swap(halves);
    }
    template <class Condition>
    [[nodiscard]] static bool during(const History& history, const Done& done,
                                     const Condition& condition) {
        for (const auto& thread : history.threads) {
            for (const Done& other : thread) {
                const bool overlaps = other.from < done.to && done.from < other.to;
                if (other.from != done.from && overlaps && condition(other)) return true;
            }
        }
        return false;
    }
    [[nodiscard]] static bool isDuringAnother(const History& history, const Done& done) {
        return during(history, done, [](const Done&) { return true; });
    }
    [[nodiscard]] static bool racesAnEnd(const History& history, const Done& done) {
        if (done.deed.what != Deed::What::Succeed) return false;
        return during(history, done, [](const Done& other) {
            return other.deed.what == Deed::What::Mode || other.deed.what == Deed::What::Reset ||
                   other.deed.what == Deed::What::Reconfigure;
        });
    }
    [[nodiscard]] static bool isOfWindow(Figure figure) {
        return figure >= Figure::WindowCalls && figure <= Figure::SuccessesInARow;
    }
    [[nodiscard]] static bool isOfTrip(Figure figure) {
        return figure >= Figure::TripCalls && figure <= Figure::TripSlowOutcomes &&
               figure != Figure::TripWait;
    }

    [[nodiscard]] std::string explain(Game& game) {
        History& history = game.history;
        bool wasReset = false;
        bool overlapping = false;
        bool racingSuccess = false;
        for (const auto& thread : history.threads) {
            for (const Done& done : thread) {
                const bool races = isDuringAnother(history, done);
                wasReset |= done.deed.what == Deed::What::Reset;
                overlapping |= races;
                racingSuccess |= races && done.deed.what == Deed::What::Succeed;
                ++figures_.operations;
            }
        }
        ++figures_.histories;
        figures_.overlapping += overlapping;
        // Below any mode.
        const bool endsClosed =
            history.end[Figure::ClosedToOpen] == history.end[Figure::TimesClosed];
        const Explains explains = [=](Figure figure) {
            // A call that reports while `reset()` runs may be in some totals and not in others.
            const bool sure = figure == Figure::State || figure == Figure::Mode ||
                              figure == Figure::RetryAfter || figure == Figure::Probes;
            if (wasReset && !sure) return false;
            // The evidence of an opening may lack successes that came while it was made.
            const bool evidence = isOfWindow(figure) && !endsClosed;
            return !racingSuccess || !(evidence || isOfTrip(figure));
        };
        for (auto& thread : history.threads) {
            for (Done& done : thread) done.mayBeStale = racesAnEnd(history, done);
        }
        for (auto& thread : history.threads) split(thread);
        Linearizer linearizer{history, explains};
        const bool explained = linearizer.search(game.world);
        figures_.steps += linearizer.steps();
        if (explained) return {};
        std::ostringstream text;
        text << history;
        for (std::size_t i = 0; i < Seen::size(); ++i) {
            const auto figure = static_cast<Figure>(i);
            text << nameOf(figure) << ' ' << history.end[figure] << (i % 6 == 5 ? '\n' : ' ');
        }
        text << "\n" << toString(game.world.model.rules().options);
        return std::move(text).str();
    }

    std::mt19937_64 random_;
    std::vector<std::unique_ptr<Game>> games_{};
    Figures figures_{};
    typename Subject::Crew crew_;
};

}  // namespace fusebox::test
