// SPDX-License-Identifier: MIT
// Policies and options of any values: refused in a sentence, or a breaker that works.
//
// What is allowed stands here once more, as the contract has it. Each value is a byte that chooses
// an edge, or asks for the raw bytes that follow.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/targets.hpp"

namespace fusebox::test {
namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Breaker = CircuitBreaker<ManualClock, AnyTripPolicy>;

double anyNumber(Bytes& bytes) {
    using Limits = std::numeric_limits<double>;
    static constexpr double kEdges[] = {0.5,
                                        0.0,
                                        1.0,
                                        -0.0,
                                        Limits::quiet_NaN(),
                                        Limits::infinity(),
                                        -Limits::infinity(),
                                        1e15,
                                        -1.0,
                                        2.0,
                                        1e6,
                                        Limits::denorm_min(),
                                        Limits::max(),
                                        Limits::lowest(),
                                        0.1,
                                        0.9,
                                        0.3,
                                        1.5,
                                        1.0 + Limits::epsilon(),
                                        1.0 - Limits::epsilon() / 2,
                                        Limits::min()};
    const std::size_t choice = bytes.byte();
    if (choice < std::size(kEdges)) return kEdges[choice];
    if (choice < 128) return static_cast<double>(choice - std::size(kEdges)) / 107.0;
    const std::uint64_t raw = bytes.number(8);
    double number = 0;
    std::memcpy(&number, &raw, sizeof number);
    return number;
}

Nanoseconds anyDuration(Bytes& bytes) {
    using namespace std::chrono_literals;
    static constexpr Nanoseconds kEdges[] = {1s,
                                             0s,
                                             1ns,
                                             -1ns,
                                             Nanoseconds::max(),
                                             Nanoseconds::min(),
                                             Nanoseconds::max() - 1ns,
                                             Nanoseconds::min() + 1ns,
                                             1ms,
                                             10min,
                                             24h,
                                             -1s,
                                             9ns,
                                             10ns,
                                             11ns,
                                             Nanoseconds::max() / 2};
    const std::size_t choice = bytes.byte();
    if (choice < std::size(kEdges)) return kEdges[choice];
    if (choice < 128) return 100ms * static_cast<int>(choice);
    if (choice < 192) return Nanoseconds{static_cast<std::int64_t>(bytes.number(5))};
    return Nanoseconds{static_cast<std::int64_t>(bytes.number(8))};
}

int anyCount(Bytes& bytes) {
    using Limits = std::numeric_limits<int>;
    static constexpr int kEdges[] = {
        1,   0,   -1,   2,    3,     5,     Limits::max(), Limits::min(),
        255, 256, 1024, 1025, 65535, 65536, 1'000'000,     1'000'001};
    const std::size_t choice = bytes.byte();
    if (choice < std::size(kEdges)) return kEdges[choice];
    if (choice < 192) return static_cast<int>(choice);
    return static_cast<int>(static_cast<std::uint32_t>(bytes.number(4)));
}

Window anyWindow(Bytes& bytes) {
    if (bytes.chance()) return lastCalls(anyCount(bytes));
    return anyDuration(bytes);
}

std::optional<Nanoseconds> maybeDuration(Bytes& bytes) {
    if (!bytes.chance()) return std::nullopt;
    return anyDuration(bytes);
}

/// The fields that are wrong.
using Wrong = std::vector<std::string>;

void note(Wrong& wrong, bool right, const char* field) {
    if (!right) wrong.emplace_back(field);
}
bool isRate(double rate) {
    return rate > 0.0 && rate <= 1.0;
}
bool isWindow(const Window& window) {
    if (window.isTime()) return window.duration() > Nanoseconds{0};
    return window.calls() >= 1 && window.calls() <= 1'000'000;
}
bool fits(int count, const Window& window, int most) {
    if (count < 1 || count > most) return false;
    // A window that is wrong is wrong for itself.
    return window.isTime() || window.calls() < 1 || count <= window.calls();
}

/// A policy, what is wrong with it, and whether it decides on slow calls.
struct AnyPolicy {
    AnyTripPolicy policy{};
    Wrong wrong{};
    bool decidesOnSlowness = false;
};

AnyPolicy anyPolicy(Bytes& bytes, int depth) {
    constexpr int kMostCount = std::numeric_limits<int>::max();
    AnyPolicy any;
    switch (bytes.byte() % 7) {
        case 0: {
            const ConsecutiveFailures policy{anyCount(bytes)};
            note(any.wrong, policy.threshold >= 1, "ConsecutiveFailures.threshold");
            any.policy = policy;
            break;
        }
        case 1: {
            const int threshold = anyCount(bytes);
            const FailureCount policy{threshold, anyWindow(bytes)};
            note(any.wrong, fits(threshold, policy.window, 1'000'000), "FailureCount.threshold");
            note(any.wrong, isWindow(policy.window), "FailureCount.window");
            any.policy = policy;
            break;
        }
        case 2: {
            FailureRate policy;
            policy.threshold = anyNumber(bytes);
            policy.minimumCalls = anyCount(bytes);
            policy.window = anyWindow(bytes);
            note(any.wrong, isRate(policy.threshold), "FailureRate.threshold");
            note(any.wrong, fits(policy.minimumCalls, policy.window, kMostCount),
                 "FailureRate.minimumCalls");
            note(any.wrong, isWindow(policy.window), "FailureRate.window");
            any.policy = policy;
            break;
        }
        case 3: {
            SlowCallRate policy;
            policy.threshold = anyNumber(bytes);
            policy.slowerThan = anyDuration(bytes);
            policy.minimumCalls = anyCount(bytes);
            policy.window = anyWindow(bytes);
            note(any.wrong, isRate(policy.threshold), "SlowCallRate.threshold");
            note(any.wrong, policy.slowerThan > Nanoseconds{0}, "SlowCallRate.slowerThan");
            note(any.wrong, fits(policy.minimumCalls, policy.window, kMostCount),
                 "SlowCallRate.minimumCalls");
            note(any.wrong, isWindow(policy.window), "SlowCallRate.window");
            // What takes forever is never slow.
            any.decidesOnSlowness = policy.slowerThan != kForever;
            any.policy = policy;
            break;
        }
        case 4: {
            const double acceptable = anyNumber(bytes);
            const double unacceptable = anyNumber(bytes);
            const double calls = anyNumber(bytes);
            note(any.wrong, acceptable > 0.0 && acceptable < 1.0, "Cusum.acceptableFailureRate");
            note(any.wrong, unacceptable > acceptable && unacceptable <= 1.0,
                 "Cusum.unacceptableFailureRate");
            note(any.wrong, calls > 1.0 && calls <= 1e15, "Cusum.callsBetweenFalseTrips");
            any.policy = Cusum{acceptable, unacceptable, calls};
            break;
        }
        default: {
            const bool all = bytes.chance();
            std::vector<AnyTripPolicy> parts;
            for (int i = bytes.byte() % 4; depth > 0 && i > 0; --i) {
                AnyPolicy part = anyPolicy(bytes, depth - 1);
                any.wrong.insert(any.wrong.end(), part.wrong.begin(), part.wrong.end());
                any.decidesOnSlowness = any.decidesOnSlowness || part.decidesOnSlowness;
                parts.push_back(std::move(part.policy));
            }
            note(any.wrong, !parts.empty(), "empty list");
            any.policy = all ? AnyTripPolicy::allOf(parts) : AnyTripPolicy::anyOf(parts);
        }
    }
    return any;
}

CircuitBreakerOptions anyOptions(Bytes& bytes) {
    CircuitBreakerOptions o;
    if (bytes.chance()) o.recoveryTimeout = anyDuration(bytes);
    if (bytes.chance()) o.recoveryBackoff = anyNumber(bytes);
    o.maxRecoveryTimeout = maybeDuration(bytes);
    if (bytes.chance()) o.recoveryJitter = anyNumber(bytes);
    if (bytes.chance()) o.successThreshold = anyCount(bytes);
    if (bytes.chance()) o.halfOpenLimit = anyCount(bytes);
    o.probeTimeout = maybeDuration(bytes);
    if (bytes.chance()) o.requestTimeout = anyDuration(bytes);
    const std::uint8_t flags = bytes.byte();
    o.measureLatency = flags % 2 == 0;
    o.trackInFlight = flags / 2 % 2 == 1;
    o.detectOverdue = flags / 4 % 4 == 3;
    o.shards = flags / 16 % 2 == 1 ? anyCount(bytes) : 1;
    if (flags / 32 % 2 == 1) o.tags[bytes.text(bytes.byte() % 4)] = bytes.text(3);
    return o;
}

Wrong wrongIn(const CircuitBreakerOptions& o, bool decidesOnSlowness) {
    const auto within = [](int count, int least, int most) {
        return count >= least && count <= most;
    };
    const Nanoseconds zero{0};
    Wrong wrong;
    note(wrong, o.recoveryTimeout > zero, "recoveryTimeout");
    note(wrong, std::isfinite(o.recoveryBackoff) && o.recoveryBackoff >= 1.0, "recoveryBackoff");
    note(wrong, !o.maxRecoveryTimeout || *o.maxRecoveryTimeout >= o.recoveryTimeout,
         "maxRecoveryTimeout");
    note(wrong, o.recoveryJitter >= 0.0 && o.recoveryJitter <= 1.0, "recoveryJitter");
    note(wrong, within(o.successThreshold, 1, 65535), "successThreshold");
    note(wrong, within(o.halfOpenLimit, 1, 255), "halfOpenLimit");
    note(wrong, !o.probeTimeout || *o.probeTimeout > zero, "probeTimeout");
    note(wrong, o.requestTimeout > zero, "requestTimeout");
    note(wrong, within(o.shards, 0, 1024), "shards");
    note(wrong, !o.tags.contains(""), "tags");
    const bool canDetect = o.requestTimeout != kForever && o.measureLatency;
    note(wrong, !o.detectOverdue || canDetect, "detectOverdue");
    note(wrong, o.measureLatency || !decidesOnSlowness, "measureLatency");
    return wrong;
}

/// Makes or changes a breaker: it works if nothing is wrong, else a field that is wrong is named.
template <class Act>
bool works(const Wrong& wrong, Act act) {
    try {
        act();
    } catch (const ConfigError& error) {
        const std::string_view text = error.what();
        demand(!wrong.empty(), "refused, though nothing is wrong", text);
        const bool named = std::ranges::any_of(wrong, [&](const std::string& field) {
            return text.find(field + " is ") != text.npos ||
                   (field == "empty list" && text.find("an empty list") != text.npos);
        });
        demand(named, "the complaint names no field that is wrong", text);
        demand(text.find("; allowed: ") != text.npos, "the complaint allows nothing", text);
        return false;
    }
    demand(wrong.empty(), "not refused", wrong.empty() ? "" : wrong.front());
    return true;
}

void use(Breaker& breaker, ManualClock& clock, Bytes& bytes, std::vector<Breaker::Permit>& held) {
    switch (bytes.byte() % 16) {
        case 0: return clock.advance(anyDuration(bytes));
        case 1:
            if (const auto rest = breaker.retryAfter()) clock.advance(*rest);
            return;
        case 2: return breaker.open();
        case 3: {
            const Nanoseconds wait = anyDuration(bytes);
            Wrong wrong;
            note(wrong, wait > Nanoseconds{0}, "wait");
            works(wrong, [&] { breaker.open(wait); });
            return;
        }
        case 4: return breaker.close();
        case 5: return breaker.setMode(static_cast<ControlMode>(bytes.byte() % 4));
        case 6: {
            auto permit = breaker.tryAcquire();
            (void)permit.report(static_cast<Outcome>(bytes.byte() % 4), anyDuration(bytes));
            return;
        }
        case 7: return held.push_back(breaker.tryAcquire());
        case 8:
            if (!held.empty()) held.pop_back();
            return;
        case 9: {
            AnyPolicy next = anyPolicy(bytes, 1);
            CircuitBreakerOptions options = anyOptions(bytes);
            Wrong wrong = wrongIn(options, next.decidesOnSlowness);
            wrong.insert(wrong.end(), next.wrong.begin(), next.wrong.end());
            // The number of counters stays.
            options.shards = breaker.options().shards;
            std::erase(wrong, "shards");
            works(wrong, [&] { breaker.reconfigure(next.policy, options); });
            return;
        }
        case 10: {
            const Breaker other{"fuzzed", breaker.policy(), breaker.options(), clock,
                                breaker.exportState()};
            demandInvariants(other.stats());
            return;
        }
        default:
            for (int i = bytes.byte() % 16; i >= 0; --i) {
                auto permit = breaker.tryAcquire();
                (void)(bytes.chance() ? permit.success() : permit.failure());
            }
    }
}

}  // namespace

