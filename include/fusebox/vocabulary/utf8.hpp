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
    if (first < 0xc2U || first > 0xf4U) return 0;
    const std::size_t length = first < 0xe0U ? 2 : first < 0xf0U ? 3 : 4;
    if (text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    }
    const unsigned char second = byte(1);
    const bool isOverlong =
        (first == 0xe0U && second < 0xa0U) || (first == 0xf0U && second < 0x90U);
    const bool isSurrogate = first == 0xedU && second > 0x9fU;
    const bool isTooLarge = first == 0xf4U && second > 0x8fU;
    return isOverlong || isSurrogate || isTooLarge ? 0 : length;
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
