// SPDX-License-Identifier: MIT
#include "drills/audit.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

namespace fusebox::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

double inMs(nanoseconds time) {
    return static_cast<double>(time.count()) / 1e6;
}

/// From an opening to what follows it. Its probes are the calls that are so for sure: begun by
/// whoever asked after the opening was known, and before the next transition can have been made.
struct Opening {
    const SeenTransition* event = nullptr;
    const SeenTransition* next = nullptr;  ///< Half-open apart.
    nanoseconds shortestWait{0};
    nanoseconds longestWait{0};
    Time notBefore{};             ///< It opened then or later.
    Time endsNotBefore = kNever;  ///< The half-open state after it ended then or later.
    std::vector<const SeenCall*> probes{};
};

class Audit {
public:
    Audit(const Outage& outage, const Evidence& evidence) : outage_(outage), seen_(evidence) {}

    Findings run() {
        checkCalls();
        checkTotals();
        checkRequests();
        checkChain();
        findOpenings();
        checkOpening();
        for (const Opening& opening : openings_) {
            checkProbes(opening);
            checkNext(opening);
            checkWaitEnds(opening);
        }
        checkRecovery();
        return std::move(found_);
    }

private:
    void require(bool holds, std::string what) {
        if (!holds) found_.violations.push_back({std::move(what), false});
    }
    void requireInTime(bool holds, std::string what) {
        if (!holds) found_.violations.push_back({std::move(what), true});
    }
    void requireEqual(std::string_view what, std::uint64_t a, std::uint64_t b) {
        require(a == b, fmt::format("{}: {} and {}", what, a, b));
    }

    template <class Test>
    [[nodiscard]] std::uint64_t countCalls(Test test) const {
        return static_cast<std::uint64_t>(std::ranges::count_if(seen_.calls, test));
    }

    // No call is lost or counted twice.

    void checkCalls() {
        for (const SeenCall& call : seen_.calls) {
            if (!isConsistent(call)) {
                require(false,
                        fmt::format("a call was told as {} by {} events, with status {} after "
                                    "{:.3f} ms",
                                    static_cast<int>(call.told), call.tellings, call.status,
                                    inMs(call.end - call.start)));
            }
        }
    }

    /// What a caller was told fits what it saw. The breaker's own measure of a call is longer than
    /// its callable took, and shorter than its caller waited.
    [[nodiscard]] bool isConsistent(const SeenCall& call) const {
        if (call.tellings != 1 || call.rejected != (call.told == Told::Rejected)) return false;
        if (call.rejected) return !call.admitted();
        if (!call.admitted()) return false;
        const bool answered = call.status != 0 && call.status < 500;
        const nanoseconds deadline = outage_.options.requestTimeout;
        if (call.told == Told::Timeout) return call.end - call.start > deadline;
        return call.told == (answered ? Told::Success : Told::Failure) &&
               call.ended - call.begun <= deadline;
    }

    void checkTotals() {
        const CircuitBreakerStats& stats = seen_.stats;
        const auto told = [&](Told what) {
            return countCalls([&](const SeenCall& call) { return call.told == what; });
        };
        requireEqual("admitted calls", countCalls(&SeenCall::admitted), stats.totalCalls);
        requireEqual("rejected calls", countCalls([](auto& call) { return call.rejected; }),
                     stats.totalRejected);
        requireEqual("successes", told(Told::Success), stats.totalSuccesses);
        requireEqual("failures", told(Told::Failure), stats.totalFailures);
        requireEqual("timeouts", told(Told::Timeout), stats.totalTimeouts);
        requireEqual("slow calls", countCalls([](auto& call) { return call.slow; }),
                     stats.totalSlow);
        requireEqual("outcomes", stats.totalSuccesses + stats.totalFailures + stats.totalTimeouts,
                     stats.totalCalls);
        requireEqual("ignored and cancelled", stats.totalIgnored + stats.totalCancelled, 0);
        requireEqual("in flight at the end", stats.inFlight.value_or(0), 0);
        require(stats.probesInFlight == 0, "probes in flight at the end");
    }

