// SPDX-License-Identifier: MIT
// A value that is replaced at every step of its reading, and read at every step of its replacing.
#include "fusebox/vocabulary/detail/latched.hpp"

#include <array>
#include <cstdint>
#include <numeric>

#include "support/catch.hpp"
#include "support/other_thread.hpp"

using fusebox::detail::Latched;
using fusebox::test::OtherThread;
using fusebox::test::SteppedPlatform;

namespace {

using Value = std::array<std::uint64_t, 6>;

Value valueOf(std::uint64_t n) {
    Value value;
    std::iota(value.begin(), value.end(), 100 * n);
    return value;
}

}  // namespace

TEST_CASE("A value that is replaced while it is read is read whole") {
    const int replacements = GENERATE(1, 2, 3, 4);
    for (int step = 0;; ++step) {
        Latched<Value, SteppedPlatform> latched{valueOf(0)};
        OtherThread::actBeforeStep(step, [&] {
            for (int n = 1; n <= replacements; ++n) latched.store(valueOf(std::uint64_t(n)));
        });
        const Value value = latched.load();
        if (!OtherThread::acted()) break;
        CHECK(value == valueOf(value[0] / 100));
        CHECK(latched.load() == valueOf(std::uint64_t(replacements)));
    }
}

TEST_CASE("Who reads a value while it is replaced gets the one before, and does not wait") {
    for (int step = 0;; ++step) {
        Latched<Value, SteppedPlatform> latched{valueOf(0)};
        latched.store(valueOf(1));
        Value value = valueOf(9);
        OtherThread::actBeforeStep(step, [&] { value = latched.load(); });
        latched.store(valueOf(2));
        if (!OtherThread::acted()) break;
        CHECK(value == valueOf(1));
        CHECK(latched.load() == valueOf(2));
    }
}
