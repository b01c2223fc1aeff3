// SPDX-License-Identifier: MIT
// A-H: random operations on a breaker, compared step by step with the naive one.
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "breaker/naive_breaker.hpp"
#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;
using std::chrono::nanoseconds;

namespace {

/// The real breaker and the naive one, walked side by side.
class Walk {
public:
    Walk(const CircuitBreakerOptions& options, std::uint64_t seed)
        : rig_(options, ConsecutiveFailures{3}), naive_(3, options), random_(seed) {}

    /// Takes a step with both; empty if they agree, else what was done and what was seen.
    std::string step() {
        const std::string done = act();
        const Seen real = seenIn(rig_.stats());
        const Seen expected = naive_.look();
        visited_[static_cast<std::size_t>(real.state)] = true;
        if (real == expected && rig_.state() == expected.state && agreed_) return {};
        std::ostringstream text;
        text << done << "\nreal:  " << real << "\nnaive: " << expected;
        return text.str();
    }
    [[nodiscard]] bool sawEveryState() const { return visited_[0] && visited_[1] && visited_[2]; }

private:
    using Held = std::pair<Rig<>::Permit, NaiveBreaker::Call>;

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    std::string act() {
        const std::uint64_t dice = below(100);
        if (dice < 35) return acquire();
        if (dice < 70 && !held_.empty()) return end();
        if (dice < 80) return callAtOnce();
        if (dice < 94) return wait();
        return control();
    }

    std::string acquire() {
        auto permit = rig_.breaker.tryAcquire();
        const auto call = naive_.acquire();
        agreed_ = static_cast<bool>(permit) == call.has_value();
        if (permit && call && held_.size() < 12) {
            held_.emplace_back(std::move(permit), *call);
        } else if (call) {
            permit = {};
            naive_.report(*call, Outcome::Ignored, true);
        }
        return "acquire";
    }

    Outcome anyOutcome() {
        constexpr Outcome kMostlyFailing[] = {Outcome::Success, Outcome::Success, Outcome::Failure,
                                              Outcome::Failure, Outcome::Timeout, Outcome::Ignored};
        return kMostlyFailing[below(6)];
    }

    std::string end() {
        const auto which = static_cast<std::ptrdiff_t>(below(held_.size()));
        Held held = std::move(held_[static_cast<std::size_t>(which)]);
        held_.erase(held_.begin() + which);
        if (below(6) == 0) {
            held.first = {};
            naive_.report(held.second, Outcome::Ignored, true);
            return "cancel";
        }
        const Outcome outcome = anyOutcome();
        agreed_ = held.first.report(outcome) == naive_.report(held.second, outcome);
        return "report " + std::string{toString(outcome)};
    }

    /// Through execute: judged results, exceptions, classifiers that throw.
    std::string callAtOnce() {
        const Outcome outcome = anyOutcome();
        const auto call = naive_.acquire();
        if (call) naive_.report(*call, outcome);
        const bool throwing = below(2) == 0;
        const auto fn = [&] {
            if (throwing) throw std::runtime_error{"x"};
            return 1;
        };
        const auto decide = [&] {
            if (outcome == Outcome::Failure) throw std::logic_error{"classifier"};
            return outcome;
        };
        struct Both {
            const decltype(decide)& decided;
            Outcome operator()(int) const { return decided(); }
            Outcome operator()(const std::exception_ptr&) const { return decided(); }
        };
        try {
            (void)rig_.breaker.execute(judgedBy(fn, Both{decide}));
            agreed_ = call && !throwing;
        } catch (const CircuitOpenError&) {
            agreed_ = !call;
        } catch (const std::runtime_error&) {
            agreed_ = call && throwing;
        }
        return "execute " + std::string{toString(outcome)};
    }

    std::string wait() {
        constexpr nanoseconds kSteps[] = {0ns, 1ns, 1s, 3s, 5s, 5s + 1ns, 10s - 1ns, 10s, 20s, 1h};
        const nanoseconds step = kSteps[below(10)];
        rig_.clock.advance(step);
        naive_.advance(step);
        return "wait " + std::to_string(step.count());
    }

    std::string control() {
        switch (below(8)) {
            case 0:
                rig_.breaker.open();
                naive_.open(std::nullopt);
                return "open";
            case 1:
                rig_.breaker.open(3s);
                naive_.open(3s);
                return "open(3s)";
            case 2:
                rig_.breaker.close();
                naive_.close();
                return "close";
            case 3:
                rig_.breaker.reset();
                naive_.reset();
                return "reset";
            default: break;
        }
        constexpr ControlMode kModes[] = {ControlMode::Automatic, ControlMode::Automatic,
                                          ControlMode::ForcedOpen, ControlMode::ForcedClosed,
                                          ControlMode::Shadow};
        const ControlMode mode = kModes[below(5)];
        rig_.breaker.setMode(mode);
        naive_.setMode(mode);
        return "mode " + std::string{toString(mode)};
    }

    Rig<> rig_;
    NaiveBreaker naive_;
    std::mt19937_64 random_;
    std::vector<Held> held_{};
    bool agreed_ = true;
    bool visited_[3] = {};
};

void walk(const CircuitBreakerOptions& options) {
    constexpr std::uint64_t kWalks = fusebox::test::kSanitized ? 10 : 40;
    for (std::uint64_t seed = 1; seed <= kWalks; ++seed) {
        Walk walk{options, seed};
        std::string difference;
        int step = 0;
        for (; step < 2000 && difference.empty(); ++step) difference = walk.step();
        INFO("seed " << seed << ", step " << step);
        REQUIRE(difference == "");
        CHECK(walk.sawEveryState());
    }
}

}  // namespace

TEST_CASE("A-H 1-46: a random walk sees what the naive breaker says") {
    walk({.recoveryTimeout = 10s,
          .halfOpenLimit = 2,
          .probeTimeout = 5s,
          .requestTimeout = kForever});
}

TEST_CASE("A-H 1-46: with backoff, one probe at a time, and many successes to close") {
    walk({.recoveryTimeout = 10s,
          .recoveryBackoff = 2.0,
          .maxRecoveryTimeout = 65s,
          .successThreshold = 3,
          .halfOpenLimit = 1,
          .requestTimeout = kForever});
}

TEST_CASE("A-H 1-46: without latencies, where a success is one increment") {
    walk({.recoveryTimeout = 10s,
          .successThreshold = 1,
          .halfOpenLimit = 5,
          .probeTimeout = 3s,
          .measureLatency = false,
          .shards = 4});
}
