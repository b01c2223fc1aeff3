// SPDX-License-Identifier: MIT
// What happens to breakers, in a log: spdlog with {fmt}'s formatters, and a line of JSON an event.
//
// needs: spdlog
// needs: nlohmann_json
#include <cstdio>
#include <exception>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <fusebox/exposition/format.hpp>
#include <fusebox/exposition/json.hpp>
#include <fusebox/fusebox.hpp>

namespace {

void fail(fusebox::NamedCircuitBreaker& breaker) {
    try {
        breaker.execute([] { throw std::runtime_error{"connection refused"}; });
    } catch (const std::exception&) {
    }
}

}  // namespace

int main() {
    std::ostringstream written;
    spdlog::logger log{"breakers", std::make_shared<spdlog::sinks::ostream_sink_mt>(written)};
    log.set_pattern("%l %v");
    fusebox::CircuitBreakerRegistry registry;

    // [spdlog]
    const auto changes =
        registry.on<fusebox::StateChanged>([&](const fusebox::StateChanged& event) {
            const bool opened = event.to == fusebox::CircuitState::Open;
            log.log(opened ? spdlog::level::warn : spdlog::level::info, "{}", event);
        });
    const auto failures = registry.on<fusebox::CallFailed>(
        [&](const fusebox::CallFailed& event) { log.error("{}", event); });
    // [/spdlog]

    // [json]
    const auto structured =
        registry.on<fusebox::StateChanged>([&](const fusebox::StateChanged& event) {
            log.info(fusebox::jsonText(nlohmann::ordered_json(event)));
        });
    // [/json]

    const auto breaker = registry.create("payments-api", fusebox::ConsecutiveFailures{2});
    for (int i = 0; i < 2; ++i) fail(*breaker);
    breaker->close();
    // [stats]
    log.info("{}", breaker->stats());       // In one line.
    log.debug("\n{:t}", breaker->stats());  // As a sheet.
    // [/stats]

    const std::string text = written.str();
    std::puts(text.c_str());
    const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
    return says("warning payments-api STATE_CHANGED: CLOSED -> OPEN (POLICY_TRIPPED)\n") &&
                   says("error payments-api CALL_FAILED: failed after") &&
                   says(R"("event":"STATE_CHANGED","breaker":"payments-api")") &&
                   says("info payments-api CLOSED: calls=2 successes=0 failures=2")
               ? 0
               : 1;
}
