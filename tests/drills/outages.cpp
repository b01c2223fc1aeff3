// SPDX-License-Identifier: MIT
#include <chrono>
#include <initializer_list>
#include <utility>

#include "drills/outage.hpp"

namespace fusebox::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Kind = Fault::Kind;

// Faults. What hangs does so for longer than callers have patience; then they leave.

constexpr Fault kRefuse{.kind = Kind::Refuse};
constexpr Fault kResetOnAccept{.kind = Kind::ResetOnAccept};
constexpr Fault kNoAccept{.kind = Kind::NoAccept};
constexpr Fault kResetOnRequest{.kind = Kind::ResetOnRequest};
constexpr Fault kResetInResponse{.kind = Kind::ResetInResponse};
constexpr Fault kTruncate{.kind = Kind::Truncate};
constexpr Fault kGarbage{.kind = Kind::Garbage};
constexpr Fault kHalfClose{.kind = Kind::HalfClose};
constexpr Fault kBlackHole{.kind = Kind::BlackHole};
constexpr Fault k500{.kind = Kind::Error, .status = 500};
constexpr Fault k503{.kind = Kind::Error, .status = 503};

constexpr Fault delay(milliseconds time, milliseconds jitter = 0ms) {
    return {.kind = Kind::Delay, .delay = time, .jitter = jitter};
}
constexpr Fault drip(milliseconds gap) {
    return {.kind = Kind::Drip, .delay = gap};
}
constexpr Fault share(Fault fault, double share) {
    fault.share = share;
    return fault;
}
constexpr Fault burst(Fault fault, int sick, int well) {
    fault.burst = sick;
    fault.calm = well;
    return fault;
}

// Scripts.

FaultScript all(Fault fault) {
    return {.steps = {{0ms, fault}}};
}
FaultScript first(std::initializer_list<FaultScript::Step> steps) {
    return {.steps = steps};
}
FaultScript flap(Fault fault, milliseconds sick, milliseconds well) {
    return {.steps = {{0ms, fault}, {sick, {}}}, .period = sick + well};
}

// Policies. The windows of calls are full of successes when a fault begins: at least 24.

AnyTripPolicy row(int failures) {
    return ConsecutiveFailures{.threshold = failures};
}
AnyTripPolicy count(int failures) {
    return FailureCount{.threshold = failures, .window = 10s};
}
AnyTripPolicy rate(double threshold, Window window) {
    return FailureRate{.threshold = threshold, .minimumCalls = 10, .window = window};
}
AnyTripPolicy slow(milliseconds slowerThan) {
    return SlowCallRate{
        .threshold = 0.5, .slowerThan = slowerThan, .minimumCalls = 5, .window = lastCalls(10)};
}
const AnyTripPolicy kHalfOf20 = rate(0.5, lastCalls(20));

/// What most have: short, so that an outage has a few rounds.
CircuitBreakerOptions quick(CircuitBreakerOptions options = {}) {
    if (options.recoveryTimeout == 60s) options.recoveryTimeout = 100ms;
    if (options.requestTimeout == 30s) options.requestTimeout = 2s;
    options.trackInFlight = true;
    return options;
}
CircuitBreakerOptions impatient(CircuitBreakerOptions options = {}) {
    options.requestTimeout = 150ms;
    return quick(std::move(options));
}
const CircuitBreakerOptions kOneProbe{.successThreshold = 3, .halfOpenLimit = 1};
const CircuitBreakerOptions kBackoff{.recoveryTimeout = 60ms,
                                     .recoveryBackoff = 2.0,
                                     .maxRecoveryTimeout = 240ms,
                                     .recoveryJitter = 0.5};
const CircuitBreakerOptions kJitter{.recoveryTimeout = 150ms, .recoveryJitter = 1.0};

}  // namespace

