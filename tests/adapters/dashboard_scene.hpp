// SPDX-License-Identifier: MIT
// A day in the life of a dozen breakers, for screenshots of the dashboard.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/fusebox.hpp"

namespace fusebox::test {

/// Gives the page an hour that never was: a screenshot does not wait for one. To be run in the page
/// before it begins.
inline constexpr const char* kMadeUpHour = R"(
    const ask = window.fetch;
    const hour = {
      'card-vault': [58, 49, 34, 21, 20.5, 9, 8.6, 1.2],
      'recommendations': [55, 54.6, 47, 46, 44, 43.5, 30, 29, 27, 12, 11.3, 6, 5.2, 3],
      'search-cluster': [38, 36.5],
      'shipping-rates': [52, 51.4, 17, 16.2],
      'geo-lookup': [24, 23.2],
    };
    const states = ['OPEN', 'CLOSED'];
    const past = (minutes) => new Date(Date.now() - 60000 * minutes).toISOString();
    window.fetch = async (...words) => {
      const answer = await ask(...words);
      if (words[0] !== 'events/history') return answer;
      const history = await answer.json();
      for (const breaker of history.circuitBreakers) {
        const changes = (hour[breaker.name] ?? []).flatMap((minutes, i) => {
          const change = { time: past(minutes), state: states[i % 2], mode: 'AUTOMATIC',
            reason: i % 2 ? 'PROBES_SUCCEEDED' : 'POLICY_TRIPPED' };
          const probing = { ...change, time: past(minutes + 0.4), state: 'HALF_OPEN', reason: 'WAIT_ELAPSED' };
          return i % 2 ? [probing, change] : [change];
        });
        const first = { ...breaker.changes[0], time: past(60) };
        breaker.changes = [first, ...changes, ...breaker.changes.slice(1)];
      }
      return new Response(JSON.stringify(history));
    };
)";

/// Breakers of a shop, with calls that succeed, fail and take their time.
class DashboardScene {
public:
    DashboardScene() {
        using namespace std::chrono_literals;
        add("payments-api", "team=checkout", 0.02, 42);
        add("card-vault", "team=checkout", 0.7, 120).recovers = 50s;
        add("inventory-db", "team=stock", 0.01, 6);
        add("search-cluster", "team=discovery", 0.12, 75);
        add("recommendations", "team=discovery", 0.9, 210).recovers = 8s;
        add("mail-gateway", "team=letters", 0.0, 160);
        add("geo-lookup", "team=delivery", 0.03, 11);
        add("shipping-rates", "team=delivery", 0.25, 95);
        add("fraud-scoring", "team=risk", 0.05, 33);
        add("session-cache", "team=core", 0.0, 0.4);
        add("currency-feed", "team=core", 0.0, 18);
        add("<script>alert(1)</script>", "team=core", 0.0, 4);
        for (Subject& subject : subjects_) {
            subject.breaker = registry_.create(
                subject.name,
                FailureRate{.threshold = 0.5, .minimumCalls = 10, .window = lastCalls(50)},
                {.recoveryTimeout = subject.recovers,
                 .tags = {{"team", subject.team.substr(subject.team.find('=') + 1)}}});
        }
        registry_.view("currency-feed")->setMode(ControlMode::ForcedClosed);
        registry_.view("fraud-scoring")->setMode(ControlMode::Shadow);
    }

    [[nodiscard]] CircuitBreakerRegistry& registry() { return registry_; }

    /// Calls them for that long.
    void play(std::chrono::seconds howLong) {
        using namespace std::chrono_literals;
        const auto end = std::chrono::steady_clock::now() + howLong;
        while (std::chrono::steady_clock::now() < end) {
            for (Subject& subject : subjects_) call(subject);
            ++round_;
            std::this_thread::sleep_for(60ms);
        }
    }

private:
    struct Subject {
        std::string name{};
        std::string team{};
        double failing = 0;
        double milliseconds = 0;
        std::chrono::nanoseconds recovers = std::chrono::seconds{30};
        std::shared_ptr<NamedCircuitBreaker> breaker{};
    };

    Subject& add(std::string name, std::string team, double failing, double milliseconds) {
        return subjects_.emplace_back(
            Subject{std::move(name), std::move(team), failing, milliseconds});
    }

    void call(Subject& subject) {
        if (chance_(random_) < subject.failing) {
            try {
                subject.breaker->execute(
                    [] { throw std::runtime_error{"connection refused by 10.0.3.17:5432"}; });
            } catch (const std::exception&) {
                // The breaker's or its own: it is counted.
            }
            return;
        }
        const double wave = 1 + 0.5 * std::sin(round_ / 40.0 + subject.milliseconds);
        const double took = subject.milliseconds * wave * spread_(random_);
        const std::chrono::nanoseconds elapsed{static_cast<std::int64_t>(took * 1e6)};
        (void)subject.breaker->tryAcquire().report(Outcome::Success, elapsed);
    }

    CircuitBreakerRegistry registry_;
    std::vector<Subject> subjects_;
    std::mt19937 random_{7};
    std::uniform_real_distribution<> chance_{0, 1};
    std::lognormal_distribution<> spread_{0, 0.35};
    int round_ = 0;
};

}  // namespace fusebox::test
