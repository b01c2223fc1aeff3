// SPDX-License-Identifier: MIT
// What threads see of a breaker is what it would do for one caller after the other.
#include "reference/histories.hpp"

#include <string>
#include <utility>
#include <vector>

#include "reference/broken_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

template <class Subject>
typename Historian<Subject>::Figures explainAll(std::uint64_t seed, std::uint64_t histories) {
    Historian<Subject> historian{seed};
    std::string unexplained;
    while (historian.figures().histories < histories && unexplained.empty()) {
        unexplained = historian.next();
    }
    INFO(unexplained);
    CHECK(unexplained.empty());
    return historian.figures();
}

/// How many histories until one cannot be explained; 0: all could.
template <Bug bug>
std::uint64_t historiesUntilFound() {
    Historian<BrokenBreaker<bug>> historian{1};
    while (historian.figures().histories < 5000) {
        if (!historian.next().empty()) return historian.figures().histories;
    }
    return 0;
}

using What = Deed::What;

/// Whether some order explains it: a breaker that one failure opens, if no other policy is given,
/// and one probe at a time.
bool explained(std::vector<std::vector<Done>> threads, CircuitState end,
               const PolicyChoice& policy = ConsecutiveFailures{1}) {
    Rules rules;
    rules.policy = policy;
    rules.options.recoveryTimeout = 10s;
    rules.options.halfOpenLimit = 1;
    rules.options.requestTimeout = kForever;
    World world{Model{rules, {}}, {}, {}};
    world.tickets.resize(threads.size());
    History history;
    history.threads = std::move(threads);
    history.end[Figure::State] = static_cast<std::int64_t>(end);
    Linearizer linearizer{history, [](Figure figure) { return figure == Figure::State; }};
    return linearizer.search(world);
}

constexpr Answer kOpen{-10, std::chrono::nanoseconds{10s}.count()};
constexpr Answer kReadsClosed{0, 0};
constexpr Answer kReadsOpen{1, 0};

}  // namespace

TEST_CASE("A-D 1-24: every history of threads on one breaker has an order") {
    const auto figures = explainAll<SharedBreaker>(1, 4000);
    CHECK(figures.operations > 10'000);
}

TEST_CASE("A-D 1-24: every history of threads that are interrupted anywhere has an order") {
    const auto figures = explainAll<InterruptedBreaker>(1, 20'000);
    CHECK(figures.overlapping > 10'000);
}

TEST_CASE("The search refuses breakers with a bug") {
    CHECK(historiesUntilFound<Bug::LateOpen>() > 0);
    CHECK(historiesUntilFound<Bug::RememberedState>() > 0);
    CHECK(historiesUntilFound<Bug::SharedVerdict>() > 0);
}

TEST_CASE("The search knows what cannot be") {
    using Threads = std::vector<std::vector<Done>>;
    const Done opens{{What::Open}, 1, 4, {}};
    const auto acquires = [](std::uint64_t from, std::uint64_t to, Answer answer) {
        return Done{{What::Acquire}, from, to, answer};
    };
    const auto reads = [](std::uint64_t from, std::uint64_t to, Answer answer) {
        return Done{{What::State}, from, to, answer};
    };

    // During open() a caller may be admitted or rejected; after it only rejected.
    CHECK(explained(Threads{{opens}, {acquires(2, 3, kAdmitted)}}, CircuitState::Open));
    CHECK(explained(Threads{{opens}, {acquires(2, 3, kOpen)}}, CircuitState::Open));
    CHECK_FALSE(explained(Threads{{opens}, {acquires(5, 6, kAdmitted)}}, CircuitState::Open));
    // Nobody sees it open and then closed.
    CHECK(explained(Threads{{opens}, {reads(2, 3, kReadsClosed), reads(5, 6, kReadsOpen)}},
                    CircuitState::Open));
    CHECK_FALSE(explained(Threads{{opens}, {reads(2, 3, kReadsOpen), reads(5, 6, kReadsClosed)}},
                          CircuitState::Open));
    // ... nor do two threads, one after the other.
    CHECK_FALSE(explained(Threads{{opens}, {reads(2, 3, kReadsOpen)}, {reads(5, 6, kReadsClosed)}},
                          CircuitState::Open));
    // Two probes at once, where one is allowed.
    const Done advances{{What::Advance, 0}, 5, 6, {}};
    CHECK(explained(
        Threads{{opens, advances, acquires(7, 10, kAdmitted)}, {acquires(8, 9, {-11, 0})}},
        CircuitState::HalfOpen));
    CHECK_FALSE(explained(
        Threads{{opens, advances, acquires(7, 10, kAdmitted)}, {acquires(8, 9, kAdmitted)}},
        CircuitState::HalfOpen));
    // What is done stays done.
    CHECK_FALSE(explained(Threads{{opens}}, CircuitState::Closed));
}

TEST_CASE("The search knows what others may do while a failure trips") {
    const FailureRate halfOfTwo{.threshold = 0.5, .minimumCalls = 2, .window = lastCalls(5)};
    const auto historyWith = [](std::uint64_t from, std::uint64_t to) {
        const auto done = [](What what, std::uint64_t begin, std::uint64_t end, Answer answer) {
            return Done{{what}, begin, end, answer};
        };
        // The second success is recorded behind the verdict: before it, it would be one of three.
        return std::vector<std::vector<Done>>{
            {done(What::Acquire, 1, 2, kAdmitted), done(What::Fail, 10, 20, {}),
             done(What::FailTrips, 10, 20, {})},
            {done(What::Acquire, 3, 4, kAdmitted), done(What::Acquire, 5, 6, kAdmitted),
             done(What::Succeed, 7, 8, {}), done(What::Succeed, 11, 12, {})},
            {done(What::Fail, 13, 14, kNothing), done(What::FailTrips, 13, 14, {}),
             done(What::Acquire, from, to, kAdmitted)}};
    };
    // Who has no permit to report does not wait for the transition, and does not make it.
    CHECK(explained(historyWith(15, 16), CircuitState::Open, halfOfTwo));
    CHECK_FALSE(explained(historyWith(21, 22), CircuitState::Open, halfOfTwo));
}

TEST_CASE("The search knows that an operation may be held up between two looks at the clock") {
    const auto historyWith = [](std::uint64_t begin, std::uint64_t end) {
        const Deed tenSeconds{What::Advance, 0};
        return std::vector<std::vector<Done>>{{{{What::Open}, 1, 2, {}},
                                               {tenSeconds, 3, 4, {}},
                                               {{What::Acquire}, 5, 6, kAdmitted},
                                               {{What::Fail}, begin, end, {}}},
                                              {{tenSeconds, 10, 11, {}}, {tenSeconds, 12, 13, {}}}};
    };
    // The probe is not lost at the first look, and reopens the breaker as of the second.
    CHECK(explained(historyWith(8, 15), CircuitState::Open));
    CHECK_FALSE(explained(historyWith(7, 8), CircuitState::Open));
    CHECK_FALSE(explained(historyWith(14, 15), CircuitState::Open));
}
