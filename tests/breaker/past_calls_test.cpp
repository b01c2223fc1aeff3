// SPDX-License-Identifier: MIT
#include "fusebox/breaker/past_calls.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "support/catch.hpp"

using fusebox::Outcome;
using fusebox::PastCall;
using fusebox::detail::PastCalls;

TEST_CASE("The last calls are those of a list that forgets all but 32") {
    std::mt19937_64 random{7};
    PastCalls past;
    std::deque<PastCall> naive;
    const auto add = [&](PastCall call) {
        naive.push_back(call);
        if (naive.size() > PastCalls::kMost) naive.pop_front();
    };
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 3 == 0) {
            const std::uint64_t count = random() % 40;
            past.pushSuccesses(count);
            for (std::uint64_t n = 0; n < count; ++n) add({});
        } else {
            const PastCall call{static_cast<Outcome>(random() % 3), random() % 2 == 0};
            past.push(call);
            add(call);
        }
        const std::vector<PastCall> list = past.list();
        REQUIRE(list == std::vector<PastCall>(naive.begin(), naive.end()));
        if (i % 100 == 0) REQUIRE(PastCalls{list}.list() == list);
        if (random() % 500 == 0) {
            past = {};
            naive.clear();
        }
    }
}

TEST_CASE("Any number of successes leaves 32") {
    PastCalls past;
    past.push({Outcome::Failure, true});
    past.pushSuccesses(std::uint64_t{1} << 63);
    CHECK(past.list() == std::vector<PastCall>(32));
}

TEST_CASE("Calls in words are runs of calls that ended alike") {
    using fusebox::detail::toText;
    CHECK(toText(std::vector<PastCall>{}).empty());
    CHECK(toText(
              std::vector<PastCall>{{}, {}, {Outcome::Success, true}, {Outcome::Timeout, false}}) ==
          "2 SUCCESS, 1 slow SUCCESS, 1 TIMEOUT");
}
