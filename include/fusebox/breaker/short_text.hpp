// SPDX-License-Identifier: MIT
// A short text that never allocates.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fusebox::detail {

/// Up to 127 bytes of text; a longer text is cut between UTF-8 characters.
class ShortText {
public:
    static constexpr std::size_t kMost = 127;

    void assign(std::string_view text) noexcept {
        std::size_t size = std::min(text.size(), bytes_.size());
        const auto continues = [&](std::size_t at) {
            return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
        };
        while (size > 0 && size < text.size() && continues(size)) --size;
        if (size > 0) std::memcpy(bytes_.data(), text.data(), size);
        size_ = static_cast<std::uint8_t>(size);
    }
    [[nodiscard]] std::string_view view() const noexcept {
        // Converted: a size of another type might be the end of a range, and gcc 12 takes longer to
        // see that it is not than to compile most headers of ours (bench/include_cost).
        return {bytes_.data(), std::size_t{size_}};
    }

private:
    std::array<char, kMost> bytes_{};
    std::uint8_t size_ = 0;
};

}  // namespace fusebox::detail
