// SPDX-License-Identifier: MIT
#include "fusebox/window/last_calls_window.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

#include "support/catch.hpp"
#include "window/naive_windows.hpp"

using fusebox::CallCounts;
using fusebox::LastCallsWindow;
using fusebox::Window;
using fusebox::test::NaiveLastCalls;

namespace {

/// The window and its definition, told of the same calls.
class LastCallsPair {
public:
    explicit LastCallsPair(int span) : window_(span), naive_(static_cast<std::uint64_t>(span)) {}

    void record(bool failed, bool slow) {
        window_.record(++position_, failed, slow);
        naive_.add({{}, failed, slow});
    }
    void succeed(std::uint64_t count) {
        position_ += count;
        naive_.addSuccesses(count);
    }
    [[nodiscard]] CallCounts counts() const { return window_.counts(position_); }
    [[nodiscard]] bool agree() const { return counts() == naive_.counts(); }

private:
    LastCallsWindow window_;
    NaiveLastCalls naive_;
    std::uint64_t position_ = 0;
};

}  // namespace

TEST_CASE("The last N calls are counted exactly, whatever happens") {
    const int span = GENERATE(1, 2, 3, 10, 63, 64, 65, 99, 100, 128, 1000);
    const auto n = static_cast<std::uint64_t>(span);
    std::mt19937_64 random{static_cast<std::uint64_t>(span)};
    LastCallsPair pair{span};
    int differences = 0;
    for (int i = 0; i < 300'000; ++i) {
        // Healthy, sick and desperate phases in turn.
        const auto sickness = static_cast<std::uint64_t>(i / 5'000 % 3 * 45 + 5);
        const std::uint64_t choice = random() % 1000;
        if (choice == 0) {
            pair.succeed(n - 1 + random() % 3);
        } else if (choice == 1) {
            pair.succeed(random() % (3 * n));
        } else if (random() % 100 < sickness) {
            const bool failed = random() % 4 != 0;
            pair.record(failed, !failed || random() % 3 == 0);
        } else if (random() % 2 == 0) {
            pair.succeed(1);
        } else {
            pair.record(false, false);  // a policy may ask to be told of successes
        }
        differences += !pair.agree();
    }
    CHECK(differences == 0);
}

TEST_CASE("The largest window is as exact as a small one") {
    constexpr std::uint64_t kMost = Window::kMaxCalls;
    LastCallsPair pair{Window::kMaxCalls};
    bool agrees = true;
    for (std::uint64_t i = 0; i < kMost + 1'000; ++i) {
        pair.record(true, i % 2 == 0);
        if (i % 100'000 < 2 || i > kMost - 3) agrees = agrees && pair.agree();
    }
    CHECK(agrees);
    CHECK(pair.counts() == CallCounts{kMost, kMost, kMost / 2});
    pair.succeed(kMost - 1);
    CHECK(pair.agree());
    CHECK(pair.counts().failures == 1);
    pair.succeed(1);
    CHECK(pair.agree());
    CHECK(pair.counts() == CallCounts{kMost, 0, 0});
}

TEST_CASE("Marks do not come back after a gap of any length") {
    const int span = GENERATE(1, 10, Window::kMaxCalls);
    const std::uint64_t gap = GENERATE(std::uint64_t{1} << 30, std::uint64_t{1} << 31,
                                       std::uint64_t{1} << 32, std::uint64_t{1} << 62);
    LastCallsPair pair{span};
    for (std::uint64_t off : {0u, 1u, 2u}) {
        pair.record(true, true);
        pair.succeed(gap - off);
        CHECK(pair.agree());
        pair.record(false, true);
        CHECK(pair.agree());
        pair.record(true, false);
        CHECK(pair.agree());
    }
}

TEST_CASE("Windows stay exact while the positions pass 2^32") {
    LastCallsPair pair{50};
    pair.succeed((std::uint64_t{1} << 32) - 200);
    std::mt19937_64 random{5};
    int differences = 0;
    for (int i = 0; i < 400; ++i) {
        random() % 3 == 0 ? pair.record(true, random() % 2 == 0) : pair.succeed(1);
        differences += !pair.agree();
    }
    CHECK(differences == 0);
}

TEST_CASE("Entering anew forgets every call") {
    LastCallsWindow window{10};
    for (std::uint64_t position = 1; position <= 25; ++position) {
        window.record(position, true, true);
    }
    CHECK(window.counts(25) == CallCounts{10, 10, 10});
    window.enter();
    CHECK(window.counts(0) == CallCounts{0, 0, 0});
    window.record(3, true, false);
    CHECK(window.counts(3) == CallCounts{3, 1, 0});
    CHECK(window.counts(12) == CallCounts{10, 1, 0});
    CHECK(window.counts(13) == CallCounts{10, 0, 0});
}

TEST_CASE("A window adopts another unless a call that it holds has left the other") {
    const auto after = [](int span, std::uint64_t calls) {
        LastCallsWindow window{span};
        for (std::uint64_t position = 1; position <= calls; ++position) {
            window.record(position, position % 3 == 0, position % 2 == 0);
        }
        return window;
    };
    const int adopted = GENERATE(4, 130);
    for (const int span : {1, 2, 3, 4, 5, 9, 64, 65, 130, 131}) {
        for (std::uint64_t calls = 0; calls < static_cast<std::uint64_t>(adopted) * 3; ++calls) {
            CAPTURE(adopted, span, calls);
            LastCallsWindow window = after(span, 2);  // what it knew does not matter
            if (span > adopted && calls > static_cast<std::uint64_t>(adopted)) {
                CHECK_FALSE(window.adopt(after(adopted, calls)));
                CHECK(window.counts(2) == after(span, 2).counts(2));
                continue;
            }
            REQUIRE(window.adopt(after(adopted, calls)));
            LastCallsWindow expected = after(span, calls);
            // While they leave one after the other, each must stand where it stood.
            int differences = 0;
            for (std::uint64_t later = calls; later <= calls + 131; ++later) {
                differences += !(window.counts(later) == expected.counts(later));
            }
            window.record(calls + 1, false, true);
            expected.record(calls + 1, false, true);
            differences += !(window.counts(calls + 1) == expected.counts(calls + 1));
            CHECK(differences == 0);
        }
    }
}

TEST_CASE("A window that was entered anew has nothing that could be missing in a longer one") {
    LastCallsWindow window{2};
    for (std::uint64_t position = 1; position <= 5; ++position) window.record(position, true, true);
    window.enter();
    LastCallsWindow longer{3};
    CHECK(longer.adopt(window));
    CHECK(longer.counts(0) == CallCounts{0, 0, 0});
}

TEST_CASE("A size that validation refuses is held to the range") {
    LastCallsWindow window{-5};
    window.record(1, true, true);
    window.record(2, true, true);
    CHECK(window.counts(2) == CallCounts{1, 1, 1});
}
