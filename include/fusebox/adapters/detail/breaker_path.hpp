// SPDX-License-Identifier: MIT
// Names of breakers from the path of a URL, which may hold anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fusebox::detail {

/// The value of a hexadecimal digit; -1 if it is none.
[[nodiscard]] constexpr int hexValue(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Decodes %xx once, and nothing else; empty if a % is not followed by two digits.
[[nodiscard]] inline std::optional<std::string> percentDecoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = hexValue(text[i + 1]);
        const int low = hexValue(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

/// "{name}" or "{name}/{action}".
struct BreakerPath {
    std::string name{};    ///< Decoded; 1 to 256 bytes.
    std::string action{};  ///< As it stands; empty without one.
};

/// Why a path is none.
enum class PathFault { None, NoName, LongName, BadEncoding, TooManyParts };

[[nodiscard]] constexpr std::string_view toString(PathFault fault) noexcept {
    switch (fault) {
        case PathFault::None: return "";
        case PathFault::NoName: return "the name of the circuit breaker is empty";
        case PathFault::LongName:
            return "the name of the circuit breaker is too long; allowed: 1 to 256 bytes";
        case PathFault::BadEncoding: return "the path is not well encoded";
        case PathFault::TooManyParts: return "the path has too many parts";
    }
    return "";
}

/// Reads what follows `prefix` in the target of a request as it was sent: once it is decoded, a
/// slash in a name cannot be told from one between parts.
[[nodiscard]] inline PathFault readBreakerPath(std::string_view target, std::string_view prefix,
                                               BreakerPath& path) {
    constexpr std::size_t kLongest = 256;
    target = target.substr(0, target.find_first_of("?#"));
    if (!target.starts_with(prefix)) return PathFault::BadEncoding;
    const std::string_view parts = target.substr(prefix.size());
    const std::size_t slash = parts.find('/');
    if (slash != std::string_view::npos) {
        path.action = parts.substr(slash + 1);
        if (path.action.find('/') != std::string::npos) return PathFault::TooManyParts;
    }
    const auto name = percentDecoded(parts.substr(0, slash));
    if (!name) return PathFault::BadEncoding;
    if (name->empty()) return PathFault::NoName;
    if (name->size() > kLongest) return PathFault::LongName;
    path.name = *name;
    return PathFault::None;
}

}  // namespace fusebox::detail
