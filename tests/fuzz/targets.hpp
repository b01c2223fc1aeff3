// SPDX-License-Identifier: MIT
// What is fuzzed. A target takes any bytes; what must not be ends the process.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace fusebox::test {

using Input = std::span<const std::uint8_t>;

/// A breaker and what is done with it, beside the reference model.
void fuzzOperations(Input input);
/// Policies and options of any values: refused in a sentence, or a breaker that works.
void fuzzOptions(Input input);
/// A text that a breaker is restored from: refused in a sentence, or a breaker that works.
void fuzzSavedState(Input input);
/// Names, tags and errors of any bytes, in a registry and in every format.
void fuzzNames(Input input);
/// Bytes that a client sends to the administrators' endpoints.
void fuzzAdmin(Input input);

[[noreturn]] inline void fail(std::string_view what, std::string_view about = {}) {
    std::fprintf(stderr, "fuzz: %.*s\n%.*s\n", static_cast<int>(what.size()), what.data(),
                 static_cast<int>(about.size()), about.data());
    std::abort();
}

/// Ends the process unless `holds`.
inline void demand(bool holds, std::string_view what, std::string_view about = {}) {
    if (!holds) fail(what, about);
}

/// Takes an input apart, from its front. Where nothing is left, everything is 0.
class Bytes {
public:
    explicit Bytes(Input input) : rest_(input) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    std::uint8_t byte() noexcept {
        if (rest_.empty()) return 0;
        const std::uint8_t first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }
    /// Little-endian.
    std::uint64_t number(int bytes) noexcept {
        std::uint64_t value = 0;
        for (int i = 0; i < bytes; ++i) value |= std::uint64_t{byte()} << (8 * i);
        return value;
    }
    [[nodiscard]] bool chance() noexcept { return byte() % 2 == 1; }
    /// Up to `size` bytes.
    std::string text(std::size_t size) {
        const Input taken = rest_.first(size < rest_.size() ? size : rest_.size());
        rest_ = rest_.subspan(taken.size());
        return {taken.begin(), taken.end()};
    }
    std::string rest() { return text(rest_.size()); }

private:
    Input rest_;
};

}  // namespace fusebox::test
