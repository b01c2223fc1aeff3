// SPDX-License-Identifier: MIT
// Values as text that reads back as the same value, within one line.
//
// A form of T has `write(const T&)`, `read(text, T&)`, which says whether the text is one, and
// `allowed()`, which says in words what is. To read is a template, so that only those compile it
// who do.
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#if !defined(__cpp_lib_to_chars)
#include <locale>
#include <sstream>
#endif

#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox::detail {

/// The whole of `text` as a number in decimal; `number` is untouched otherwise.
template <class Number>
[[nodiscard]] bool readWhole(std::string_view text, Number& number) noexcept {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) return false;
    number = value;
    return true;
}

#if !defined(__cpp_lib_to_chars)
// libc++ before 20 reads no floating-point number with std::from_chars.
[[nodiscard]] inline bool readWhole(std::string_view text, double& number) {
    if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
        text.front() == '+') {
        return false;
    }
    std::istringstream stream{std::string{text}};
    stream.imbue(std::locale::classic());
    double value = 0.0;
    if (!(stream >> value) || stream.peek() != std::istringstream::traits_type::eof()) return false;
    number = value;
    return true;
}
#endif

struct CountForm {
    [[nodiscard]] static std::string write(std::uint64_t count) { return std::to_string(count); }
    template <std::same_as<std::uint64_t> Count>
    [[nodiscard]] static bool read(std::string_view text, Count& count) noexcept {
        return readWhole(text, count);
    }
    [[nodiscard]] static std::string allowed() {
        return "an integer from 0 to " + std::to_string(std::numeric_limits<std::uint64_t>::max());
    }
};

/// In nanoseconds, never negative.
struct DurationForm {
    using Nanoseconds = std::chrono::nanoseconds;

    [[nodiscard]] static std::string write(Nanoseconds duration) {
        return std::to_string(duration.count());
    }
    template <std::same_as<Nanoseconds> Duration>
    [[nodiscard]] static bool read(std::string_view text, Duration& duration) noexcept {
        Nanoseconds::rep count = 0;
        if (!readWhole(text, count) || count < 0) return false;
        duration = Nanoseconds{count};
        return true;
    }
    [[nodiscard]] static std::string allowed() {
        return "nanoseconds from 0 to " + std::to_string(Nanoseconds::max().count());
    }
};

/// In nanoseconds since 1970. Negative ones are read: a device without a battery starts in 1970,
/// and what happened before it learnt the time may seem to have happened earlier.
struct TimeForm {
    using Nanoseconds = std::chrono::nanoseconds;
    using Time = std::chrono::system_clock::time_point;

    [[nodiscard]] static std::string write(Time time) {
        return std::to_string(saturatingNanoseconds(time.time_since_epoch()).count());
    }
    template <std::same_as<Time> Instant>
    [[nodiscard]] static bool read(std::string_view text, Instant& time) noexcept {
        Nanoseconds::rep count = 0;
        if (!readWhole(text, count)) return false;
        time = Time{std::chrono::duration_cast<Time::duration>(Nanoseconds{count})};
        return true;
    }
    [[nodiscard]] static std::string allowed() {
        return "nanoseconds since 1970 from " + std::to_string(Nanoseconds::min().count()) +
               " to " + std::to_string(Nanoseconds::max().count());
    }
};

struct RateForm {
    [[nodiscard]] static std::string write(double rate) { return toText(rate); }
    [[nodiscard]] static bool read(std::string_view text, double& rate) {
        return readWhole(text, rate) && rate >= 0.0 && rate <= 1.0;  // false for NaN
    }
    [[nodiscard]] static std::string allowed() { return "a number from 0 to 1"; }
};

/// At most `kMost` bytes of any kind; `%` and control characters as %XX.
template <std::size_t kMost = std::numeric_limits<std::size_t>::max()>
struct StringForm {
    [[nodiscard]] static std::string write(std::string_view text) { return escaped(text, "%"); }
    [[nodiscard]] static bool read(std::string_view line, std::string& text) {
        text.clear();
        while (!line.empty()) {
            const char c = line.front();
            if (isControl(c)) return false;
            std::size_t used = 1;
            if (c != '%') {
                text += c;
            } else {
                used = 3;
                const std::string_view digits = line.substr(1, 2);
                unsigned byte = 0;
                const auto end = digits.data() + digits.size();
                const auto [stop, error] = std::from_chars(digits.data(), end, byte, 16);
                if (digits.size() != 2 || error != std::errc{} || stop != end) return false;
                text += static_cast<char>(byte);
            }
            line.remove_prefix(used);
        }
        return text.size() <= kMost;
    }
    [[nodiscard]] static std::string allowed() {
        std::string words = "text with % and control characters as %00 to %FF";
        if constexpr (kMost != std::numeric_limits<std::size_t>::max()) {
            words += ", at most " + std::to_string(kMost) + " bytes";
        }
        return words;
    }
};

/// The words that `toString` has for the values listed.
template <auto... kValues>
struct WordForm {
    template <class Enum>
    [[nodiscard]] static std::string write(Enum value) {
        return std::string{toString(value)};
    }
    template <class Enum>
    [[nodiscard]] static bool read(std::string_view word, Enum& value) noexcept {
        bool known = false;
        const auto compare = [&](Enum one) {
            if (toString(one) != word) return;
            known = true;
            value = one;
        };
        (compare(kValues), ...);
        return known;
    }
    [[nodiscard]] static std::string allowed() {
        std::string words;
        ((words.append(words.empty() ? "" : ", ").append(toString(kValues))), ...);
        return words;
    }
};

}  // namespace fusebox::detail