void fuzzOptions(Input input) {
    Bytes bytes{input};
    const AnyPolicy any = anyPolicy(bytes, 2);
    const CircuitBreakerOptions options = anyOptions(bytes);
    const std::string name = bytes.byte() % 16 == 15 ? "" : "fuzzed";
    Wrong wrong = wrongIn(options, any.decidesOnSlowness);
    wrong.insert(wrong.end(), any.wrong.begin(), any.wrong.end());
    note(wrong, !name.empty(), "name");
    demand(!toString(any.policy).empty() && !toString(options).empty(), "without words");
    demand(validate(any.policy).has_value() == !any.wrong.empty(), "validate(policy)");

    ManualClock clock;
    if (bytes.chance()) clock.set(ManualClock::time_point{anyDuration(bytes)});
    std::unique_ptr<Breaker> breaker;
    const bool made = works(
        wrong, [&] { breaker = std::make_unique<Breaker>(name, any.policy, options, clock); });
    if (!made) return;
    std::vector<Breaker::Permit> held;
    for (int i = 0; i < 60 && !bytes.empty(); ++i) {
        use(*breaker, clock, bytes, held);
        demandInvariants(breaker->stats());
    }
    held.clear();
    // Whatever happened, it can be closed and used.
    breaker->setMode(ControlMode::Automatic);
    breaker->close();
    auto permit = breaker->tryAcquire();
    demand(static_cast<bool>(permit), "a closed breaker rejects");
    demand(permit.success() == ReportResult::Recorded, "a success is not recorded");
    demand(breaker->stats().probesInFlight == 0, "a permit is lost");
}

}  // namespace fusebox::test
