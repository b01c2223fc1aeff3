// SPDX-License-Identifier: MIT
// What a program of the cookbook promises; it fails as a test if a promise does not hold.
#pragma once

#include <string_view>

#include <fmt/format.h>

class Promises {
public:
    void check(bool holds, std::string_view what) {
        fmt::print("{} {}\n", holds ? "  ok:" : "FAIL:", what);
        kept_ = kept_ && holds;
    }
    [[nodiscard]] int exitCode() const noexcept { return kept_ ? 0 : 1; }

private:
    bool kept_ = true;
};
