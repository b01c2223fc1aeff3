// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/text.hpp"

#include <string>

#include "support/catch.hpp"

using fusebox::detail::escaped;
using fusebox::detail::isControl;

TEST_CASE("Control characters are those below a blank, and the last of ASCII") {
    for (int byte = 0; byte < 256; ++byte) {
        CAPTURE(byte);
        CHECK(isControl(static_cast<char>(byte)) == (byte < ' ' || byte == 127));
    }
}

TEST_CASE("Control characters, and those that are asked for, are written as percent and digits") {
    CHECK(escaped("") == "");
    CHECK(escaped("a\nb\x1f\x7f") == "a%0Ab%1F%7F");
    CHECK(escaped("50 % na\xc3\xafve") == "50 % na\xc3\xafve");
    CHECK(escaped("50 %, a;b", "%;") == "50 %25, a%3Bb");
}
