// SPDX-License-Identifier: MIT
// A breaker does what the model says, whatever is done with it.
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/policy/slow_call_rate.hpp"
#include "reference/walks.hpp"
#include "support/catch.hpp"

using namespace fusebox;
using namespace fusebox::test;

namespace {

template <class Policy>
void check(std::uint64_t seed, std::uint64_t operations) {
    Census census;
    const std::string found = walkAbout<Policy>(seed, operations, 60, census);
    INFO(found);
    CHECK(found.empty());
    CHECK(census.operations > operations / 2);
    CHECK(census.openings > census.stories / 2);
    CHECK(census.closings > census.stories / 10);
}

}  // namespace

TEST_CASE("A-H 1-46: every operation on a breaker of any policy, beside the model") {
    check<AnyTripPolicy>(1, 1'500'000);
}

TEST_CASE("A-H 1-46: every operation on a breaker of one policy, beside the model") {
    check<SlowCallRate>(2, 500'000);
}