    void checkRequests() {
        const std::uint64_t admitted = countCalls(&SeenCall::admitted);
        const std::uint64_t arrived = seen_.requests.size();
        if (outage_.everyRequestArrives()) {
            requireEqual("admitted calls and requests", admitted, arrived);
        } else {
            require(arrived <= admitted,
                    fmt::format("{} requests of {} admitted calls", arrived, admitted));
        }
        const auto forwarded = std::ranges::count_if(seen_.requests, &SeenRequest::forwarded);
        requireEqual("forwarded requests and those that reached the server",
                     static_cast<std::uint64_t>(forwarded), seen_.serverReached);
    }

    // Transitions.

    void checkChain() {
        CircuitState state = CircuitState::Closed;
        std::uint64_t opened = 0;
        std::uint64_t closed = 0;
        for (const SeenTransition& event : seen_.transitions) {
            require(event.from == state, "an event does not begin where the one before it ended");
            require(event.from != event.to, "an event is no transition");
            state = event.to;
            if (state == CircuitState::Open) ++opened;
            if (state == CircuitState::Closed) ++closed;
        }
        requireEqual("openings told and counted", opened, seen_.stats.timesOpened);
        requireEqual("closings told and counted", closed, seen_.stats.timesClosed);
        require(state == seen_.stats.state, "the last event is not the state");
        requireInTime(state == CircuitState::Closed, "not closed at the end");
    }

    /// The earliest that the transition was made. Whoever made it was inside the breaker then, and
    /// is so still, or was when it was delivered.
    [[nodiscard]] Time madeNotBefore(const SeenTransition& event) const {
        Time earliest = event.delivered;
        for (const SeenCall& call : seen_.calls) {
            const Time admittedBy = std::min(call.begun, call.end);
            if (call.start <= event.delivered && event.delivered <= admittedBy) {
                earliest = std::min(earliest, call.start);
            } else if (call.admitted() && call.ended <= event.delivered &&
                       event.delivered <= call.end) {
                earliest = std::min(earliest, call.ended);
            }
        }
        return earliest;
    }

    void findOpenings() {
        int reopenings = 0;
        const auto& events = seen_.transitions;
        for (auto event = events.begin(); event != events.end(); ++event) {
            if (event->to == CircuitState::Closed) reopenings = 0;
            if (event->to != CircuitState::Open) continue;
            const nanoseconds wait = waitAfter(reopenings++);
            Opening opening{.event = &*event,
                            .shortestWait = wait - scaled(wait, outage_.options.recoveryJitter),
                            .longestWait = wait,
                            .notBefore = madeNotBefore(*event)};
            const auto next = std::find_if(event + 1, events.end(), [](auto& later) {
                return later.to != CircuitState::HalfOpen;
            });
            if (next != events.end()) {
                opening.next = &*next;
                opening.endsNotBefore = madeNotBefore(*next);
            }
            if (event->reason == TransitionReason::ProbeLost) opening.notBefore = lossNotBefore();
            for (const SeenCall& call : seen_.calls) {
                if (isProbe(call, opening)) opening.probes.push_back(&call);
            }
            openings_.push_back(std::move(opening));
        }
        found_.openings = static_cast<int>(openings_.size());
    }

    /// A lost probe opens as of the end of its time, not when that is noticed.
    [[nodiscard]] Time lossNotBefore() const {
        if (openings_.empty()) return seen_.faultBegan;
        const Time halfOpen = openings_.back().notBefore + openings_.back().shortestWait;
        Time first = kNever;
        for (const SeenCall& call : seen_.calls) {
            if (call.admitted() && call.begun >= halfOpen) first = std::min(first, call.start);
        }
        return first + effectiveProbeTimeout(outage_.options);
    }

    [[nodiscard]] static bool isProbe(const SeenCall& call, const Opening& opening) {
        const Time known = opening.event->delivered;
        const bool broughtIt = call.halfOpen != kNever && call.halfOpen > known;
        const bool askedLater = call.start > known || broughtIt;
        return call.admitted() && askedLater && call.begun < opening.endsNotBefore;
    }

