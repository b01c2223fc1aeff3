// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/utf8.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using fusebox::detail::beginsEscaped;
using fusebox::detail::toUtf8;
using fusebox::detail::utf8Length;

namespace {

std::string encoded(std::uint32_t point) {
    const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
    const auto rest = [&](int shift) { return byte(0x80U | ((point >> shift) & 0x3fU)); };
    if (point < 0x80U) return {byte(point)};
    if (point < 0x800U) return {byte(0xc0U | point >> 6U), rest(0)};
    if (point < 0x10000U) return {byte(0xe0U | point >> 12U), rest(6), rest(0)};
    return {byte(0xf0U | point >> 18U), rest(12), rest(6), rest(0)};
}

/// The definition: the bytes are what the one code point is encoded as whose bits they hold.
std::size_t naiveLength(std::string_view text) {
    for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
        constexpr std::array<std::uint32_t, 5> kBitsOfFirst{0, 0x7fU, 0x1fU, 0x0fU, 0x07U};
        std::uint32_t point = static_cast<unsigned char>(text[0]) & kBitsOfFirst[length];
        for (std::size_t i = 1; i < length; ++i) {
            point = point << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
        }
        const bool isSurrogate = point >= 0xd800U && point <= 0xdfffU;
        if (point > 0x10ffffU || isSurrogate) continue;
        if (encoded(point) == text.substr(0, length)) return length;
    }
    return 0;
}

/// Calls `action` with every text of these bytes that is so long.
template <class Action>
void forEachText(const std::vector<unsigned char>& bytes, std::size_t length, Action action) {
    std::vector<std::size_t> places(length, 0);
    std::string text(length, static_cast<char>(bytes[0]));
    for (;;) {
        action(std::string_view{text});
        std::size_t i = 0;
        while (i < length && ++places[i] == bytes.size()) {
            places[i] = 0;
            text[i] = static_cast<char>(bytes[0]);
            ++i;
        }
        if (i == length) return;
        text[i] = static_cast<char>(bytes[places[i]]);
    }
}

}  // namespace

TEST_CASE("A character has the length of its encoding, and nothing else is one") {
    const std::vector<unsigned char> edges{0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                           0xc0, 0xc1, 0xc2, 0xc3, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                           0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    int wrong = 0;
    for (std::size_t length = 1; length <= 4; ++length) {
        forEachText(edges, length,
                    [&](std::string_view text) { wrong += utf8Length(text) != naiveLength(text); });
    }
    CHECK(wrong == 0);
    CHECK(utf8Length("\xf0\x9f\x94\x8c and more") == 4);
}

TEST_CASE("Every second byte is right after some first one, or after none") {
    std::vector<unsigned char> all;
    for (unsigned byte = 0; byte < 256; ++byte) all.push_back(static_cast<unsigned char>(byte));
    int wrong = 0;
    forEachText(all, 2, [&](std::string_view two) {
        const std::string text = std::string{two} + "\x80\x80";
        wrong += utf8Length(text) != naiveLength(text);
    });
    CHECK(wrong == 0);
}

TEST_CASE("Four characters stand for a byte: a backslash, an x, two digits in capitals") {
    CHECK(beginsEscaped("\\x00"));
    CHECK(beginsEscaped("\\x9F and more"));
    CHECK(beginsEscaped("\\xA0"));
    for (const char* other : {"", "\\", "\\x", "\\x0", "\\x0G", "\\xG0", "\\x/0", "\\x0/", "\\x:0",
                              "\\x0:", "\\x@0", "\\x0@", "\\xa0", "\\X00", "/x00", "x\\x00"}) {
        INFO(other);
        CHECK_FALSE(beginsEscaped(other));
    }
}

TEST_CASE("What is no UTF-8 is written as digits, and so is what would look like it") {
    CHECK(toUtf8("") == "");
    CHECK(toUtf8("na\xc3\xafve \xe2\x82\xac") == "na\xc3\xafve \xe2\x82\xac");
    CHECK(toUtf8("\xff") == "\\xFF");
    CHECK(toUtf8("a\x80z") == "a\\x80z");
    CHECK(toUtf8("\xe2\x82") == "\\xE2\\x82");
    CHECK(toUtf8("\\xFF") == "\\x5CxFF");
    CHECK(toUtf8("\\xGG \\n") == "\\xGG \\n");
}

TEST_CASE("Texts that differ differ in UTF-8, and are what they were if they were UTF-8") {
    const std::vector<unsigned char> bytes{'\\', 'x', '0', '5', 'C', 'F', 'G', 0xc3, 0xa4, 0xff};
    std::set<std::string> seen;
    std::size_t texts = 0;
    int wrong = 0;
    for (std::size_t length = 1; length <= 4; ++length) {
        forEachText(bytes, length, [&](std::string_view text) {
            const std::string valid = toUtf8(text);
            ++texts;
            seen.insert(valid);
            for (std::string_view left = valid; !left.empty();) {
                const std::size_t character = naiveLength(left);
                wrong += character == 0;
                left.remove_prefix(character == 0 ? 1 : character);
            }
        });
    }
    CHECK(wrong == 0);
    CHECK(seen.size() == texts);
}
