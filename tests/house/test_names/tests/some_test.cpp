// SPDX-License-Identifier: MIT
TEST_CASE(
    "A test that "
    "is there") {}

TEST_CASE("One of [0, 1)") {
    CHECK(true);
}

TEST_CASE("Half a name; the other half") {
    CHECK(true);
}
