// SPDX-License-Identifier: MIT
// Names as machine words: their hash, and whether two are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fusebox::detail {

using NameWord = std::uint64_t;

/// A word, or half of one, as it stands in memory.
template <class Word>
[[nodiscard]] inline Word wordAt(const char* from) noexcept {
    Word word = 0;
    std::memcpy(&word, from, sizeof(Word));
    return word;
}

/// All of a name that is shorter than a word.
[[nodiscard]] inline NameWord wordOfShortName(std::string_view name) noexcept {
    using Half = std::uint32_t;
    const std::size_t size = name.size();
    if (size >= sizeof(Half)) {
        const NameWord high = wordAt<Half>(name.data() + size - sizeof(Half));
        return high << 32 | wordAt<Half>(name.data());
    }
    if (size == 0) return 0;
    const auto byte = [&](std::size_t i) -> NameWord {
        return static_cast<unsigned char>(name[i]);
    };
    return byte(size / 2) << 16 | byte(size - 1) << 8 | byte(0);
}

/// A word whose every bit depends on every bit of `word`, or nearly so (the finaliser of
/// splitmix64: Steele, Lea and Flood 2014, with one multiplication).
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t word) noexcept {
    word = (word ^ word >> 32) * 0x9FB21C651E98DF25;
    return word ^ word >> 28;
}

/// The hash of a name. Its words are mixed side by side, each with its place, since a look-up waits
/// for it; std::hash takes them one after the other.
///
/// It is no defence against names that are chosen to collide; no look-up depends on that there are
/// none. See NameIndex.
[[nodiscard]] inline std::size_t hashOfName(std::string_view name) noexcept {
    std::uint64_t sum = name.size();
    if (name.size() < sizeof(NameWord)) {
        sum += mixed(wordOfShortName(name));
    } else {
        std::uint64_t place = 0x9E3779B97F4A7C15;
        const std::size_t last = name.size() - sizeof(NameWord);
        for (std::size_t i = 0; i < last; i += sizeof(NameWord), place += place << 1) {
            sum += mixed(wordAt<NameWord>(name.data() + i) ^ place);
        }
        // It may overlap the one before it.
        sum += mixed(wordAt<NameWord>(name.data() + last));
    }
    return static_cast<std::size_t>(mixed(sum));
}

/// As `a == b`, without the call of memcmp: names are short, and it takes as long as all the rest.
[[nodiscard]] inline bool isSameName(std::string_view a, std::string_view b) noexcept {
    const std::size_t size = a.size();
    if (size != b.size()) return false;
    if (size < sizeof(NameWord)) return wordOfShortName(a) == wordOfShortName(b);
    const std::size_t last = size - sizeof(NameWord);
    NameWord differing = wordAt<NameWord>(a.data() + last) ^ wordAt<NameWord>(b.data() + last);
    for (std::size_t i = 0; i < last; i += sizeof(NameWord)) {
        differing |= wordAt<NameWord>(a.data() + i) ^ wordAt<NameWord>(b.data() + i);
    }
    return differing == 0;
}

}  // namespace fusebox::detail
