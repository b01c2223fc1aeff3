// SPDX-License-Identifier: MIT
// Callers of the flaky service, each with a connection of its own, and what they note.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "drills/evidence.hpp"
#include "drills/outage.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "service_client.hpp"

namespace fusebox::test {

/// What the events of one breaker say: of transitions, and to each call how it ended.
class Witness {
public:
    /// Listens while it lives.
    explicit Witness(NamedCircuitBreaker& breaker);

    [[nodiscard]] std::vector<SeenTransition> transitions() const {
        const std::lock_guard lock{mutex_};
        return transitions_;
    }

    /// The call that this thread is in.
    static SeenCall*& presentCall() noexcept {
        thread_local SeenCall* call = nullptr;
        return call;
    }

private:
    void note(const StateChanged& event);

    mutable std::mutex mutex_;
    std::vector<SeenTransition> transitions_;
    std::vector<Subscription> subscriptions_;
};

/// Asks again and again, with pauses, on a thread of its own while it lives.
class Caller {
public:
    /// Connects. Throws std::runtime_error if there is no answer.
    Caller(int port, NamedCircuitBreaker& breaker, const Outage& outage, std::uint32_t seed)
        : breaker_(breaker), outage_(outage), client_(port), random_(seed) {}

    void start() {
        thread_ = std::jthread{[this](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                call();
                pause();
            }
        }};
    }
    void finish() { thread_.request_stop(); }

    /// Calls that have ended.
    [[nodiscard]] int calls() const { return calls_; }
    /// Of those, the ones that got an answer.
    [[nodiscard]] int answers() const { return answers_; }
    /// When its thread has ended.
    [[nodiscard]] const std::deque<SeenCall>& records() {
        if (thread_.joinable()) thread_.join();
        return records_;
    }

private:
    void call();
    void pause();
    [[nodiscard]] flaky::Response ask(SeenCall& record);

    NamedCircuitBreaker& breaker_;
    const Outage& outage_;
    flaky::ServiceClient client_;
    std::mt19937 random_;
    std::deque<SeenCall> records_;
    std::atomic<int> calls_{0};
    std::atomic<int> answers_{0};
    std::jthread thread_;
};

}  // namespace fusebox::test
