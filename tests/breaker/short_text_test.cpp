// SPDX-License-Identifier: MIT
#include "fusebox/breaker/short_text.hpp"

#include <string>

#include "support/catch.hpp"

using fusebox::detail::ShortText;

TEST_CASE("A short text has room for 127 bytes, and what does not fit is cut") {
    ShortText text;
    CHECK(text.view().empty());
    text.assign(std::string(127, 'a'));
    CHECK(text.view() == std::string(127, 'a'));
    text.assign(std::string(127, 'b') + "c");
    CHECK(text.view() == std::string(127, 'b'));
    // Two bytes, the first of them the 127th.
    text.assign(std::string(126, 'd') + "\xc3\xa9");
    CHECK(text.view() == std::string(126, 'd'));
    text.assign("");
    CHECK(text.view().empty());
}

TEST_CASE("Of a text that never begins a character nothing is kept") {
    ShortText text;
    text.assign(std::string(200, '\x80'));
    CHECK(text.view().empty());
    text.assign("\x80");
    CHECK(text.view() == "\x80");
}
