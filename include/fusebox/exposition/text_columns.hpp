// SPDX-License-Identifier: MIT
// Text in columns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/breaker/value_forms.hpp"

namespace fusebox::detail {

/// Rows of cells, in columns as wide as their widest cell, two spaces apart. UTF-8 characters count
/// as one column each.
class TextColumns {
public:
    void add(std::vector<std::string> row) {
        for (std::string& cell : row) cell = escaped(cell);
        rows_.push_back(std::move(row));
    }

    [[nodiscard]] std::string text() const {
        std::vector<std::size_t> widths;
        for (const auto& row : rows_) {
            widths.resize(std::max(widths.size(), row.size()));
            for (std::size_t i = 0; i < row.size(); ++i) {
                widths[i] = std::max(widths[i], widthOf(row[i]));
            }
        }
        std::string text;
        for (const auto& row : rows_) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                text += row[i];
                if (i + 1 < row.size()) text.append(widths[i] - widthOf(row[i]) + 2, ' ');
            }
            text += '\n';
        }
        return text;
    }

private:
    [[nodiscard]] static std::size_t widthOf(std::string_view cell) {
        const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
        return static_cast<std::size_t>(std::ranges::count_if(cell, begins));
    }

    std::vector<std::vector<std::string>> rows_;
};

}  // namespace fusebox::detail
