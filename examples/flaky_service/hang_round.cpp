// SPDX-License-Identifier: MIT

#include "hang_round.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "interrupt.hpp"
#include "latency.hpp"
#include "load.hpp"

namespace flaky {
namespace {

constexpr int kNewcomers = 60;

/// The server hangs while this lives. Callers must outlive it: they may wait until it is gone.
class Hanging {
public:
    explicit Hanging(const ServerProcess& server) : server_{server} { server_.hang(); }
    Hanging(const Hanging&) = delete;
    Hanging& operator=(const Hanging&) = delete;
    ~Hanging() {
        try {
            server_.heal();
        } catch (const std::exception& error) {
            fmt::print(stderr, "{}\n", error.what());
        }
    }

private:
    const ServerProcess& server_;
};

/// The first `kCallers` at once, then one after the other.
Clock::time_point arrivalOf(int number, Clock::time_point zero) {
    return zero + std::max(number - kCallers + 1, 0) * kArrivalGap;
}

Response ask(const Caller& caller, Breaker& breaker) {
    try {
        return caller(breaker);
    } catch (const fusebox::CallTimeoutError&) {
        return {};  // No answer in time.
    }
}

Sample askAt(Clock::time_point arrival, Clock::time_point zero, const Caller& caller,
             Breaker& breaker) {
    std::this_thread::sleep_until(arrival);
    const auto start = Clock::now();
    const Response response = ask(caller, breaker);
    return {start - zero, Clock::now() - start, answerOf(response)};
}

/// One call each, while the server hangs.
std::vector<Sample> askHungServer(const ServerProcess& server, const std::vector<Caller>& callers,
                                  Breaker& breaker, Clock::time_point zero) {
    std::vector<std::future<Sample>> calls;
    {
        const Hanging hanging{server};
        for (int i = 0; const Caller& caller : callers) {
            calls.push_back(std::async(std::launch::async, askAt, arrivalOf(i++, zero), zero,
                                       std::cref(caller), std::ref(breaker)));
        }
        sleepUntil(zero + kHang);
    }
    std::vector<Sample> samples;
    for (auto& call : calls) samples.push_back(call.get());
    return samples;
}

/// Through a breaker of its own, which does not mind a busy machine.
void requireAnswer(const ServerProcess& server, const Form& form) {
    Breaker breaker{"healthy-service", {.requestTimeout = 10s}};
    const Response response = ask(form.connect(server.port()), breaker);
    if (response.status == 200) return;
    throw std::runtime_error{fmt::format("{}: no answer from the healthy server", form.name)};
}

HangResult summarizeHang(const Form& form, const std::vector<Sample>& samples,
                         std::optional<nanoseconds> opened) {
    HangResult result{
        .form = form.name, .spares = form.spares, .longest = Latencies{samples}.longest()};
    result.rejected =
        static_cast<std::size_t>(std::ranges::count(samples, Answer::Rejected, &Sample::answer));
    if (!opened) return result;
    result.toOpen = *opened - std::ranges::min(samples, {}, &Sample::start).start;
    std::vector<Sample> later;
    std::ranges::copy_if(samples, std::back_inserter(later),
                         [&](const Sample& sample) { return sample.start > *opened; });
    if (!later.empty()) result.longestOnceOpen = Latencies{later}.longest();
    return result;
}

}  // namespace

HangResult hang(const ServerProcess& server, const Form& form) {
    requireAnswer(server, form);
    constexpr auto kNever = Clock::time_point::max();
    std::atomic<Clock::time_point> opened{kNever};
    // Five failures in a row open it, and for a minute: there is no probe while the server hangs.
    Breaker breaker{"hung-service",
                    {.requestTimeout = kHangDeadline,
                     .onOpen = [&] { opened = Clock::now(); },
                     .detectOverdue = form.detectOverdue}};

    std::vector<Caller> callers;
    for (int i = 0; i < kCallers + kNewcomers; ++i) callers.push_back(form.connect(server.port()));
    const int reachedBefore = server.requestsReached()[indexOf(Phase::Hangs)];
    const auto zero = Clock::now() + 50ms;  // When all the threads are there.
    const auto samples = askHungServer(server, callers, breaker, zero);

    const auto when = opened.load();
    HangResult result = summarizeHang(
        form, samples, when == kNever ? std::nullopt : std::optional<nanoseconds>{when - zero});
    result.reached = server.requestsReached()[indexOf(Phase::Hangs)] - reachedBefore;
    return result;
}

}  // namespace flaky
