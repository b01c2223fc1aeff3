// SPDX-License-Identifier: MIT
#include "fusebox/registry/name_hash.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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

/// Calls `visit(name)` with that name, and with each that differs from it in one bit.
template <class Visit>
void forEachNeighbour(std::string name, Visit&& visit) {
    visit(name);
    for (char& byte : name) {
        for (int bit = 0; bit < 8; ++bit) {
            const char before = std::exchange(byte, static_cast<char>(byte ^ 1 << bit));
            visit(name);
            byte = before;
        }
    }
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
        for (const char byte : {'\0', 'a', '\xff'}) {
            const std::string same(length, byte);
            forEachNeighbour(same, [&](const std::string& other) {
                mistaken += isSameName(same, other) != (same == other);
                mistaken += isSameName(other, same) != (same == other);
            });
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

TEST_CASE("Each bit of a name changes its hash, wherever it stands, and so does its length") {
    std::set<std::size_t> hashes;
    std::size_t names = 0;
    const auto add = [&](std::size_t length) {
        for (const char byte : {'\0', 'a', '\xff'}) {
            forEachNeighbour(std::string(length, byte), [&](const std::string& name) {
                hashes.insert(hashOfName(name));
                ++names;
            });
        }
    };
    for (std::size_t length = 1; length <= 40; ++length) add(length);
    add(700);
    hashes.insert(hashOfName(""));
    CHECK(hashes.size() == names + 1);
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
