// SPDX-License-Identifier: MIT
// Texts of any bytes as UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fusebox::detail {

/// How many bytes the UTF-8 character has that `text` begins with; 0 if it begins with none.
[[nodiscard]] constexpr std::size_t utf8Length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80U) return 1;
    // The lowest and highest second byte exclude overlong forms, surrogates and what is too large.
    unsigned char least = 0x80U;
    unsigned char most = 0xbfU;
    std::size_t length = 0;
    if (first >= 0xc2U && first <= 0xdfU) {
        length = 2;
    } else if (first >= 0xe0U && first <= 0xefU) {
        length = 3;
        if (first == 0xe0U) least = 0xa0U;
        if (first == 0xedU) most = 0x9fU;
    } else if (first >= 0xf0U && first <= 0xf4U) {
        length = 4;
        if (first == 0xf0U) least = 0x90U;
        if (first == 0xf4U) most = 0x8fU;
    }
    if (length == 0 || text.size() < length || byte(1) < least || byte(1) > most) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    }
    return length;
}

/// Whether a text begins with the four characters that stand for a byte.
[[nodiscard]] constexpr bool beginsEscaped(std::string_view text) noexcept {
    const auto isDigit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
    return text.size() >= 4 && text.starts_with("\\x") && isDigit(text[2]) && isDigit(text[3]);
}

/// The text in UTF-8: a byte that is none becomes the four characters \xNN, and so does the
/// backslash of such four characters, so that different names stay different.
[[nodiscard]] inline std::string toUtf8(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = utf8Length(text);
        if (length > 0 && !beginsEscaped(text)) {
            valid.append(text.substr(0, length));
        } else {
            const auto byte = static_cast<unsigned char>(text.front());
            valid.append({'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]});
            length = 1;
        }
        text.remove_prefix(length);
    }
    return valid;
}

}  // namespace fusebox::detail
