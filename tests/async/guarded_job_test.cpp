// SPDX-License-Identifier: MIT
// When a job runs, when it is retried, skipped or given up, and what is counted.
#include "fusebox/async/guarded_job.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::ManualClock;
using fusebox::test::waitUntil;

namespace {

constexpr GuardedJobOptions kExact{
    .interval = 1min, .jitter = 0.0, .maxRetries = 3, .retryDelay = 1s, .maxRetryDelay = 3s};

/// A breaker whose time stands still, and a job that fails when it is told to.
struct JobRig {
    explicit JobRig(int threshold = 100, GuardedJobOptions options = kExact)
        : breaker{"backend", ConsecutiveFailures{threshold}, {.recoveryTimeout = 10s}, clock},
          job{breaker,
              [this] {
                  ++calls;
                  if (failing) throw std::runtime_error{"no route"};
              },
              options} {}

    int calls = 0;
    bool failing = false;
    ManualClock clock;
    CircuitBreaker<ManualClock, ConsecutiveFailures> breaker;
    GuardedJob job;
};

bool addsUp(const JobStats& stats) {
    return stats.runs == stats.successes + stats.failures + (stats.retrying ? 1 : 0);
}

}  // namespace

TEST_CASE("A job that succeeds comes again after the interval") {
    JobRig rig;
    CHECK(rig.job.attempt() == 1min);
    CHECK(rig.job.attempt() == 1min);
    const JobStats stats = rig.job.stats();
    CHECK(stats.runs == 2);
    CHECK(stats.successes == 2);
    CHECK(stats.retries == 0);
    CHECK_FALSE(stats.retrying);
    CHECK(stats.lastSuccess);
    CHECK_FALSE(stats.lastFailure);
    CHECK(stats.lastError.empty());
    CHECK(rig.breaker.stats().totalSuccesses == 2);
}

TEST_CASE("A run that fails is retried with growing waits, as often as allowed") {
    JobRig rig;
    rig.failing = true;
    CHECK(rig.job.attempt() == 1s);
    CHECK(rig.job.stats().retrying);
    CHECK(rig.job.stats().failures == 0);
    CHECK(rig.job.attempt() == 2s);
    CHECK(rig.job.attempt() == 3s);  // The bound.
    CHECK(rig.job.attempt() == 1min);
    JobStats stats = rig.job.stats();
    CHECK(rig.calls == 4);
    CHECK(stats.runs == 1);
    CHECK(stats.failures == 1);
    CHECK(stats.retries == 3);
    CHECK_FALSE(stats.retrying);
    CHECK(stats.lastError == "no route");
    CHECK(stats.lastFailure);

    // The next run begins anew, and a retry that succeeds ends it.
    CHECK(rig.job.attempt() == 1s);
    rig.failing = false;
    CHECK(rig.job.attempt() == 1min);
    stats = rig.job.stats();
    CHECK(stats.runs == 2);
    CHECK(stats.successes == 1);
    CHECK(stats.failures == 1);
    CHECK(stats.retries == 4);
}

TEST_CASE("Without retries a failed run waits for the next one") {
    GuardedJobOptions options = kExact;
    options.maxRetries = 0;
    JobRig rig{100, options};
    rig.failing = true;
    CHECK(rig.job.attempt() == 1min);
    CHECK(rig.job.stats().failures == 1);
}