std::vector<Outage> outages() {
    return {
        // Nobody there.
        {"refused", all(kRefuse), row(5), quick(), 5},
        {"refused, one caller", all(kRefuse), row(3), quick(), 3, 1},
        {"refused, eight callers, one probe", all(kRefuse), row(5), quick(kOneProbe), 5, 8},
        {"refused, backoff and jitter", all(kRefuse), kHalfOf20, quick(kBackoff), 10, 4, 500ms},
        {"refused, permits", all(kRefuse), count(6), quick(), 6, 4, 250ms, Form::Permit},
        {"reset when accepted", all(kResetOnAccept), row(4), quick(), 4},
        {"reset when accepted, full jitter", all(kResetOnAccept), Cusum{}, quick(kJitter), 4, 6},
        {"nobody accepts", all(kNoAccept), row(3), impatient(), 3},
        {"nobody accepts, eight callers", all(kNoAccept), count(8), impatient(kOneProbe), 8, 8,
         400ms},
        {"nobody accepts, stop token", all(kNoAccept), row(3), impatient(), 3, 3, 300ms,
         Form::StopToken},

        // Connections break.
        {"reset on request", all(kResetOnRequest), row(5), quick(), 5},
        {"reset on request, rate over time", all(kResetOnRequest), rate(0.5, 2s), quick(), 80},
        {"reset on request, one probe", all(kResetOnRequest), Cusum{}, quick(kOneProbe), 4, 8},
        {"reset on request, fallback", all(kResetOnRequest), row(4), quick(), 4, 4, 250ms,
         Form::Fallback},
        {"reset in the answer", all(kResetInResponse), row(5), quick(), 5},
        {"reset in the answer, permits", all(kResetInResponse), kHalfOf20, quick(kJitter), 10, 4,
         250ms, Form::Permit},
        {"truncated", all(kTruncate), row(5), quick(), 5},
        {"truncated, backoff", all(kTruncate), count(5), quick(kBackoff), 5, 2, 450ms},
        {"garbage", all(kGarbage), row(5), quick(), 5},
        {"garbage, one caller", all(kGarbage), kHalfOf20, quick(kOneProbe), 10, 1},
        {"half-closed", all(kHalfClose), row(5), quick(), 5},
        {"half-closed, any of two", all(kHalfClose),
         anyOf(ConsecutiveFailures{6}, FailureCount{4, 10s}), quick(), 4, 6},
        {"seven in ten are reset", all(share(kResetOnRequest, 0.7)), row(3), quick(), 90, 4, 400ms},
        {"half are truncated", all(share(kTruncate, 0.5)), rate(0.3, lastCalls(20)), quick(), 60, 4,
         400ms},
        {"a third is reset, Cusum", all(share(kResetInResponse, 0.35)), Cusum{}, quick(), 60, 4,
         400ms},

        // Errors.
        {"500", all(k500), row(5), quick(), 5},
        {"503, eight callers", all(k503), kHalfOf20, quick(), 10, 8},
        {"503, one probe closes", all(k503), row(5),
         quick({.successThreshold = 1, .halfOpenLimit = 1}), 5, 8},
        {"503, six probes close", all(k503), row(5),
         quick({.successThreshold = 6, .halfOpenLimit = 5}), 5, 8},
        {"503, fewer probes than threads", all(k503), rate(0.3, lastCalls(30)),
         quick({.successThreshold = 5, .halfOpenLimit = 2}), 9, 6},
        {"503, rate over time", all(k503), rate(0.5, 1s), quick(), 80, 4, 300ms},
        {"503, all of two", all(k503), allOf(ConsecutiveFailures{3}, FailureCount{6, 10s}),
         quick(kJitter), 6},
        {"503, fallback", all(k503), Cusum{}, quick(), 4, 4, 250ms, Form::Fallback},
        {"503, a long wait", all(k503), row(5), quick({.recoveryTimeout = 400ms}), 5},
        {"503, backoff to its bound", all(k503), row(5), quick(kBackoff), 5, 4, 700ms},
        {"503, latency not measured", all(k503), row(5), quick({.measureLatency = false}), 5},
        {"bursts of 12 errors", all(burst(k503, 12, 4)), row(5), quick(), 24, 4, 400ms},
        {"bursts of 30 errors, rate", all(burst(k500, 30, 10)), kHalfOf20, quick(kOneProbe), 40, 4,
         400ms},
        {"four in five fail", all(share(k500, 0.8)), kHalfOf20, quick(), 60, 4, 400ms},

        // No answer in time.
        {"black hole", all(kBlackHole), row(3), impatient(), 3},
        {"black hole, one caller", all(kBlackHole), row(2), impatient(kOneProbe), 2, 1, 500ms},
        {"black hole, eight callers, one probe", all(kBlackHole), count(8), impatient(kOneProbe), 8,
         8, 500ms},
        {"black hole, stop token", all(kBlackHole), row(4), impatient(), 4, 4, 400ms,
         Form::StopToken},
        {"black hole, overdue calls count", all(kBlackHole), row(4),
         impatient({.detectOverdue = true}), 4, 6, 400ms},
        {"black hole, probes lost early", all(kBlackHole), row(3),
         impatient({.recoveryTimeout = 200ms, .probeTimeout = 60ms}), 3, 4, 500ms},
        {"black hole, probes lost over and over", all(kBlackHole), row(3),
         impatient({.recoveryTimeout = 40ms, .probeTimeout = 30ms}), 3, 6, 600ms},
        {"errors, then probes lost that succeed", first({{0ms, k503}, {60ms, delay(120ms)}}),
         row(5), quick({.recoveryTimeout = 50ms, .probeTimeout = 40ms}), 5, 6, 600ms},
        {"black hole, probes kept for long", all(kBlackHole), row(3),
         impatient({.probeTimeout = 1s}), 3, 4, 500ms},
        {"black hole, backoff", all(kBlackHole), Cusum{}, impatient(kBackoff), 4, 4, 800ms},
        {"half are swallowed", all(share(kBlackHole, 0.5)), rate(0.3, lastCalls(20)), impatient(),
         60, 6, 500ms},
        {"answers too late", all(delay(200ms)), row(3), impatient(), 3},
        {"answers too late, permits", all(delay(200ms)), kHalfOf20, impatient(), 10, 8, 500ms,
         Form::Permit},
        {"late or just not", all(delay(100ms, 150ms)), count(4), impatient(), 4, 4, 500ms},
        {"late but in time: slow", all(delay(130ms)), slow(80ms), quick(), 5},
        {"slow, one probe", all(delay(110ms, 40ms)), slow(80ms), quick(kOneProbe), 5, 6, 400ms},
        {"slow or failing", all(share(delay(130ms), 0.6)),
         anyOf(SlowCallRate{0.3, 80ms, 5, lastCalls(10)}, ConsecutiveFailures{5}), quick(), 40, 4,
         400ms},
        {"drips", all(drip(3ms)), row(2), impatient(), 2, 3},
        {"drips, stop token", all(drip(5ms)), row(3), impatient(), 3, 4, 300ms, Form::StopToken},

        // One after the other.
        {"flaps", flap(kResetOnRequest, 60ms, 40ms), row(3), quick({.recoveryTimeout = 50ms}), 20,
         4, 600ms},
        {"flaps, refused", flap(kRefuse, 80ms, 80ms), row(3), quick(kBackoff), 20, 4, 600ms},
        {"flaps, each with its own backoff", flap(k503, 100ms, 200ms), row(3),
         quick({.recoveryTimeout = 60ms, .recoveryBackoff = 3.0, .maxRecoveryTimeout = 500ms}), 3,
         4, 900ms},
        {"flaps, errors and one probe", flap(k503, 70ms, 50ms), kHalfOf20,
         quick({.recoveryTimeout = 40ms, .successThreshold = 2, .halfOpenLimit = 1}), 60, 6, 600ms},
        {"errors, then black hole", first({{0ms, k503}, {150ms, kBlackHole}}), row(5), impatient(),
         5, 4, 500ms},
        {"black hole, then refused", first({{0ms, kBlackHole}, {300ms, kRefuse}}), row(3),
         impatient(), 3, 4, 500ms},
        {"refused, errors, slow, well",
         first({{0ms, kRefuse}, {150ms, k500}, {300ms, delay(60ms)}}), row(4), quick(), 4, 4,
         450ms},
        {"reboot: refused, nobody accepts, 503",
         first({{0ms, kRefuse}, {150ms, kNoAccept}, {350ms, k503}}), kHalfOf20, impatient(kJitter),
         10, 4, 550ms},

        // To be borne.
        {"borne: one in ten fails", all(share(k503, 0.1)), rate(0.8, lastCalls(40)), quick()},
        {"borne: slow, nobody asked", all(delay(30ms, 30ms)), row(3),
         quick({.requestTimeout = 5s})},
        {"borne: bursts of four", all(burst(k500, 4, 30)), rate(0.8, lastCalls(20)), quick(), 0, 1},
        {"borne: drips in time", all(drip(1ms)), Cusum{}, quick({.requestTimeout = 10s})},
    };
}

}  // namespace fusebox::test
