// SPDX-License-Identifier: MIT
// What the formatters for {fmt} have in common: a text, with the specs of a text.
//
// needs: fmt
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace fusebox::detail {

/// Formats what `text(value)` says, under any format spec of a string: `{:<10}`.
class TextFormatter : public fmt::formatter<fmt::string_view> {
protected:
    template <class Context>
    auto formatText(std::string_view text, Context& context) const {
        return fmt::formatter<fmt::string_view>::format({text.data(), text.size()}, context);
    }
};

/// Formats what `toString(value)` says.
struct WordFormatter : TextFormatter {
    template <class T, class Context>
    auto format(const T& value, Context& context) const {
        return formatText(toString(value), context);
    }
};

/// Formats what `value.what()` says.
struct WhatFormatter : TextFormatter {
    template <class T, class Context>
    auto format(const T& value, Context& context) const {
        return formatText(value.what(), context);
    }
};

}  // namespace fusebox::detail
