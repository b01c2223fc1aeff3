// SPDX-License-Identifier: MIT
// A text that a breaker is restored from: refused in a sentence, or a breaker that works and says
// the same again.
//
// The input is the text, after one byte that chooses the policy and what happens next.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/targets.hpp"

namespace fusebox::test {
namespace {

using Breaker = CircuitBreaker<ManualClock, AnyTripPolicy>;
using Fields = std::map<std::string, std::string, std::less<>>;

Fields fieldsOf(std::string_view text) {
    Fields fields;
    while (!text.empty()) {
        const std::size_t size = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, size);
        text.remove_prefix(std::min(size + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t equals = line.find('=');
        if (equals == line.npos) continue;
        fields.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return fields;
}

/// What must come back as it was given: not the wait, which went on, nor what follows from it.
bool keeps(std::string_view field) {
    return field.starts_with("total") || field.starts_with("times") || field == "listenerErrors" ||
           field == "mode" || field == "name" || field.ends_with("windowCalls");
}

/// 007 and 7 are the same number.
std::string_view significant(std::string_view value) {
    while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
    return value;
}

void use(Breaker& breaker, ManualClock& clock, std::uint8_t how) {
    for (int i = 0; i < 8; ++i) {
        if (how / 8 % 2 == 1) {
            if (const auto rest = breaker.retryAfter()) clock.advance(*rest);
        }
        auto permit = breaker.tryAcquire();
        if (how / 16 % 4 == 3) breaker.open();
        (void)((how >> (i % 8)) % 2 == 1 ? permit.success() : permit.failure());
        clock.advance(std::chrono::seconds{how % 32});
        demandInvariants(breaker.stats());
    }
}

}  // namespace

void fuzzSavedState(Input input) {
    Bytes bytes{input};
    const std::uint8_t how = bytes.byte();
    const std::string text = bytes.rest();
    const AnyTripPolicy policies[] = {ConsecutiveFailures{3},
                                      FailureRate{.minimumCalls = 2, .window = lastCalls(10)},
                                      FailureCount{3, std::chrono::seconds{60}}, Cusum{}};
    CircuitBreakerOptions options;
    options.recoveryBackoff = how % 2 == 1 ? 2.0 : 1.0;
    ManualClock clock;
    std::unique_ptr<Breaker> breaker;
    try {
        breaker = std::make_unique<Breaker>("fuzzed", policies[how % 4], options, clock, text);
    } catch (const ConfigError& error) {
        const std::string_view sentence = error.what();
        demand(sentence.find("circuit breaker \"fuzzed\"") != sentence.npos &&
                   sentence.find("; allowed: ") != sentence.npos,
               "a complaint that is none", sentence);
        demand(sentence.find('\n') == sentence.npos && sentence.size() < 2000,
               "a complaint that is no line", sentence);
        return;
    }
    demandInvariants(breaker->stats());
    const std::string saved = breaker->exportState();
    const Fields given = fieldsOf(text);
    for (const auto& [field, value] : fieldsOf(saved)) {
        if (!keeps(field)) continue;
        const auto was = given.find(field);
        demand(was != given.end(), "a field that was not given", field);
        if (field == "name") continue;
        demand(significant(was->second) == significant(value), "a field that changed", field);
    }
    // What it says can be read, and says the same again but for the moment.
    const Breaker again{"fuzzed", policies[how % 4], options, clock, saved};
    Fields first = fieldsOf(saved);
    Fields second = fieldsOf(again.exportState());
    // The rest of a wait goes on, and with it the time that the breaker is open.
    for (const char* moment : {"savedAt", "remainingWait", "timeOpen"}) {
        first.erase(moment);
        second.erase(moment);
    }
    // A wait may have ended meanwhile.
    if (first["state"] == second["state"]) demand(first == second, "another state", saved);
    // Totals near 2^64 start again at 0, and no longer add up.
    if (breaker->stats().totalCalls < std::uint64_t{1} << 62) use(*breaker, clock, how);
}

}  // namespace fusebox::test
