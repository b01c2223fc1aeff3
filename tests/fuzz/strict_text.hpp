// SPDX-License-Identifier: MIT
// Readers of texts that others will read, stricter than most: they end the process.
//
// needs: nlohmann_json
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fuzz/targets.hpp"

namespace fusebox::test {

/// Whether a text is UTF-8 (RFC 3629), by its bits.
[[nodiscard]] inline bool isUtf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
        const unsigned first = byte(i);
        const std::size_t length = first < 0x80         ? 1
                                   : first >> 5 == 0x6  ? 2
                                   : first >> 4 == 0xe  ? 3
                                   : first >> 3 == 0x1e ? 4
                                                        : 0;
        if (length == 0 || text.size() - i < length) return false;
        std::uint32_t point = length == 1 ? first : first & (0x7fU >> length);
        for (std::size_t k = 1; k < length; ++k) {
            if (byte(i + k) >> 6 != 2) return false;
            point = point << 6 | (byte(i + k) & 0x3fU);
        }
        static constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
        if (point < kLeast[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return false;
        }
        i += length;
    }
    return true;
}

/// JSON in UTF-8, in which no object has a key twice.
[[nodiscard]] inline nlohmann::json strictJson(const std::string& text) {
    using Json = nlohmann::json;
    demand(isUtf8(text), "JSON that is no UTF-8", text);
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int, Json::parse_event_t event, const Json& parsed) {
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key) {
            demand(keys.back().insert(parsed.get<std::string>()).second, "a key twice in JSON",
                   text);
        }
        return true;
    };
    try {
        return Json::parse(text, watch);
    } catch (const Json::exception& error) {
        fail(error.what(), text);
    }
}

/// Reads the text format of Prometheus, version 0.0.4.
class PrometheusReader {
public:
    explicit PrometheusReader(std::string_view text) : rest_(text) {}

    /// How many breakers it tells of.
    [[nodiscard]] std::size_t read() {
        demand(isUtf8(rest_), "metrics that are no UTF-8", rest_);
        demand(rest_.empty() || rest_.back() == '\n', "metrics that end without a line feed");
        while (!rest_.empty()) {
            const std::size_t end = rest_.find('\n');
            line_ = rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            line_.starts_with('#') ? readComment() : readSample();
        }
        return names_.size();
    }

private:
    void need(bool holds, const char* what) const { demand(holds, what, line_); }
    [[nodiscard]] static bool isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }
    [[nodiscard]] std::string word(bool colons) {
        std::size_t size = 0;
        const auto fits = [&](char c) {
            return isLetter(c) || (colons && c == ':') || (size > 0 && c >= '0' && c <= '9');
        };
        while (size < line_.size() && fits(line_[size])) ++size;
        need(size > 0, "a name is missing");
        std::string found{line_.substr(0, size)};
        line_.remove_prefix(size);
        return found;
    }
    void take(char c) {
        need(!line_.empty() && line_.front() == c, "another character is needed");
        line_.remove_prefix(1);
    }

    void readComment() {
        const bool help = line_.starts_with("# HELP ");
        need(help || line_.starts_with("# TYPE "), "a comment of another kind");
        line_.remove_prefix(7);
        const std::string name = word(true);
        take(' ');
        need((help ? helped_ : typed_).insert(name).second, "a family twice");
        need(help || line_ == "counter" || line_ == "gauge" || line_ == "histogram",
             "a type of another kind");
    }

    void readSample() {
        std::string series = word(true);
        take('{');
        std::set<std::string> labels;
        for (bool more = true; more;) {
            const std::string label = word(false);
            need(labels.insert(label).second, "a label twice");
            take('=');
            take('"');
            const std::string value = quoted();
            if (label == "name") names_.insert(value);
            series.append("\n").append(label).append("=").append(value);
            more = !line_.empty() && line_.front() == ',';
            if (more) line_.remove_prefix(1);
        }
        take('}');
        take(' ');
        need(series_.insert(series).second, "a series twice");
        const std::string number{line_};
        char* end = nullptr;
        (void)std::strtod(number.c_str(), &end);
        need(!number.empty() && *end == '\0', "a value that is no number");
    }

    [[nodiscard]] std::string quoted() {
        std::string value;
        for (;;) {
            need(!line_.empty(), "a value without an end");
            char c = line_.front();
            line_.remove_prefix(1);
            if (c == '"') return value;
            if (c == '\\') {
                need(!line_.empty(), "half an escape");
                c = line_.front();
                line_.remove_prefix(1);
                need(c == '\\' || c == '"' || c == 'n', "an escape that is none");
                if (c == 'n') c = '\n';
            }
            value += c;
        }
    }

    std::string_view rest_;
    std::string_view line_{};
    std::set<std::string> helped_{};
    std::set<std::string> typed_{};
    std::set<std::string> series_{};
    std::set<std::string> names_{};
};

/// Metrics of so many breakers.
inline void checkPrometheus(std::string_view text, std::size_t breakers) {
    demand(PrometheusReader{text}.read() == breakers, "not every breaker in the metrics", text);
}

}  // namespace fusebox::test
