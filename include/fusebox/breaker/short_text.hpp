// SPDX-License-Identifier: MIT
// A short text that never allocates.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace fusebox::detail {

/// Up to 127 bytes of text; a longer text is cut between UTF-8 characters.
class ShortText {
public:
    static constexpr std::size_t kMost = 127;

    void assign(std::string_view text) noexcept {
        size_ = std::min(text.size(), bytes_.size());
        const auto continues = [&](std::size_t at) {
            return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
        };
        while (size_ > 0 && size_ < text.size() && continues(size_)) --size_;
        if (size_ > 0) std::memcpy(bytes_.data(), text.data(), size_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    std::array<char, kMost> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace fusebox::detail
