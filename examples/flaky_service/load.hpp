// SPDX-License-Identifier: MIT
// Eight callers that ask the service over and over, and what each call was like for its caller.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "script.hpp"
#include "service_client.hpp"

namespace flaky {

inline constexpr int kCallers = 8;

enum class Answer { Success, Failure, Rejected };

[[nodiscard]] Answer answerOf(const Response& response);

struct Sample {
    nanoseconds start;  ///< since the script began
    nanoseconds latency;
    Answer answer;

    [[nodiscard]] nanoseconds end() const { return start + latency; }
};

/// How a caller asks: directly, or through a breaker.
using Call = std::function<Response(ServiceClient&)>;

class Load {
public:
    /// Connects the callers, one after the other: a burst could overflow the backlog of 5 with
    /// which httplib listens. They do not call yet.
    Load(int port, Call call);
    ~Load() { stopped_ = true; }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Calls from `zero`, when the script begins, until it is `length` old. Once only.
    void start(Clock::time_point zero, nanoseconds length);

    /// The calls that ended since the last time it was asked.
    [[nodiscard]] std::vector<Sample> takeSamples();

    /// Waits for the last calls; throws what a caller threw.
    void finish();

private:
    void callRepeatedly(unsigned caller, Clock::time_point zero, nanoseconds length);

    Call call_;
    std::vector<std::unique_ptr<ServiceClient>> clients_;
    std::atomic<bool> stopped_{false};
    std::mutex mutex_;
    std::vector<Sample> samples_;
    std::vector<std::future<void>> callers_;  // last, so that they end before what they use
};

}  // namespace flaky
