// SPDX-License-Identifier: MIT
#include "fusebox/window/thread_number.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using fusebox::detail::numberThisThread;
using fusebox::detail::thisThreadNumber;
using fusebox::detail::ThreadNumbers;

TEST_CASE("Thread numbers are the smallest that are free") {
    const auto numbers = std::make_unique<ThreadNumbers>();
    for (std::uint32_t i = 0; i < 200; ++i) REQUIRE(numbers->take() == i);
    numbers->giveBack(130);
    numbers->giveBack(7);
    numbers->giveBack(64);
    CHECK(numbers->take() == 7);
    CHECK(numbers->take() == 64);
    CHECK(numbers->take() == 130);
    CHECK(numbers->take() == 200);
    for (std::uint32_t i = 0; i < 200; ++i) {
        numbers->giveBack(i);
        CHECK(numbers->take() == i);
    }
}

TEST_CASE("Who moves to a smaller number leaves its own to the next") {
    using fusebox::detail::OwnThreadNumber;
    auto first = std::make_unique<OwnThreadNumber>();
    OwnThreadNumber last;
    const std::uint32_t before = last.get();
    const std::uint32_t smaller = first->get();
    REQUIRE(smaller < before);
    last.closeUp();
    CHECK(last.get() == before);
    first.reset();
    last.closeUp();
    CHECK(last.get() == smaller);
    CHECK(OwnThreadNumber{}.get() == before);
}

TEST_CASE("Beyond the most, thread numbers are not used again") {
    const auto numbers = std::make_unique<ThreadNumbers>();
    for (std::uint32_t i = 0; i < ThreadNumbers::kMost; ++i) REQUIRE(numbers->take() == i);
    CHECK(numbers->take() == ThreadNumbers::kMost);
    numbers->giveBack(ThreadNumbers::kMost);
    CHECK(numbers->take() == ThreadNumbers::kMost + 1);
    numbers->giveBack(5);
    CHECK(numbers->take() == 5);
}

TEST_CASE("A thread has no number until it asks for one, and one that ends leaves it to the next") {
    numberThisThread();
    const std::uint32_t mine = thisThreadNumber();
    CHECK(mine != 0);
    std::set<std::uint32_t> seen;
    int without = 0;
    for (int i = 0; i < 50; ++i) {
        std::uint32_t number = 0;
        std::thread([&] {
            without += thisThreadNumber() == 0;
            numberThisThread();
            number = thisThreadNumber();
        }).join();
        seen.insert(number);
    }
    CHECK(without == 50);
    CHECK(seen.size() == 1);
    CHECK(seen.count(mine) == 0);
    CHECK(thisThreadNumber() == mine);
}

TEST_CASE("A number is taken below a limit, or none") {
    const auto numbers = std::make_unique<ThreadNumbers>();
    CHECK(numbers->takeBelow(0) == 0);
    for (std::uint32_t i = 0; i < 70; ++i) REQUIRE(numbers->take() == i);
    CHECK(numbers->takeBelow(70) == 70);
    CHECK(numbers->takeBelow(71) == 70);
    numbers->giveBack(66);
    CHECK(numbers->takeBelow(66) == 66);
    CHECK(numbers->takeBelow(69) == 66);
    CHECK(numbers->take() == 71);
}

TEST_CASE("A thread moves up to the number of one that has ended") {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::uint32_t later = 0;
    std::atomic<bool> numbered{false};
    std::atomic<bool> ended{false};
    std::thread one{[&] {
        numberThisThread();
        first = thisThreadNumber();
        numbered = true;
        numbered.notify_all();
        while (!ended) std::this_thread::yield();
    }};
    numbered.wait(false);
    std::thread two{[&] {
        numberThisThread();
        second = thisThreadNumber();
        ended = true;
        one.join();
        numberThisThread();
        later = thisThreadNumber();
        numberThisThread();
        later = thisThreadNumber() == later ? later : 0;
    }};
    two.join();
    CHECK(second > first);
    CHECK(later == first);
}

TEST_CASE("A thread gets the smallest number that is free, from 1") {
    using fusebox::detail::threadNumbers;
    const std::uint32_t free = threadNumbers.take();
    threadNumbers.giveBack(free);
    std::uint32_t number = 0;
    std::thread([&] {
        numberThisThread();
        number = thisThreadNumber();
    }).join();
    CHECK(number == free + 1);
}

TEST_CASE("Threads that live at once have different numbers") {
    constexpr int kThreads = 16;
    constexpr int kRounds = 200;
    const auto numbers = std::make_unique<ThreadNumbers>();
    std::vector<std::atomic<int>> owners(kThreads);
    std::atomic<int> clashes{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kRounds; ++i) {
                const std::uint32_t number = numbers->take();
                if (number >= kThreads || owners[number].fetch_add(1) != 0) ++clashes;
                std::this_thread::yield();
                if (number < kThreads) owners[number].fetch_sub(1);
                numbers->giveBack(number);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(clashes == 0);
}
