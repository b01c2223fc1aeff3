// SPDX-License-Identifier: MIT
// A small value that one thread at a time replaces and all others read without waiting.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Two copies and a version that says which of them holds. A reader starts over only if the value
/// was replaced twice while it read; a writer that is held up holds up no reader.
///
/// (A) The version is stored with release, after its copy, and read with acquire: whoever sees a
/// version finds its copy complete.
///
/// (B) The words of a copy are stored with release and read with acquire, too: whoever reads one of
/// the version after next also sees that the version has moved on, and starts over.
template <class Value, class Platform = StdPlatform>
class Latched {
    static_assert(std::is_trivially_copyable_v<Value> &&
                  sizeof(Value) % sizeof(std::uint64_t) == 0);
    using Words = std::array<std::uint64_t, sizeof(Value) / sizeof(std::uint64_t)>;

public:
    explicit Latched(const Value& value) noexcept { write(copies_[0], value); }
    Latched(const Latched&) = delete;
    Latched& operator=(const Latched&) = delete;

    [[nodiscard]] FUSEBOX_HOT Value load() const noexcept {
        for (;;) {
            const std::uint64_t version = version_.load(std::memory_order_acquire);  // (A)
            const Copy& copy = copies_[version % 2];
            const Words words = read(copy, kIndices);
            // relaxed: what (B) acquired makes it new enough.
            if (version_.load(std::memory_order_relaxed) == version) [[likely]]
                return std::bit_cast<Value>(words);
        }
    }

    /// By one thread at a time.
    void store(const Value& value) noexcept {
        // relaxed: whoever stored last happens before this.
        const std::uint64_t next = version_.load(std::memory_order_relaxed) + 1;
        write(copies_[next % 2], value);
        version_.store(next, std::memory_order_release);  // (A)
    }

private:
    using Word = typename Platform::template Atomic<std::uint64_t>;
    static constexpr std::make_index_sequence<Words{}.size()> kIndices{};

    struct alignas(kCacheLine) Copy {
        std::array<Word, kIndices.size()> words{};
    };

    // Unrolled, so that the words stay in registers.
    template <std::size_t... i>
    [[nodiscard]] FUSEBOX_HOT static Words read(const Copy& copy,
                                                std::index_sequence<i...>) noexcept {
        return {copy.words[i].load(std::memory_order_acquire)...};  // (B)
    }
    static void write(Copy& copy, const Value& value) noexcept {
        const auto words = std::bit_cast<Words>(value);
        for (std::size_t i = 0; i < words.size(); ++i) {
            copy.words[i].store(words[i], std::memory_order_release);  // (B)
        }
    }

    std::array<Copy, 2> copies_{};
    Word version_{0};
};

}  // namespace fusebox::detail