TEST_CASE("While the breaker is open runs are skipped, and recovery goes through the job") {
    JobRig rig{2};
    rig.failing = true;
    CHECK(rig.job.attempt() == 1s);
    CHECK(rig.job.attempt() == 2s);
    CHECK(rig.breaker.isOpen());
    // The breaker rejects the retry: the run is over, and was no skipped one.
    CHECK(rig.job.attempt() == 1min);
    JobStats stats = rig.job.stats();
    CHECK(stats.runs == 1);
    CHECK(stats.failures == 1);
    CHECK(stats.retries == 1);
    CHECK(stats.skipped == 0);

    CHECK(rig.job.attempt() == 1min);
    CHECK(rig.job.attempt() == 1min);
    CHECK(rig.job.stats().skipped == 2);
    CHECK(rig.job.stats().runs == 1);
    CHECK(rig.calls == 2);

    rig.clock.advance(10s);
    rig.failing = false;
    CHECK(rig.job.attempt() == 1min);
    CHECK(rig.job.attempt() == 1min);
    CHECK(rig.breaker.state() == CircuitState::Closed);
    stats = rig.job.stats();
    CHECK(stats.runs == 3);
    CHECK(stats.successes == 2);
    CHECK(addsUp(stats));
}

TEST_CASE("Jitter draws waits around the interval and around the delay") {
    GuardedJobOptions options = kExact;
    options.jitter = 0.5;
    JobRig rig{1'000'000, options};
    bool within = true;
    bool differs = false;
    auto last = rig.job.attempt();
    for (int i = 0; i < 100; ++i) {
        const auto wait = rig.job.attempt();
        within = within && wait >= 30s && wait <= 90s;
        differs = differs || wait != last;
        last = wait;
    }
    CHECK(within);
    CHECK(differs);
    rig.failing = true;
    const auto retry = rig.job.attempt();
    CHECK(retry >= 500ms);
    CHECK(retry <= 1500ms);
}

TEST_CASE("What a job returns is judged as by execute") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{100}};
    bool fails = true;
    GuardedJob codes{
        breaker,
        [&] { return fails ? std::make_error_code(std::errc::io_error) : std::error_code{}; },
        kExact};
    CHECK(codes.attempt() == 1s);
    CHECK(codes.stats().lastError == "the result was judged a failure");
    fails = false;
    CHECK(codes.attempt() == 1min);

    GuardedJob statuses{
        breaker,
        judgedBy([] { return 502; },
                 [](int status) { return status >= 500 ? Outcome::Failure : Outcome::Success; }),
        kExact};
    CHECK(statuses.attempt() == 1s);

    GuardedJob values{breaker, [] { return false; }, kExact};
    CHECK(values.attempt() == 1min);
    CHECK(breaker.stats().totalFailures == 2);
    CHECK(breaker.stats().totalSuccesses == 2);
}

TEST_CASE("An exception fails the run, whatever it says to the breaker") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{100}};
    GuardedJob neutral{
        breaker,
        judgedBy([] { throw std::invalid_argument{"bad row"}; }, ignoring<std::invalid_argument>()),
        kExact};
    CHECK(neutral.attempt() == 1s);
    CHECK(neutral.stats().lastError == "bad row");
    CHECK(breaker.stats().totalIgnored == 1);
    CHECK(breaker.stats().totalFailures == 0);
    GuardedJob odd{breaker, [] { throw 42; }, kExact};
    CHECK(odd.attempt() == 1s);
    CHECK_THAT(odd.stats().lastError, ContainsSubstring("not derived from std::exception"));
    GuardedJob wordy{breaker, [] { throw std::runtime_error{std::string(1000, 'x')}; }, kExact};
    CHECK(wordy.attempt() == 1s);
    CHECK(wordy.stats().lastError == std::string(127, 'x'));
    // A breaker further in is one more reason to fail, not to skip.
    CircuitBreaker inner{"inner"};
    inner.open();
    GuardedJob nested{breaker, [&] { inner.execute([] {}); }, kExact};
    CHECK(nested.attempt() == 1s);
    CHECK(nested.stats().skipped == 0);
}

