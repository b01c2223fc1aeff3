// SPDX-License-Identifier: MIT
// Writes structures as lines `field=value` below a line `format version`.
//
// What the fields are is said once, in a function that is given an archive: a `FieldWriter`, a
// `FieldReader`, or `FieldNames`, which only lists them. See saved_state_text.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fusebox::detail {

/// The name of a format and its version: the first line.
struct Format {
    std::string_view name;
    std::string_view version;
};

/// Writes the fields in the order in which it is given them.
template <const Format& format>
class FieldWriter {
public:
    FieldWriter() { text_.append(format.name).append(" ").append(format.version) += '\n'; }

    template <class Value, class Form>
    void required(std::string_view name, const Value& value, Form) {
        text_.append(name).append("=").append(Form::write(value)) += '\n';
    }
    template <class Value, class Form>
    void optional(std::string_view name, const std::optional<Value>& value, Form form) {
        if (value) required(name, *value, form);
    }
    /// A field that is there if `holds`, which is the case in the `circumstances` only.
    template <class Value, class Form>
    void requiredIf(bool holds, std::string_view, std::string_view name, const Value& value,
                    Form form) {
        if (holds) required(name, value, form);
    }
    /// Fields whose names begin alike; `visit` is given an archive and the value.
    template <class Value, class Visit>
    void group(std::string_view, const std::optional<Value>& value, Visit visit) {
        if (value) visit(*this, *value);
    }

    [[nodiscard]] std::string take() && { return std::move(text_); }

private:
    std::string text_{};
};

/// Lists the fields.
template <const Format& format>
class FieldNames {
public:
    /// A field and where it stands in a text.
    struct Field {
        std::string_view name;
        std::string_view value;
        std::size_t line;  ///< 0: missing.
    };

    template <class Value, class Form>
    void required(std::string_view name, const Value&, Form) {
        fields_.push_back({name, {}, 0});
    }
    template <class Value, class Form>
    void optional(std::string_view name, const Value&, Form) {
        fields_.push_back({name, {}, 0});
    }
    template <class Value, class Form>
    void requiredIf(bool, std::string_view, std::string_view name, const Value&, Form) {
        fields_.push_back({name, {}, 0});
    }
    template <class Value, class Visit>
    void group(std::string_view, const std::optional<Value>&, Visit visit) {
        const Value value{};
        visit(*this, value);
    }

    [[nodiscard]] std::vector<Field> take() && { return std::move(fields_); }

private:
    std::vector<Field> fields_{};
};

}  // namespace fusebox::detail
