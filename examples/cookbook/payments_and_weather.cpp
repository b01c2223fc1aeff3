// SPDX-License-Identifier: MIT
// Breakers made from presets. Payments must not be lost: they wait while the provider is away.
// Weather is nice to have: without it the caller gets nothing and goes on.

#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;

namespace {

struct Payment {
    int id = 0;  ///< The provider charges each id once, however often it is sent.
    int cents = 0;
};

enum class Status { Charged, Declined, Queued };

/// Stands for the payment provider.
class Provider {
public:
    Status charge(const Payment& payment) {
        ++asked;
        if (!up) throw std::runtime_error{"no answer"};
        if (payment.cents > 100'000) return Status::Declined;
        charged.insert(payment.id);
        return Status::Charged;
    }

    bool up = true;
    int asked = 0;
    std::set<int> charged;
};

/// Stands for the weather service.
class WeatherService {
public:
    std::string at(std::string_view place) {
        ++asked;
        if (!up) throw std::runtime_error{"internal server error"};
        return fmt::format("{}: rain", place);
    }

    bool up = true;
    int asked = 0;
};

using Breaker = std::shared_ptr<fusebox::NamedCircuitBreaker>;

// [checkout]
class Checkout {
public:
    Checkout(Provider& provider, Breaker breaker)
        : provider_(provider), breaker_(std::move(breaker)) {}

    /// Charges now; queues the payment if the breaker rejects the call. A call that failed may have
    /// charged nevertheless, so failures are no reason to queue: they leave.
    Status pay(const Payment& payment) {
        return breaker_->execute([&] { return provider_.charge(payment); },
                                 fusebox::fallback([&](const fusebox::Rejection&) {
                                     queue_.push_back(payment);
                                     return Status::Queued;
                                 }));
    }

    /// Sends what waits, until it is done or rejected again.
    void sendQueued() {
        while (!queue_.empty()) {
            const Status status = breaker_->execute(
                [&] { return provider_.charge(queue_.front()); },
                fusebox::fallback([](const fusebox::Rejection&) { return Status::Queued; }));
            if (status == Status::Queued) return;
            queue_.pop_front();
        }
    }

    std::size_t queued() const { return queue_.size(); }

private:
    Provider& provider_;
    Breaker breaker_;
    std::deque<Payment> queue_;
};
// [/checkout]

// [weather]
/// Nothing if the service fails or is not asked: the caller goes on without.
std::optional<std::string> weatherAt(fusebox::NamedCircuitBreaker& breaker, WeatherService& service,
                                     std::string_view place) {
    return breaker.execute([&]() -> std::optional<std::string> { return service.at(place); },
                           fusebox::fallback([] { return std::nullopt; }));
}
// [/weather]

/// What a customer sees.
std::string show(Checkout& checkout, const Payment& payment) {
    try {
        switch (checkout.pay(payment)) {
            case Status::Charged: return "charged";
            case Status::Declined: return "declined";
            case Status::Queued: return "queued";
        }
    } catch (const std::exception& error) {
        return error.what();
    }
    return "unknown";
}

}  // namespace

int main() {
    Promises promises;
    fusebox::CircuitBreakerRegistry registry;

    // [presets]
    registry.definePreset("critical", fusebox::FailureRate{.threshold = 0.5, .minimumCalls = 10},
                          {.recoveryTimeout = 60s, .requestTimeout = 30s});
    registry.definePreset("optional", fusebox::FailureRate{.threshold = 0.3, .minimumCalls = 20},
                          {.recoveryTimeout = 120s, .requestTimeout = 15s});

    const auto payments = registry.createFromPreset("payments", "critical");
    // Each may differ in single fields.
    const auto weather = registry.createFromPreset(
        "weather", "optional",
        [](fusebox::BreakerPreset& preset) { preset.options.requestTimeout = 2s; });
    // [/presets]
    promises.check(weather->options().requestTimeout == 2s, "one field differs from the preset");
    promises.check(weather->options().recoveryTimeout == 120s, "the others are the preset's");

    Provider provider;
    Checkout checkout{provider, payments};
    int id = 0;
    for (int i = 0; i < 4; ++i) show(checkout, {++id, 1'999});
    const std::string declined = show(checkout, {++id, 250'000});
    promises.check(declined == "declined", "a declined card is an answer, not a failure");

    provider.up = false;
    for (int i = 0; i < 4; ++i) fmt::print("{}\n", show(checkout, {++id, 1'999}));
    promises.check(!payments->isOpen(), "nine calls are too few for a verdict");
    fmt::print("{}\n", show(checkout, {++id, 1'999}));
    promises.check(payments->isOpen(), "five failures of ten calls open the circuit");
    promises.check(payments->stats().failureRate == 0.5, "the statistics show the rate");

    provider.asked = 0;
    for (int i = 0; i < 3; ++i) fmt::print("{}\n", show(checkout, {++id, 1'999}));
    promises.check(checkout.queued() == 3 && provider.asked == 0, "payments are queued, unasked");
    checkout.sendQueued();
    promises.check(checkout.queued() == 3, "they stay queued while the circuit is open");

    provider.up = true;
    // [close]
    payments->close();  // The provider says that it is back: no need to wait for the probes.
    checkout.sendQueued();
    // [/close]
    promises.check(checkout.queued() == 0 && provider.charged.size() == 7, "then all are charged");

    WeatherService service;
    promises.check(weatherAt(*weather, service, "A1").has_value(), "the weather is known");
    service.up = false;
    for (int i = 0; i < 30; ++i) {
        if (weatherAt(*weather, service, "A1")) promises.check(false, "there is no weather");
    }
    promises.check(service.asked == 20, "after 20 calls nobody asks for the weather");

    for (const auto& stats : registry.getAllStats()) {
        fmt::print("{:<10}{:<8}{} calls, {} rejected; {}\n", stats.name, toString(stats.state),
                   stats.totalCalls, stats.totalRejected, stats.policy);
    }
    return promises.exitCode();
}
