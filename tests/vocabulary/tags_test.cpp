// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/tags.hpp"

#include "support/catch.hpp"

using fusebox::Tags;
using fusebox::detail::requireKeys;
using fusebox::detail::toText;

TEST_CASE("A tag without a key is refused, with its value") {
    CHECK_FALSE(requireKeys({}));
    CHECK_FALSE(requireKeys({{"team", ""}}));
    CHECK(requireKeys({{"team", "payments"}, {"", "lost"}}) ==
          "tags is a value without a key (\"lost\"); allowed: keys of at least one character");
}

TEST_CASE("Tags in words are sorted by their keys") {
    CHECK(toText(Tags{}).empty());
    CHECK(toText(Tags{{"team", "payments"}, {"region", "eu"}}) == "region=eu, team=payments");
}
