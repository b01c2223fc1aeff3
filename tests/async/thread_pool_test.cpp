// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "async/gate.hpp"
#include "fusebox/async/job.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "support/catch.hpp"

using namespace fusebox;
using fusebox::detail::Job;
using fusebox::test::Gate;

namespace {

std::string complaintAbout(int threads, int queueLimit) {
    try {
        const ThreadPool pool{threads, queueLimit};
    } catch (const ConfigError& error) {
        return error.what();
    }
    return {};
}

/// Counts how often it is alive.
class Counted {
public:
    explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    Counted(Counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
    ~Counted() { --*alive_; }

private:
    int* alive_;
};

}  // namespace

TEST_CASE("A job calls what it holds, small or large, once moved or often, and destroys it") {
    int alive = 0;
    int calls = 0;
    {
        Job small{[&calls, counted = Counted{alive}] { ++calls; }};
        Job large{[&calls, counted = Counted{alive}, room = std::array<char, 200>{}] {
            calls += 1 + room[0];
        }};
        Job owner{[&calls, one = std::make_unique<int>(1)] { calls += *one; }};
        CHECK(alive == 2);
        Job smallMoved{std::move(small)};
        Job largeMoved{std::move(large)};
        Job ownerMoved{std::move(owner)};
        smallMoved();
        largeMoved();
        ownerMoved();
        const std::function<void()> byName = [&calls] { ++calls; };
        Job copied{byName};
        copied();
    }
    CHECK(calls == 4);
    CHECK(alive == 0);
}

TEST_CASE("A pool runs what it is given, on threads of its own") {
    std::mutex mutex;
    std::vector<std::thread::id> ran;
    {
        ThreadPool pool{2, 100};
        CHECK(pool.threads() == 2);
        CHECK(pool.queueLimit() == 100);
        for (int i = 0; i < 50; ++i) {
            pool.execute([&, owned = std::make_unique<int>(i)] {
                const std::lock_guard lock{mutex};
                ran.push_back(std::this_thread::get_id());
            });
        }
        Gate last;
        while (!pool.tryExecute([&] { last.open(); })) std::this_thread::yield();
        last.wait();
        // The other thread may still be at it: the destructor waits for what runs, and drops what
        // waits; nothing does.
        while (pool.unfinished() > 0) std::this_thread::yield();
    }
    CHECK(ran.size() == 50);
    for (const auto id : ran) CHECK(id != std::this_thread::get_id());
}

TEST_CASE("A pool takes as many tasks as it has threads and places in its queue") {
    for (const int queueLimit : {0, 1, 3}) {
        Gate release;
        ThreadPool pool{2, queueLimit};
        int accepted = 0;
        while (pool.tryExecute([&] { release.wait(); })) ++accepted;
        CHECK(accepted == 2 + queueLimit);
        CHECK(pool.unfinished() == static_cast<std::size_t>(accepted));
        release.open();
        while (pool.unfinished() > 0) std::this_thread::yield();
        CHECK(pool.tryExecute([] {}));
    }
}

TEST_CASE("What a full pool refuses is destroyed, not called") {
    Gate release;
    int alive = 0;
    bool called = false;
    ThreadPool pool{1, 0};
    REQUIRE(pool.tryExecute([&] { release.wait(); }));
    CHECK_FALSE(pool.tryExecute([&called, counted = Counted{alive}] { called = true; }));
    CHECK(alive == 0);
    CHECK_FALSE(called);
    release.open();
}

TEST_CASE("execute waits for room") {
    Gate release;
    Gate ran;
    ThreadPool pool{1, 0};
    pool.execute([&] { release.wait(); });
    std::atomic<bool> passed{false};
    std::thread waiting{[&] {
        pool.execute([&] { ran.open(); });
        passed.store(true);
    }};
    const bool early = passed.load();
    release.open();
    ran.wait();
    waiting.join();
    CHECK_FALSE(early);
    CHECK(passed.load());
}

TEST_CASE("A pool that is destroyed drops what waits, and lets end what runs") {
    Gate started;
    Gate release;
    int alive = 0;
    bool ended = false;
    bool called = false;
    std::optional<ThreadPool> pool{std::in_place, 1, 10};
    pool->execute([&] {
        started.open();
        release.wait();
        ended = true;
    });
    started.wait();
    // Told of being dropped before the destructor waits for what runs.
    struct OpensAtTheEnd {
        Gate* gate;
        explicit OpensAtTheEnd(Gate& opened) : gate(&opened) {}
        OpensAtTheEnd(const OpensAtTheEnd&) = delete;
        OpensAtTheEnd& operator=(const OpensAtTheEnd&) = delete;
        OpensAtTheEnd(OpensAtTheEnd&& other) noexcept : gate(std::exchange(other.gate, nullptr)) {}
        ~OpensAtTheEnd() {
            if (gate) gate->open();
        }
    };
    pool->execute(
        [&called, counted = Counted{alive}, opens = OpensAtTheEnd{release}] { called = true; });
    pool.reset();
    CHECK(ended);
    CHECK_FALSE(called);
    CHECK(alive == 0);
}

TEST_CASE("A pool that cannot work says which field is wrong, and what is allowed") {
    CHECK(complaintAbout(0, 1) == "thread pool: threads is 0; allowed: 1 to 1024");
    CHECK(complaintAbout(1025, 1) == "thread pool: threads is 1025; allowed: 1 to 1024");
    CHECK(complaintAbout(1, -1) == "thread pool: queueLimit is -1; allowed: 0 to 1000000");
    CHECK(complaintAbout(1, 1'000'001) ==
          "thread pool: queueLimit is 1000001; allowed: 0 to 1000000");
    CHECK(complaintAbout(1, 0).empty());
}
