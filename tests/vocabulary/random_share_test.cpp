// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/detail/random_share.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>

#include "support/catch.hpp"

using fusebox::detail::RandomShare;

TEST_CASE("The mixing is that of SplitMix64, number by number") {
    // The first five of the seed 1234567, as published with the generator.
    std::uint64_t state = 1234567;
    for (const std::uint64_t expected :
         {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
          16408922859458223821U}) {
        state += 0x9e3779b97f4a7c15U;
        CHECK(fusebox::detail::splitMix64(state) == expected);
    }
}

TEST_CASE(
    "Random shares are at least 0 and below 1, as often from each part of it, and do not come "
    "back") {
    // At an address with few bits, which must not leave few numbers.
    struct alignas(4096) Aligned {
        RandomShare random;
    };
    const auto generator = std::make_unique<Aligned>();
    constexpr std::size_t kDraws = 16'000;
    std::set<double> seen;
    std::array<int, 16> parts{};
    for (std::size_t i = 0; i < kDraws; ++i) {
        const double share = generator->random.draw();
        REQUIRE((share >= 0.0 && share < 1.0));
        seen.insert(share);
        ++parts[static_cast<std::size_t>(share * 16)];
    }
    CHECK(seen.size() == kDraws);
    for (const int draws : parts) {
        // A thousand, and twelve times the deviation that chance brings.
        CHECK(draws > 620);
        CHECK(draws < 1380);
    }
}
