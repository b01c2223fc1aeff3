// SPDX-License-Identifier: MIT
#include "fusebox/registry/name_hash.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using fusebox::detail::hashOfName;
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

TEST_CASE("The hash of a name is that of its bytes, wherever they stand") {
    for (std::size_t length = 0; length <= 40; ++length) {
        CAPTURE(length);
        const std::vector<char> name = nameOf(length);
        std::vector<char> shifted{'x'};
        shifted.insert(shifted.end(), name.begin(), name.end());
        CHECK(hashOfName(view(name)) == hashOfName(view(shifted).substr(1)));
    }
}

TEST_CASE("Each byte of a name changes its hash, and so does its length") {
    std::set<std::size_t> hashes;
    std::size_t names = 0;
    for (std::size_t length = 0; length <= 40; ++length) {
        hashes.insert(hashOfName(std::string(length, '\0')));
        ++names;
        for (std::size_t at = 0; at < length; ++at, ++names) {
            std::string name(length, '\0');
            name[at] = 'x';
            hashes.insert(hashOfName(name));
        }
    }
    CHECK(hashes.size() == names);
}

TEST_CASE("Names that differ by a number spread over the places of a table") {
    constexpr std::size_t kPlaces = 1024;
    constexpr int kNames = 100 * kPlaces;
    for (const std::string prefix : {"", "service-", "payments.internal.example.com/shard/"}) {
        CAPTURE(prefix);
        std::array<int, kPlaces> low{};
        std::array<int, kPlaces> high{};
        for (int i = 0; i < kNames; ++i) {
            const std::uint64_t hash = hashOfName(prefix + std::to_string(i));
            ++low[hash % kPlaces];
            ++high[hash >> (64 - std::bit_width(kPlaces - 1))];
        }
        // Pearson's statistic for equal shares: 1023 on average, with a deviation of 45.
        const auto misfit = [](const std::array<int, kPlaces>& places) {
            double sum = 0;
            for (const int count : places) sum += (count - 100.0) * (count - 100.0) / 100.0;
            return sum;
        };
        CHECK(misfit(low) < 1023 + 6 * 45);
        CHECK(misfit(high) < 1023 + 6 * 45);
    }
}
