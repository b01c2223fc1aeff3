// SPDX-License-Identifier: MIT
// A GraphQL client, for which "200 OK" may be a failure, and a streamer that sends batch after
// batch and knows when to go on after a rejection.

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::FailureCount;
using fusebox::test::ManualClock;

// [judging]
struct GraphqlReply {
    int status = 200;
    std::string data{};
    std::vector<std::string> errors{};
};

template <>
struct fusebox::OutcomeTraits<GraphqlReply> {
    /// GraphQL says "200" and lists errors. A query that makes no sense is our own mistake.
    static Outcome classify(const GraphqlReply& reply) {
        if (reply.status >= 500) return Outcome::Failure;
        if (reply.status >= 400) return Outcome::Ignored;
        if (reply.errors.empty()) return Outcome::Success;
        return reply.errors.front() == "GRAPHQL_PARSE_FAILED" ? Outcome::Ignored : Outcome::Failure;
    }
};

template <>
struct fusebox::RejectionTraits<GraphqlReply> {
    /// A rejection is one more error in the list: callers have one thing to look at.
    static GraphqlReply make(const Rejection& rejection) {
        return {503, {}, {toString(rejection)}};
    }
};
// [/judging]

namespace {

/// Stands for the GraphQL endpoint: answers what it was told to.
class Endpoint {
public:
    explicit Endpoint(ManualClock clock) : clock_(std::move(clock)) {}

    GraphqlReply post(std::string_view) {
        ++asked;
        clock_.advance(latency);
        return next;
    }

    GraphqlReply next{};
    std::chrono::nanoseconds latency = 20ms;
    int asked = 0;

private:
    ManualClock clock_;
};

// [client]
template <class Breaker>
class GraphqlClient {
public:
    GraphqlClient(Endpoint& endpoint, std::shared_ptr<Breaker> breaker)
        : endpoint_(endpoint), breaker_(std::move(breaker)) {}

    /// Throws nothing of its own: how the call went is in the reply.
    GraphqlReply query(std::string_view text) {
        return breaker_->execute([&] { return endpoint_.post(text); });
    }

private:
    Endpoint& endpoint_;
    std::shared_ptr<Breaker> breaker_;
};
// [/client]

/// Stands for an API that takes events.
class EventApi {
public:
    int post(const std::vector<int>& batch) {
        ++asked;
        if (!up) return 502;
        if (batch.size() > 3) return 413;
        received += batch.size();
        return 202;
    }

    bool up = true;
    int asked = 0;
    std::size_t received = 0;
};

// [streamer]
template <class Breaker>
class BatchStreamer {
public:
    BatchStreamer(EventApi& api, std::shared_ptr<Breaker> breaker)
        : api_(api), breaker_(std::move(breaker)) {}

    void add(std::vector<int> batch) { backlog_.push_back(std::move(batch)); }

    /// Sends until nothing is left, or a call is rejected: then it says when to go on. A batch that
    /// failed is sent again at once; it is the breaker that ends this.
    std::optional<std::chrono::nanoseconds> send() {
        while (!backlog_.empty()) {
            auto permit = breaker_->tryAcquire();
            if (!permit) return permit.rejection().retryAfter;
            const int status = api_.post(backlog_.front());
            if (status >= 500) {
                permit.failure();
            } else if (status >= 400) {
                permit.ignore();  // The batch is at fault, and would be for ever.
                refused_.push_back(std::move(backlog_.front()));
                backlog_.pop_front();
            } else {
                permit.success();
                backlog_.pop_front();
            }
        }
        return std::nullopt;
    }

