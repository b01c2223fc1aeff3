// SPDX-License-Identifier: MIT
#include "fusebox/registry/name_table.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using fusebox::detail::isSameName;

/// A name of that length in memory of its own, so that AddressSanitizer sees a step beyond it.
std::vector<char> nameOf(std::size_t length) {
    std::vector<char> name(length);
    for (std::size_t i = 0; i < length; ++i) name[i] = static_cast<char>('a' + i % 26);
    return name;
}

std::string_view view(const std::vector<char>& name) {
    return {name.data(), name.size()};
}

}  // namespace

TEST_CASE("Names are the same if they are as long and agree in every byte") {
    for (std::size_t length = 0; length <= 40; ++length) {
        CAPTURE(length);
        const std::vector<char> name = nameOf(length);
        CHECK(isSameName(view(name), view(nameOf(length))));
        CHECK_FALSE(isSameName(view(name), view(nameOf(length + 1))));
        CHECK_FALSE(isSameName(view(nameOf(length + 1)), view(name)));

        std::size_t mistaken = 0;
        for (std::size_t at = 0; at < length; ++at) {
            std::vector<char> other = nameOf(length);
            other[at] = '\0';
            if (isSameName(view(name), view(other))) ++mistaken;
        }
        CHECK(mistaken == 0);
    }
}
