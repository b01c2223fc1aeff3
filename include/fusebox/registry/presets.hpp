// SPDX-License-Identifier: MIT
// Configurations that a registry creates breakers from.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "fusebox/breaker/options.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// A policy and options under a name, to create breakers from.
struct BreakerPreset {
    AnyTripPolicy policy{};
    CircuitBreakerOptions options{};
};

namespace detail {

/// The presets of a registry, and its defaults. All of them can work.
class Presets {
public:
    [[nodiscard]] BreakerPreset defaults() const {
        const std::lock_guard lock{mutex_};
        return defaults_;
    }
    void setDefaults(BreakerPreset defaults) {
        require("defaults", defaults);
        const std::lock_guard lock{mutex_};
        std::swap(defaults_, defaults);  // The old ones are released after the lock.
    }

    void define(std::string_view name, BreakerPreset preset) {
        require(name, preset);
        const std::lock_guard lock{mutex_};
        std::swap(byName_[std::string{name}], preset);  // The old one is released after the lock.
    }

    [[nodiscard]] BreakerPreset get(std::string_view name) const {
        const std::lock_guard lock{mutex_};
        const auto found = byName_.find(name);
        if (found == byName_.end()) {
            raise(ConfigError{complain("preset", '"' + std::string{name} + '"', known())});
        }
        return found->second;
    }

private:
    static void require(std::string_view name, const BreakerPreset& preset) {
        if (const auto complaint = firstOf(validate(preset.policy), validate(preset.options))) {
            raise(ConfigError{"\"" + std::string{name} + "\": " + *complaint});
        }
    }

    [[nodiscard]] std::string known() const {
        std::string text = "a name given to definePreset()";
        for (const auto& [name, preset] : byName_) {
            text += text.back() == ')' ? ": \"" : ", \"";
            text.append(name).append("\"");
        }
        if (byName_.empty()) text += "; there is none";
        return text;
    }

    mutable std::mutex mutex_;
    std::map<std::string, BreakerPreset, std::less<>> byName_;
    BreakerPreset defaults_;
};

}  // namespace detail
}  // namespace fusebox