    std::size_t waiting() const { return backlog_.size(); }
    std::size_t refused() const { return refused_.size(); }

private:
    EventApi& api_;
    std::shared_ptr<Breaker> breaker_;
    std::deque<std::vector<int>> backlog_;
    std::vector<std::vector<int>> refused_;
};
// [/streamer]

void tryClient(Promises& promises, Endpoint& endpoint, auto breaker, ManualClock clock) {
    GraphqlClient client{endpoint, breaker};
    promises.check(client.query("{ hosts }").errors.empty(), "a query is answered");

    endpoint.next = {200, {}, {"GRAPHQL_PARSE_FAILED"}};
    for (int i = 0; i < 10; ++i) client.query("{ hosts");
    promises.check(breaker->stats().totalIgnored == 10, "a query with a typo is nobody's outage");

    endpoint.next = {200, {}, {"INTERNAL_SERVER_ERROR"}};
    for (int i = 0; i < 5; ++i) client.query("{ hosts }");
    promises.check(breaker->isOpen(), "five replies of 200 with errors open the circuit");

    endpoint.asked = 0;
    const GraphqlReply rejected = client.query("{ hosts }");
    fmt::print("{} {}\n", rejected.status, rejected.errors.front());
    promises.check(rejected.status == 503 && endpoint.asked == 0, "a rejection is a reply, too");

    clock.advance(5s);
    endpoint.next = {200, "[]", {}};
    client.query("{ hosts }");
    promises.check(breaker->state() == CircuitState::HalfOpen, "one success is not enough");
    client.query("{ hosts }");
    promises.check(breaker->state() == CircuitState::Closed, "two close the circuit");

    endpoint.latency = 31s;
    const GraphqlReply late = client.query("{ everything }");
    promises.check(late.data == "[]" && breaker->stats().totalTimeouts == 1,
                   "a reply after 31 s counts as a timeout and still arrives");
}

void tryStreamer(Promises& promises, auto breaker, ManualClock clock) {
    EventApi api;
    BatchStreamer streamer{api, breaker};
    for (int i = 0; i < 4; ++i) streamer.add({1, 2, 3});
    streamer.add({1, 2, 3, 4, 5});
    streamer.add({1, 2});

    api.up = false;
    const auto wait = streamer.send();
    promises.check(wait == 10s && api.asked == 3, "three failures, then wait for ten seconds");
    promises.check(streamer.waiting() == 6, "nothing is lost");

    api.up = true;
    // [resume]
    if (wait) clock.advance(*wait);  // Where time is real: a timer, not a sleeping thread.
    const auto again = streamer.send();
    // [/resume]
    promises.check(!again && streamer.waiting() == 0, "the rest goes out; its head is the probe");
    promises.check(api.received == 14 && streamer.refused() == 1, "but for what is too large");
    promises.check(breaker->state() == CircuitState::Closed, "two successes closed the circuit");
}

}  // namespace

int main() {
    Promises promises;
    ManualClock clock;
    fusebox::CircuitBreakerRegistry registry;

    // [breakers]
    using Breaker = fusebox::CircuitBreaker<ManualClock, FailureCount>;
    const auto graphql = std::make_shared<Breaker>(
        "graphql-api", FailureCount{.threshold = 5, .window = 60s},
        fusebox::CircuitBreakerOptions{
            .recoveryTimeout = 5s, .successThreshold = 2, .requestTimeout = 30s},
        clock);
    const auto events = std::make_shared<Breaker>(
        "event-api", FailureCount{.threshold = 3, .window = 60s},
        fusebox::CircuitBreakerOptions{
            .recoveryTimeout = 10s, .successThreshold = 2, .requestTimeout = 20s},
        clock);
    registry.add(graphql);
    registry.add(events);
    // [/breakers]

    Endpoint endpoint{clock};
    tryClient(promises, endpoint, graphql, clock);
    tryStreamer(promises, events, clock);

    // [report]
    for (const auto& stats : registry.getAllStats()) {
        const auto failed = stats.totalFailures + stats.totalTimeouts;
        const double share = stats.totalCalls == 0 ? 0.0
                                                   : 100.0 * static_cast<double>(failed) /
                                                         static_cast<double>(stats.totalCalls);
        fmt::print("{:<13}{:<8}{} calls, {:.0f} % failed, {} timeouts, {} ms on average\n",
                   stats.name, toString(stats.state), stats.totalCalls, share, stats.totalTimeouts,
                   stats.averageResponseTime.value_or(0ns) / 1ms);
    }
    // [/report]
    return promises.exitCode();
}
