// SPDX-License-Identifier: MIT
TEST_CASE(
    "A test that "
    "is there") {}
