// SPDX-License-Identifier: MIT
// Each call has a deadline: it can ask how much is left, it can be stopped, and being late counts
// as a timeout.

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

using namespace std::chrono_literals;

namespace {

/// Stands for a socket, libcurl or gRPC: it waits no longer than it is told.
class Connection {
public:
    explicit Connection(fusebox::test::ManualClock clock) : clock_(clock) {}

    void open(std::chrono::nanoseconds timeout) { wait(800ms, timeout); }
    std::string read(std::chrono::nanoseconds timeout) {
        wait(latency, timeout);
        return "data";
    }

    std::chrono::nanoseconds latency = 100ms;

private:
    void wait(std::chrono::nanoseconds needed, std::chrono::nanoseconds timeout) {
        clock_.advance(needed < timeout ? needed : timeout + 1ms);
        if (needed >= timeout) throw std::runtime_error{"the socket timed out"};
    }

    fusebox::test::ManualClock clock_;
};

}  // namespace

int main() {
    fusebox::test::ManualClock clock;
    Connection connection{clock};
    fusebox::CircuitBreaker breaker{
        "database", fusebox::ConsecutiveFailures{}, {.requestTimeout = 1s}, clock};

    // [remaining]
    const auto query = [&](const fusebox::CallContext& call) {
        connection.open(call.remaining());         // All of the second,
        return connection.read(call.remaining());  // and then what is left of it.
    };
    fmt::print("{}\n", breaker.execute(query));
    // [/remaining]

    // [late]
    connection.latency = 10s;
    std::string cause;
    try {
        breaker.execute(query);
    } catch (const fusebox::CallTimeoutError& error) {
        // The call knew its deadline and missed it; what it threw is nested.
        fmt::print("{}\n", error.what());
        try {
            std::rethrow_if_nested(error);
        } catch (const std::exception& nested) {
            cause = nested.what();
        }
    }
    // [/late]

    // [late_value]
    // A value that comes late counts as a timeout and still reaches the caller.
    const auto late = breaker.execute([&] {
        clock.advance(3s);
        return std::string{"better late"};
    });
    fmt::print("{}; {} timeouts\n", late, breaker.stats().totalTimeouts);
    // [/late_value]

    // [stop_token]
    std::mutex mutex;
    std::condition_variable_any arrived;
    bool ready = false;
    fusebox::CircuitBreaker reports{"reports", {.requestTimeout = 50ms}};
    const bool got = reports.execute([&](std::stop_token deadline) {
        std::unique_lock lock{mutex};
        // Until there is a report, or the stop that is requested at the deadline.
        arrived.wait(lock, deadline, [&] { return ready; });
        return ready;
    });
    fmt::print("{}, {} timeout\n", got ? "a report" : "no report", reports.stats().totalTimeouts);
    // [/stop_token]
    if (got || reports.stats().totalTimeouts != 1) return 1;
    return cause == "the socket timed out" && breaker.stats().totalTimeouts == 2 ? 0 : 1;
}
