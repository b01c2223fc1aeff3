// SPDX-License-Identifier: MIT

#include "load.hpp"

#include <random>
#include <thread>
#include <utility>

namespace flaky {

Answer answerOf(const Response& response) {
    if (response.rejected) return Answer::Rejected;
    const auto outcome = fusebox::OutcomeTraits<Response>::classify(response);
    return outcome == fusebox::Outcome::Success ? Answer::Success : Answer::Failure;
}

Load::Load(int port, Call call) : call_{std::move(call)} {
    for (int i = 0; i < kCallers; ++i) clients_.push_back(std::make_unique<ServiceClient>(port));
}

void Load::start(Clock::time_point zero, nanoseconds length) {
    for (unsigned i = 0; i < kCallers; ++i) {
        callers_.push_back(
            std::async(std::launch::async, &Load::callRepeatedly, this, i, zero, length));
    }
}

void Load::callRepeatedly(unsigned caller, Clock::time_point zero, nanoseconds length) {
    std::mt19937 random{caller};
    std::uniform_int_distribution<int> thinkTime{5'000, 10'000};  // microseconds
    while (Clock::now() - zero < length && !stopped_) {
        const auto start = Clock::now();
        const Response response = call_(*clients_[caller]);
        const auto latency = Clock::now() - start;
        {
            const std::lock_guard lock{mutex_};
            samples_.push_back({start - zero, latency, answerOf(response)});
        }
        std::this_thread::sleep_for(std::chrono::microseconds{thinkTime(random)});
    }
}

std::vector<Sample> Load::takeSamples() {
    const std::lock_guard lock{mutex_};
    return std::exchange(samples_, {});
}

void Load::finish() {
    for (auto& caller : callers_) caller.get();
}

}  // namespace flaky