    [[nodiscard]] static nanoseconds scaled(nanoseconds time, double factor) {
        return nanoseconds{std::llround(static_cast<double>(time.count()) * factor)};
    }
    [[nodiscard]] nanoseconds waitAfter(int reopenings) const {
        const auto& options = outage_.options;
        return std::min(
            scaled(options.recoveryTimeout, std::pow(options.recoveryBackoff, reopenings)),
            effectiveMaxRecoveryTimeout(options));
    }

    void checkOpening() {
        if (outage_.evidence == 0) {
            requireInTime(openings_.empty(), "it opened, but should have borne that");
            return;
        }
        requireInTime(!openings_.empty(), "it did not open");
        if (openings_.empty()) return;
        const Time opened = openings_.front().event->delivered;
        found_.toOpen = opened - seen_.faultBegan;
        const auto decisive = countCalls([&](const SeenCall& call) {
            return (call.failed() || call.slow) && call.ended < opened;
        });
        const int most = outage_.evidence + outage_.threads - 1;
        requireInTime(decisive <= static_cast<std::uint64_t>(most),
                      fmt::format("{} calls failed or were slow before it opened, of at most {}",
                                  decisive, most));
        requireInTime(opened > seen_.faultBegan, "it opened before there was a fault");
    }

    // While it is open, and half-open.

    void checkProbes(const Opening& opening) {
        const int limit = outage_.options.halfOpenLimit;
        if (opening.probes.empty()) return;
        for (const SeenCall* probe : opening.probes) {
            require(
                probe->begun >= opening.notBefore + opening.shortestWait,
                fmt::format("a call was admitted {:.3f} ms after the opening, of a wait of at "
                            "least {:.3f}",
                            inMs(probe->begun - opening.notBefore), inMs(opening.shortestWait)));
        }
        const int calls = mostProbesAtOnce(opening);
        found_.probesAtOnce = std::max(found_.probesAtOnce, calls);
        require(calls <= limit, fmt::format("{} probes at once, of at most {}", calls, limit));

        const SeenCall* const first =
            *std::ranges::min_element(opening.probes, {}, &SeenCall::begun);
        const int requests = mostRequestsAtOnce(first->begun, opening.endsNotBefore);
        const int others = static_cast<int>(countCalls([&](const SeenCall& call) {
            return call.admitted() && call.start < first->start && call.ended >= first->start;
        }));
        found_.requestsAtOnce = std::max(found_.requestsAtOnce, requests - others);
        require(requests <= limit + others,
                fmt::format("{} requests at once while half-open, of {} probes and {} older calls",
                            requests, limit, others));
    }

    /// What ended the half-open state was done by calls of that state.
    void checkNext(const Opening& opening) {
        require(std::ranges::none_of(opening.probes,
                                     [&](auto* probe) {
                                         return (probe->failed() || probe->slow) &&
                                                probe->end < opening.endsNotBefore;
                                     }),
                "a probe failed or was slow, and it stayed half-open");
        if (opening.next == nullptr) return;
        const auto count = [&](auto test) {
            return countCalls([&](const SeenCall& call) {
                return call.admitted() && call.begun >= opening.notBefore + opening.shortestWait &&
                       call.ended <= opening.next->delivered && test(call);
            });
        };
        if (opening.next->to == CircuitState::Closed) {
            const auto successes =
                count([](auto& call) { return call.told == Told::Success && !call.slow; });
            const int needed = outage_.options.successThreshold;
            require(successes >= static_cast<std::uint64_t>(needed),
                    fmt::format("closed after {} probes succeeded, of {}", successes, needed));
            const auto before = std::ranges::count_if(opening.probes, [&](auto* probe) {
                return probe->told == Told::Success && probe->end < opening.endsNotBefore;
            });
            require(
                before < needed,
                fmt::format("still half-open when {} probes had succeeded, of {}", before, needed));
        } else if (opening.next->reason == TransitionReason::ProbeFailed) {
            require(count([](auto& call) { return call.failed() || call.slow; }) > 0,
                    "reopened, but no probe of that half-open state had failed");
        }
    }

