// SPDX-License-Identifier: MIT
#include "fusebox/window/sharded_counters.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "fusebox/window/thread_number.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/other_thread.hpp"

using fusebox::detail::ShardedCounters;
using fusebox::detail::Tally;

namespace {

/// Runs `action` on as many threads at once.
template <class Action>
void together(int threads, Action action) {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back(action);
}

/// As many threads count until they have met on a shard.
void crowd(ShardedCounters<>& counters, ShardedCounters<>::Tag tag,
           std::atomic<std::uint64_t>& sum) {
    together(4, [&] {
        while (counters.size() == 1) {
            for (int i = 0; i < 1000; ++i) sum += counters.addSuccess(tag);
        }
    });
}

}  // namespace

TEST_CASE("There are as many shards as was asked for, or as there are cores, in powers of two") {
    using fusebox::detail::shardCount;
    using fusebox::detail::shardCountOf;
    CHECK(shardCount(1) == 1);
    CHECK(shardCount(2) == 2);
    CHECK(shardCount(3) == 4);
    CHECK(shardCount(17) == 32);
    CHECK(shardCount(0) == shardCountOf(std::thread::hardware_concurrency()));
    CHECK(shardCountOf(0) == 1);  // not known
    CHECK(shardCountOf(1) == 1);
    CHECK(shardCountOf(2) == 2);
    CHECK(shardCountOf(3) == 4);
    CHECK(shardCountOf(9) == 16);
    CHECK(shardCountOf(16) == 16);
    CHECK(shardCountOf(17) == 16);
    CHECK(shardCountOf(1'000) == 16);
}

TEST_CASE("There is one shard while one thread counts, or threads never meet") {
    std::mutex mutex;
    ShardedCounters<> counters{8, mutex};
    int counted = 0;
    for (int i = 0; i < 100'000; ++i) counted += counters.addSuccess(0);
    CHECK(counted == 100'000);
    counters.addAlone(Tally::Rejected);
    // One after the other.
    for (int i = 0; i < 4; ++i) {
        std::thread{[&] {
            counters.addSuccess(0);
            counters.addAlone(Tally::Rejected);
        }}.join();
    }
    CHECK(counters.size() == 1);
    CHECK(counters.sum() == 100'004);
    CHECK(counters.total(Tally::Rejected) == 5);
}

namespace {

struct SteppedShards : fusebox::test::SteppedPlatform {
    static constexpr std::uint64_t kLooks = 0xFF8;
};
using SteppedCounters = ShardedCounters<SteppedShards>;

/// Another thread counts between this one's load and its compare-exchange.
void meet(SteppedCounters& counters) {
    constexpr int kLoadsBefore = 3;
    fusebox::test::OtherThread::actBeforeStep(kLoadsBefore, [&] { counters.addSuccess(0); });
    counters.addSuccess(0);
}

}  // namespace

TEST_CASE("A thread that finds another at its count spreads at once") {
    std::mutex mutex;
    SteppedCounters counters{4, mutex};
    meet(counters);
    CHECK(fusebox::test::OtherThread::acted());
    CHECK(counters.size() == 4);
    CHECK(counters.sum() == 2);
}

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

TEST_CASE("Shards are given back with their counters") {
    std::mutex mutex;
    fusebox::detail::numberThisThread();  // registers a destructor, once
    std::size_t held = 0;
    std::size_t left = 0;
    fusebox::test::allocations().heldBytes = 0;
    (void)fusebox::test::allocationsIn([&] {
        {
            SteppedCounters counters{4, mutex};
            meet(counters);
            held = fusebox::test::allocations().heldBytes;
        }
        left = fusebox::test::allocations().heldBytes;
    });
    CHECK(held >= 4 * fusebox::detail::kCacheLine);
    CHECK(left == 0);
}

#endif

TEST_CASE("Once threads meet on a shard there are as many as was asked for, and none is lost") {
    std::mutex mutex;
    ShardedCounters<> counters{8, mutex};
    std::atomic<std::uint64_t> counted{0};
    crowd(counters, 0, counted);
    CHECK(counters.size() == 8);
    CHECK(counters.sum() == counted);

    together(4, [&] {
        for (int i = 0; i < 10'000; ++i) counters.addSuccess(0);
    });
    CHECK(counters.sum() == counted + 40'000);
}

namespace {

constexpr int kCountsUntilALook = 4088;
constexpr int kTurns = 16;
constexpr int kBoth = kCountsUntilALook + kTurns;

/// Two threads count by turns, each with the shard to itself while it does, at last; at first only
/// one does. No count fails, so that only a look around tells them of each other.
/// @param begin called by each with its place, 0 or 1, before all else.
template <class Count, class Begin>
void countByTurns(Count count, Begin begin) {
    std::atomic<int> turn{0};
    const auto callerOf = [&](int parity) {
        return std::jthread{[&, parity] {
            begin(parity);
            for (int i = 0; parity == 0 && i < kCountsUntilALook; ++i) count();
            for (int mine = parity; mine < kTurns; mine += 2) {
                while (turn.load() != mine) std::this_thread::yield();
                count();
                turn.store(mine + 1);
            }
        }};
    };
    const std::jthread one = callerOf(0);
    const std::jthread other = callerOf(1);
}
template <class Count>
void countByTurns(Count count) {
    countByTurns(count, [](int) {});
}

/// Counts, and remembers whether the one who counted last did so on the shard of the one before.
class WatchedCount {
public:
    explicit WatchedCount(ShardedCounters<>& counters) : counters_(counters) {}

    void operator()() {
        counters_.addSuccess(0);
        const void* const mine = &counters_.mine();
        shared_ = last_.exchange(mine) == mine;
    }
    [[nodiscard]] bool shared() const { return shared_; }

private:
    ShardedCounters<>& counters_;
    std::atomic<bool> shared_{false};
    std::atomic<const void*> last_{nullptr};
};

}  // namespace

TEST_CASE("Threads spread that share a shard in turns, and so never get into each other's way") {
    std::mutex mutex;
    ShardedCounters<> counters{2, mutex};
    countByTurns([&] { counters.addSuccess(0); });
    CHECK(counters.size() == 2);
    CHECK(counters.sum() == kBoth);
}

TEST_CASE("Threads spread that share a tally in turns") {
    std::mutex mutex;
    ShardedCounters<> counters{2, mutex};
    countByTurns([&] { counters.addAlone(Tally::Rejected); });
    CHECK(counters.size() == 2);
    CHECK(counters.total(Tally::Rejected) == kBoth);
}

TEST_CASE("A third thread finds a shard of its own, though it never gets into another's way") {
    std::mutex mutex;
    ShardedCounters<> counters{4, mutex};
    countByTurns([&] { counters.addSuccess(0); });
    REQUIRE(counters.size() == 4);
    // Neither of these has a number yet: both begin on the first of the new shards.
    WatchedCount count{counters};
    countByTurns([&] { count(); });
    CHECK_FALSE(count.shared());
    CHECK(counters.sum() == 2 * kBoth);
}

TEST_CASE("Two threads that are left over from three find a shard each") {
    std::mutex mutex;
    ShardedCounters<> counters{2, mutex};
    std::atomic<int> numbered{0};
    const auto numberAs = [&](int place) {
        while (numbered != place) std::this_thread::yield();
        fusebox::detail::numberThisThread();
        ++numbered;
    };
    std::thread between{[&] {
        numberAs(1);
        while (numbered != 3) std::this_thread::yield();
    }};
    WatchedCount count{counters};
    countByTurns([&] { count(); },
                 [&](int place) {
                     numberAs(2 * place);
                     if (place == 1) between.join();
                 });
    CHECK(counters.size() == 2);
    CHECK_FALSE(count.shared());
    CHECK(counters.sum() == kBoth);
}

TEST_CASE("A success that looks around is not for the fast path") {
    std::mutex mutex;
    ShardedCounters<> counters{2, mutex};
    int refused = 0;
    for (int i = 0; i < kBoth; ++i) {
        if (counters.tryAddSuccess(0)) continue;
        ++refused;
        CHECK(counters.addSuccess(0));
    }
    CHECK(refused == 8);
    CHECK(counters.sum() == kBoth);
    CHECK(counters.size() == 1);
}

TEST_CASE("A success of another epoch is not counted on the fast path") {
    std::mutex mutex;
    ShardedCounters<> counters{2, mutex};
    counters.enter(1);
    CHECK_FALSE(counters.tryAddSuccess(0));
    CHECK_FALSE(counters.tryAddSuccess(2));
    CHECK(counters.sum() == 0);
    CHECK(counters.tryAddSuccess(1));
    CHECK(counters.sum() == 1);
}

TEST_CASE("Threads that meet on a tally spread, too") {
    std::mutex mutex;
    ShardedCounters<> counters{2, mutex};
    std::atomic<std::uint64_t> counted{0};
    together(4, [&] {
        while (counters.size() == 1) {
            for (int i = 0; i < 1000; ++i) counters.addAlone(Tally::Rejected);
            counted += 1000;
        }
    });
    CHECK(counters.total(Tally::Rejected) == counted);
}

TEST_CASE("Where one shard was asked for there is never another") {
    std::mutex mutex;
    ShardedCounters<> counters{1, mutex};
    together(4, [&] {
        for (int i = 0; i < 20'000; ++i) counters.addSuccess(0);
    });
    CHECK(counters.size() == 1);
    CHECK(counters.sum() == 80'000);
}

TEST_CASE("While the mutex is busy threads go on sharing a shard") {
    std::mutex mutex;
    ShardedCounters<> counters{4, mutex};
    {
        const std::lock_guard busy{mutex};
        together(4, [&] {
            for (int i = 0; i < 20'000; ++i) counters.addSuccess(0);
        });
        CHECK(counters.size() == 1);
        CHECK(counters.sum() == 80'000);
    }
    std::atomic<std::uint64_t> counted{0};
    crowd(counters, 0, counted);
    CHECK(counters.size() == 4);
    CHECK(counters.sum() == 80'000 + counted);
}

TEST_CASE("New shards are in the epoch of the first: what is older counts nowhere") {
    std::mutex mutex;
    ShardedCounters<> counters{4, mutex};
    counters.addSuccess(0);
    {
        const std::lock_guard lock{mutex};
        CHECK(counters.enter(7) == 1);
    }
    std::atomic<std::uint64_t> counted{0};
    crowd(counters, 7, counted);
    std::atomic<std::uint64_t> late{0};
    together(8, [&] { late += counters.addSuccess(0); });
    CHECK(late == 0);
    CHECK(counters.sum() == 1 + counted);

    const std::lock_guard lock{mutex};
    CHECK(counters.enter(8) == 1 + counted);
    CHECK_FALSE(counters.addSuccess(7));
    CHECK(counters.addSuccess(8));
}

TEST_CASE("Successes of an epoch that ends while threads spread are counted in it or nowhere") {
    for (int round = 0; round < 20; ++round) {
        std::mutex mutex;
        ShardedCounters<> counters{4, mutex};
        std::atomic<std::uint64_t> counted{0};
        std::atomic<int> epoch{0};
        std::uint64_t lost = 0;
        {
            std::vector<std::jthread> callers;
            for (int i = 0; i < 3; ++i) {
                callers.emplace_back([&] {
                    for (int n = 0; n < 3000; ++n) {
                        const auto tag = static_cast<std::uint16_t>(epoch.load());
                        counted += counters.addSuccess(tag);
                    }
                });
            }
            std::uint64_t last = 0;
            for (int next = 1; next <= 200; ++next) {
                const std::lock_guard lock{mutex};
                const std::uint64_t base = counters.enter(static_cast<std::uint16_t>(next));
                lost += base < last;
                last = base;
                epoch = next;
            }
        }
        CHECK(lost == 0);
        CHECK(counters.sum() == counted);
    }
}

TEST_CASE("Every bit of an epoch tells it from others, and costs no count") {
    std::mutex mutex;
    ShardedCounters<> counters{1, mutex};
    counters.addSuccess(0);
    for (int bit = 0; bit < 16; ++bit) {
        const auto tag = static_cast<ShardedCounters<>::Tag>(1U << bit);
        CHECK_FALSE(counters.addSuccess(tag));
        {
            const std::lock_guard lock{mutex};
            counters.enter(tag);
        }
        CHECK(counters.addSuccess(tag));
        CHECK_FALSE(counters.addSuccess(0));
        CHECK(counters.sum() == static_cast<std::uint64_t>(bit) + 2);
    }
}

TEST_CASE("Clearing keeps the calls in flight, on every shard") {
    std::mutex mutex;
    ShardedCounters<> counters{4, mutex};
    counters.add(Tally::Begun, 2);
    std::atomic<std::uint64_t> counted{0};
    crowd(counters, 0, counted);
    counters.add(Tally::Begun, 5);
    counters.add(Tally::Ended, 1);
    counters.add(Tally::Rejected, 9);

    const std::lock_guard lock{mutex};
    counters.clear(3);
    CHECK(counters.sum() == 0);
    CHECK(counters.total(Tally::Rejected) == 0);
    CHECK(counters.total(Tally::Begun) == 7);
    CHECK(counters.total(Tally::Ended) == 1);
    CHECK(counters.addSuccess(3));
}
