// SPDX-License-Identifier: MIT
#include "breaker/suites.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "breaker/breaker_scenario.hpp"
#include "breaker/shared_data_scenarios.hpp"

namespace fusebox::model {
namespace {

using namespace std::chrono_literals;
using A = Action;
using Actions = std::vector<std::vector<Action>>;

constexpr int kStarts = static_cast<int>(Start::Count_);
// All but the last, which does nothing to a breaker that is left alone.
constexpr int kActions = static_cast<int>(Action::Automatic);

void visitBreaker(const Visit& visit, Setup setup, Start start, Actions actions) {
    BreakerScenario scenario{std::move(setup), start, std::move(actions)};
    visit(scenario);
}

[[nodiscard]] Setup withShards(Start start, const Actions& actions) {
    Setup setup = setupFor(start);
    setup.options.shards = 2;
    // One more counter a call, beside which three threads do too much in too many orders.
    setup.options.trackInFlight = actions.size() < 3;
    return setup;
}

/// Threads that meet on a shard, so that there are more; while the epoch changes or others count.
void visitShards(const Visit& visit) {
    for (const Actions& actions : {Actions{{A::Succeed}, {A::Succeed}, {A::Succeed}},
                                   Actions{{A::Succeed}, {A::Succeed}, {A::Stats}},
                                   Actions{{A::Succeed, A::Succeed}, {A::Succeed, A::Fail}},
                                   Actions{{A::Succeed, A::Fail}, {A::Succeed}},
                                   Actions{{A::Succeed}, {A::Succeed}, {A::Reset}},
                                   Actions{{A::LateSuccess}, {A::Succeed}, {A::Reopen}},
                                   Actions{{A::LateSuccess}, {A::LateSuccess}, {A::Reset}},
                                   Actions{{A::LateSuccess}, {A::LateSuccess}, {A::LateCancel}},
                                   Actions{{A::Succeed}, {A::Succeed}, {A::Reconfigure}}}) {
        visitBreaker(visit, withShards(Start::Closed, actions), Start::Closed, actions);
    }
    // Rejections meet, too.
    for (const Actions& actions : {Actions{{A::Succeed}, {A::Succeed}, {A::Succeed}},
                                   Actions{{A::Succeed}, {A::Succeed}, {A::Stats}},
                                   Actions{{A::Fail}, {A::Fail}, {A::Close, A::Succeed}}}) {
        visitBreaker(visit, withShards(Start::Open, actions), Start::Open, actions);
    }
}

void visitLatencies(const Visit& visit) {
    Setup setup = setupFor(Start::Closed);
    setup.options.measureLatency = true;
    setup.policy.failures = 2;
    for (const Actions& actions :
         {Actions{{A::Succeed, A::Fail}, {A::Stats}}, Actions{{A::Stats}, {A::Stats}},
          Actions{{A::Fail}, {A::Reset}}}) {
        visitBreaker(visit, setup, Start::Closed, actions);
    }
    setup.options.shards = 2;
    visitBreaker(visit, setup, Start::Closed, {{A::Succeed}, {A::Succeed}});
    visitBreaker(visit, setup, Start::Closed, {{A::Succeed, A::Succeed}, {A::Succeed, A::Succeed}});
}

void visitPolicies(const Visit& visit) {
    Setup ticks = setupFor(Start::Closed);
    ticks.policy.ticks = true;
    visitBreaker(visit, ticks, Start::Closed, {{A::Succeed}, {A::Advance, A::Succeed}});
    visitBreaker(visit, ticks, Start::Closed, {{A::Succeed, A::Fail}, {A::Advance}, {A::Succeed}});
    Setup successes = setupFor(Start::Closed);
    successes.policy.successes = true;
    successes.policy.failures = 2;
    visitBreaker(visit, successes, Start::Closed, {{A::Succeed}, {A::Fail}, {A::Fail}});
    Setup snapshots = setupFor(Start::HalfOpen);
    snapshots.snapshots = true;
    visitBreaker(visit, snapshots, Start::HalfOpen, {{A::LateFailure}, {A::Succeed}});
    visitBreaker(visit, snapshots, Start::Due, {{A::Fail}, {A::Succeed}});
}

/// Calls that may count as failed while they are in flight.
void visitDeadlines(const Visit& visit) {
    Setup setup = setupFor(Start::Closed);
    setup.options.detectOverdue = true;
    setup.options.measureLatency = true;
    setup.options.requestTimeout = 160ns;
    setup.policy.watched = true;
    for (const Actions& actions : {Actions{{A::LateSuccess}, {A::Advance, A::Succeed}},
                                   Actions{{A::LateFailure}, {A::Advance, A::Succeed}},
                                   Actions{{A::LateSuccess}, {A::Advance, A::Fail}, {A::Open}},
                                   Actions{{A::Advance, A::Succeed}, {A::Succeed}}}) {
        visitBreaker(visit, setup, Start::Closed, actions);
    }
    // Who begins to watch shows it in the word.
    Setup later = setupFor(Start::Closed);
    later.policy.watched = true;
    later.watchLater = true;
    visitBreaker(visit, later, Start::Closed, {{A::Reconfigure}, {A::Succeed}, {A::Fail}});
}

/// Modes that come and go around a call.
void visitModes(const Visit& visit) {
    for (const Start start : {Start::Closed, Start::Open, Start::Due, Start::HalfOpen}) {
        for (const Action mode : {A::ForceOpen, A::ForceClosed, A::Shadow}) {
            for (const Action other : {A::Succeed, A::Fail, A::LateFailure, A::Reset, A::Read}) {
                visitBreaker(visit, setupFor(start), start,
                             {{mode, A::Fail, A::Automatic}, {other}});
            }
        }
    }
}

/// One thread goes through several epochs of a state, while another reads.
void visitRounds(const Visit& visit) {
    const Setup setup = setupFor(Start::Open);
    visitBreaker(visit, setup, Start::Open, {{A::Reopen, A::Reopen}, {A::Succeed}, {A::Read}});
    visitBreaker(visit, setupFor(Start::Due), Start::Due,
                 {{A::Fail, A::Reopen}, {A::Read, A::Read}});
    visitBreaker(visit, setupFor(Start::HalfOpen), Start::HalfOpen,
                 {{A::LateFailure, A::Advance, A::Succeed}, {A::Read}});
    visitBreaker(visit, setupFor(Start::HalfOpen), Start::HalfOpen,
                 {{A::LateFailure, A::Advance, A::Succeed}, {A::Fail}});
    visitBreaker(visit, setupFor(Start::HalfOpen), Start::HalfOpen,
                 {{A::Reconfigure, A::Reconfigure}, {A::LateCancel}, {A::Succeed}});
}

}  // namespace

void forEachPair(const Visit& visit) {
    for (int s = 0; s < kStarts; ++s) {
        const auto start = static_cast<Start>(s);
        for (int a = 0; a < kActions; ++a) {
            for (int b = a; b < kActions; ++b) {
                visitBreaker(visit, setupFor(start), start,
                             {{static_cast<Action>(a)}, {static_cast<Action>(b)}});
            }
        }
    }
}

void forEachTriple(std::size_t stride, const Visit& visit) {
    std::size_t number = 0;
    for (int s = 0; s < kStarts; ++s) {
        const auto start = static_cast<Start>(s);
        for (int a = 0; a < kActions; ++a) {
            for (int b = a; b < kActions; ++b) {
                for (int c = b; c < kActions; ++c) {
                    if (number++ % stride != 0) continue;
                    visitBreaker(visit, setupFor(start), start,
                                 {{static_cast<Action>(a)},
                                  {static_cast<Action>(b)},
                                  {static_cast<Action>(c)}});
                }
            }
        }
    }
}

void forEachSpecial(const Visit& visit) {
    visitShards(visit);
    visitLatencies(visit);
    visitPolicies(visit);
    visitDeadlines(visit);
    visitModes(visit);
    visitRounds(visit);
    for (const auto& scenario : sharedDataScenarios()) visit(*scenario);
}

}  // namespace fusebox::model
