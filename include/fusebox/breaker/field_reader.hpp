// SPDX-License-Identifier: MIT
// Reads structures from lines `field=value` below a line `format version`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/breaker/field_writer.hpp"
#include "fusebox/breaker/value_forms.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

/// Reads fields in any order. The first thing that is wrong becomes the complaint, and whatever was
/// read is then of no use.
template <const Format& format>
class FieldReader {
public:
    static constexpr std::size_t kMostBytes = 65536;

    FieldReader(std::string_view text, FieldNames<format> names)
        : fields_(std::move(names).take()) {
        if (text.size() > kMostBytes) {
            complainAt(1, "the text", std::to_string(text.size()) + " bytes",
                       "at most " + std::to_string(kMostBytes) + " bytes");
        }
        readFormat(nextLine(text));
        while (!complaint_ && !text.empty()) readField(nextLine(text));
    }

    template <class Value, class Form>
    void required(std::string_view name, Value& value, Form form) {
        if (has(name)) return read(name, value, form);
        complain("lines 1 to " + std::to_string(lines_), name, "missing", Form::allowed());
    }
    template <class Value, class Form>
    void optional(std::string_view name, std::optional<Value>& value, Form form) {
        if (has(name)) read(name, value.emplace(), form);
    }
    template <class Value, class Form>
    void requiredIf(bool holds, std::string_view circumstances, std::string_view name, Value& value,
                    Form form) {
        if (holds) return required(name, value, form);
        if (has(name)) refuse(name, std::string{"this field only "}.append(circumstances));
    }
    template <class Value, class Visit>
    void group(std::string_view prefix, std::optional<Value>& value, Visit visit) {
        const bool any = std::any_of(fields_.begin(), fields_.end(), [&](const Field& field) {
            return field.line > 0 && field.name.starts_with(prefix);
        });
        if (any) visit(*this, value.emplace());
    }

    /// Complains of the value of a field that is there.
    void refuse(std::string_view name, std::string_view allowed) {
        const Field& known = field(name);
        complainAt(known.line, name, shown(known.value), allowed);
    }

    /// What is wrong with the text: line, field, value, what is allowed; empty if nothing is.
    [[nodiscard]] const Complaint& complaint() const noexcept { return complaint_; }

private:
    using Field = typename FieldNames<format>::Field;

    /// Takes a line off the text. Its end may be CRLF, as editors leave it: a CR that belongs to a
    /// value is written %0D. Without an end, the text was cut.
    std::string_view nextLine(std::string_view& text) {
        ++lines_;
        const std::size_t size = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, size);
        if (size == text.size() && size > 0) {
            complainAt(lines_, "the end of \"" + shown(line) + "\"", "missing", "a newline");
        }
        text.remove_prefix(std::min(size + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }

    void readFormat(std::string_view line) {
        const std::string prefix = std::string{format.name} + ' ';
        if (!line.starts_with(prefix)) {
            return complainAt(lines_, "the line", shown(line),
                              prefix + std::string{format.version});
        }
        line.remove_prefix(prefix.size());
        if (line != format.version) complainAt(lines_, "version", shown(line), format.version);
    }

    void readField(std::string_view line) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            return complainAt(lines_, "the line", shown(line), "field=value");
        }
        const std::string_view name = line.substr(0, equals);
        const std::string_view value = line.substr(equals + 1);
        Field* const known = find(name);
        if (known == nullptr) {
            return complainAt(lines_, shown(name), shown(value), "no field of this name");
        }
        if (known->line > 0) {
            return complainAt(
                lines_, name, shown(value),
                "this field once, and it stands in line " + std::to_string(known->line));
        }
        known->value = value;
        known->line = lines_;
    }

    /// Null if there is no field of that name.
    [[nodiscard]] Field* find(std::string_view name) noexcept {
        for (Field& field : fields_) {
            if (field.name == name) return &field;
        }
        return nullptr;
    }
    // @pre `name` is among the names given to the constructor.
    [[nodiscard]] const Field& field(std::string_view name) noexcept { return *find(name); }
    [[nodiscard]] bool has(std::string_view name) noexcept { return field(name).line > 0; }

    template <class Value, class Form>
    void read(std::string_view name, Value& value, Form) {
        if (!Form::read(field(name).value, value)) refuse(name, Form::allowed());
    }

    /// A value in a sentence: one line of bounded length.
    [[nodiscard]] static std::string shown(std::string_view value) {
        constexpr std::size_t kMost = 64;
        if (value.empty()) return "empty";
        if (value.size() <= kMost) return escaped(value);
        std::size_t size = kMost;
        const auto continues = [&](std::size_t at) {
            return (static_cast<unsigned char>(value[at]) & 0xc0U) == 0x80U;
        };
        while (size > 0 && continues(size)) --size;
        return escaped(value.substr(0, size)) + "...";
    }

    void complainAt(std::size_t line, std::string_view field, std::string_view value,
                    std::string_view allowed) {
        complain("line " + std::to_string(line), field, value, allowed);
    }
    void complain(const std::string& where, std::string_view field, std::string_view value,
                  std::string_view allowed) {
        if (!complaint_) complaint_ = where + ": " + detail::complain(field, value, allowed);
    }

    std::vector<Field> fields_;
    std::size_t lines_ = 0;
    Complaint complaint_{};
};

}  // namespace fusebox::detail