TEST_CASE("A job may take its deadline, and one that comes late is done") {
    ManualClock clock;
    CircuitBreaker breaker{"b", ConsecutiveFailures{100}, {.requestTimeout = 5s}, clock};
    std::chrono::nanoseconds left{};
    GuardedJob job{breaker,
                   [&](const CallContext& call) {
                       left = call.remaining();
                       clock.advance(6s);
                   },
                   kExact};
    CHECK(job.attempt() == 1min);
    CHECK(left == 5s);
    CHECK(job.stats().successes == 1);
    CHECK(breaker.stats().totalTimeouts == 1);
#if FUSEBOX_HAS_STOP_TOKEN
    CircuitBreaker steady{"s", {.requestTimeout = 1h}};
    bool possible = false;
    GuardedJob stoppable{
        steady, [&](std::stop_token deadline) { possible = deadline.stop_possible(); }, kExact};
    CHECK(stoppable.attempt() == 1min);
    CHECK(possible);
#endif
}

TEST_CASE("A job keeps its breaker by handle, or finds it by name") {
    auto handle = std::make_shared<CircuitBreaker<>>("kept");
    const std::weak_ptr<CircuitBreaker<>> watch = handle;
    {
        GuardedJob job{std::move(handle), [owned = std::make_unique<int>(7)] { return *owned; }};
        job.attempt();
        CHECK_FALSE(watch.expired());
        CHECK(job.stats().successes == 1);
    }
    CHECK(watch.expired());
    GuardedJob named{"job by name", [] {}};
    named.attempt();
    CHECK(circuitBreakerRegistry().view("job by name")->stats().totalSuccesses == 1);
}

TEST_CASE("A started job runs again and again, retries, and no more once stopped") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{1'000'000}};
    std::atomic<int> calls{0};
    GuardedJob job{breaker,
                   [&] {
                       if (++calls % 3 != 0) throw std::runtime_error{"not yet"};
                   },
                   {.interval = 100us, .maxRetries = 2, .retryDelay = 0s}};
    job.start();
    job.start();  // It does so already.
    CHECK(waitUntil([&] { return job.stats().successes >= 5; }));
    job.stop();
    job.stop();
    const JobStats stats = job.stats();
    CHECK(stats.retries >= 2 * stats.successes);
    CHECK_FALSE(stats.retrying);
    CHECK(addsUp(stats));
    std::this_thread::sleep_for(5ms);
    CHECK(job.stats() == stats);
    job.start();
    CHECK(waitUntil([&] { return job.stats().successes > stats.successes; }));
}

TEST_CASE("A job runs at once if asked to, else after an interval") {
    CircuitBreaker breaker{"b"};
    GuardedJob later{breaker, [] {}, {.interval = 1h}};
    later.start();
    GuardedJob atOnce{breaker, [] {}, {.interval = 1h, .runAtStart = true}};
    atOnce.start();
    CHECK(waitUntil([&] { return atOnce.stats().successes == 1; }));
    CHECK(later.stats().runs == 0);
}

TEST_CASE("A job that waits, for its interval or for a retry, stops at once") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{1'000'000}};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) {
        GuardedJob waiting{breaker, [] {}, {.interval = 1h}};
        waiting.start();
        if (i % 2 == 0) waiting.stop();
        CHECK(waiting.stats().runs == 0);

        GuardedJob retrying{
            breaker,
            [] { throw std::runtime_error{"down"}; },
            {.interval = 1h, .retryDelay = 1h, .maxRetryDelay = 1h, .runAtStart = true}};
        retrying.start();
        REQUIRE(waitUntil([&] { return retrying.stats().retrying; }));
        retrying.stop();
        const JobStats stats = retrying.stats();
        CHECK(stats.runs == 1);
        CHECK(stats.failures == 1);
        CHECK(stats.retries == 0);
        CHECK_FALSE(stats.retrying);
    }
    CHECK(std::chrono::steady_clock::now() - begin < 10min);
}

TEST_CASE("A job may stop itself: the run it left is over when it starts again") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{1'000'000}};
    GuardedJob* self = nullptr;
    std::atomic<int> calls{0};
    GuardedJob job{breaker,
                   [&] {
                       ++calls;
                       self->stop();
                       throw std::runtime_error{"down"};
                   },
                   {.interval = 1h, .retryDelay = 0s, .runAtStart = true}};
    self = &job;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        job.start();
        REQUIRE(waitUntil([&] { return job.stats().runs == i && job.stats().retrying; }));
        CHECK(job.stats().failures == i - 1);
    }
    job.stop();
    CHECK(job.stats().failures == 3);
    CHECK(calls == 3);
}