    void checkWaitEnds(const Opening& opening) {
        const Time over = opening.event->delivered + opening.longestWait + kAllowance;
        Time first = opening.next ? opening.endsNotBefore : kNever;
        for (const SeenCall* probe : opening.probes) first = std::min(first, probe->begun);
        const auto late = countCalls([&](const SeenCall& call) {
            return call.rejected && call.start > over && call.end < first;
        });
        requireInTime(late == 0,
                      fmt::format("{} calls were rejected though the wait was over", late));
    }

    [[nodiscard]] static int mostProbesAtOnce(const Opening& opening) {
        std::ptrdiff_t most = 0;
        for (const SeenCall* probe : opening.probes) {
            const Time now = probe->begun;
            most = std::max(most, std::ranges::count_if(opening.probes, [&](auto* other) {
                                return other->begun <= now && now < other->ended;
                            }));
        }
        return static_cast<int>(most);
    }

    /// Also those that were there before.
    [[nodiscard]] int mostRequestsAtOnce(Time from, Time to) const {
        std::ptrdiff_t most = 0;
        for (const SeenRequest& request : seen_.requests) {
            const Time now = request.arrived;
            if (now < from || now >= to) continue;
            most = std::max(most, std::ranges::count_if(seen_.requests, [&](auto& other) {
                                return other.arrived <= now && now < other.left;
                            }));
        }
        return static_cast<int>(most);
    }

    // Recovery.

    void checkRecovery() {
        const auto failed = countCalls(
            [&](const SeenCall& call) { return call.failed() && call.begun > seen_.healed; });
        requireInTime(failed == 0, fmt::format("{} calls failed after the fault was over", failed));
        found_.recoveryBound = recoveryBound();
        if (openings_.empty() || seen_.transitions.back().to != CircuitState::Closed) return;
        found_.recovery =
            std::max(nanoseconds{0}, seen_.transitions.back().delivered - seen_.healBegan);
        requireInTime(found_.recovery <= found_.recoveryBound,
                      fmt::format("closed after {:.1f} ms, of at most {:.1f}",
                                  inMs(found_.recovery), inMs(found_.recoveryBound)));
    }

    /// The rest of the calls that met the fault, the wait (jitter only shortens it), and as many
    /// calls one after the other as it takes to close, each as long as the longest healthy one and
    /// after the longest pause. Plus what a busy machine takes: a call passes through five threads.
    [[nodiscard]] nanoseconds recoveryBound() const {
        nanoseconds rest{0};
        nanoseconds longest{0};
        for (const SeenCall& call : seen_.calls) {
            if (!call.admitted()) continue;
            if (call.begun <= seen_.healed)
                rest = std::max(rest, nanoseconds{call.ended - seen_.healBegan});
            const bool healthy = call.ended < seen_.faultBegan || call.begun > seen_.healed;
            if (healthy) longest = std::max(longest, nanoseconds{call.ended - call.begun});
        }
        const nanoseconds wait = openings_.empty() ? nanoseconds{0} : openings_.back().longestWait;
        const int atOnce = std::min(outage_.options.halfOpenLimit, outage_.threads);
        const int rounds = (outage_.options.successThreshold + atOnce - 1) / atOnce;
        const nanoseconds allowance = kAllowance + 5 * (rounds + 1) * seen_.worstLag;
        return rest + wait + rounds * (longest + kLongestPause) + kLongestPause + allowance;
    }

    static constexpr milliseconds kAllowance{50};

    const Outage& outage_;
    const Evidence& seen_;
    Findings found_{};
    std::vector<Opening> openings_{};
};

}  // namespace

Findings audit(const Outage& outage, const Evidence& evidence) {
    return Audit{outage, evidence}.run();
}

}  // namespace fusebox::test