TEST_CASE("A job is called by one thread at a time, whoever starts, stops and attempts") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{1'000'000}};
    int inside = 0;  // Not atomic: a sanitizer would see two threads.
    bool alone = true;
    std::uint64_t calls = 0;
    GuardedJob job{breaker,
                   [&] {
                       alone = alone && ++inside == 1;
                       ++calls;
                       --inside;
                       if (calls % 2 == 0) throw std::runtime_error{"down"};
                   },
                   {.interval = 10us, .retryDelay = 10us, .runAtStart = true}};
    std::vector<std::thread> threads;
    threads.reserve(4);
    std::atomic<bool> consistent{true};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 150; ++i) {
                switch ((i + t) % 4) {
                    case 0: job.start(); break;
                    case 1: job.stop(); break;
                    case 2: job.attempt(); break;
                    case 3: consistent = consistent && addsUp(job.stats()); break;
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    job.stop();
    const JobStats stats = job.stats();
    CHECK(alone);
    CHECK(consistent);
    CHECK(stats.runs + stats.retries == calls);
    CHECK(addsUp(stats));
}

TEST_CASE("Options of a job that cannot work are refused") {
    CircuitBreaker breaker{"b"};
    const auto complaint = [&](GuardedJobOptions options) {
        CHECK_THROWS_AS((GuardedJob{breaker, [] {}, options}), ConfigError);
        return validate(options).value_or("");
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THAT(complaint({.interval = 0s}), ContainsSubstring("interval is 0 ns; allowed: a"));
    CHECK_THAT(complaint({.interval = kForever}), ContainsSubstring("interval is never"));
    CHECK_THAT(complaint({.jitter = nan}), ContainsSubstring("jitter is"));
    CHECK_THAT(complaint({.jitter = 1.5}), ContainsSubstring("jitter is 1.5; allowed: a number"));
    CHECK_THAT(complaint({.maxRetries = -1}),
               ContainsSubstring("maxRetries is -1; allowed: 0 to 1000"));
    CHECK_THAT(complaint({.retryDelay = -1s}), ContainsSubstring("retryDelay is -1 s; allowed: a"));
    CHECK_THAT(complaint({.retryDelay = 2min}),
               ContainsSubstring("maxRetryDelay is 1 min; allowed: a duration from retryDelay"));
    CHECK_THAT(complaint({.retryBackoff = 0.5}),
               ContainsSubstring("retryBackoff is 0.5; allowed: a number from 1 to 1000"));
    CHECK_THAT(complaint({.retryBackoff = nan}), ContainsSubstring("retryBackoff is"));
    CHECK_THAT(complaint({.maxRetryDelay = kForever}), ContainsSubstring("maxRetryDelay is never"));
    CHECK_FALSE(validate(GuardedJobOptions{}));
}

TEST_CASE("Waits of the longest options overflow nowhere") {
    CircuitBreaker breaker{"b", ConsecutiveFailures{100'000}};
    GuardedJob job{breaker,
                   [] { throw std::runtime_error{"down"}; },
                   {.interval = detail::kLongestPace,
                    .jitter = 1.0,
                    .maxRetries = 1000,
                    .retryDelay = 0s,
                    .retryBackoff = 1000.0,
                    .maxRetryDelay = detail::kLongestPace}};
    bool none = true;
    for (int i = 0; i < 1000; ++i) none = job.attempt() == 0s && none;
    CHECK(none);
    CHECK(job.attempt() <= 2 * detail::kLongestPace);
    CHECK(job.stats().failures == 1);
    job.start();  // Waits for up to two years.
}
