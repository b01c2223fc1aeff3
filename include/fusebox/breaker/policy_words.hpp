// SPDX-License-Identifier: MIT
// A policy in words, when only the words matter.
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace fusebox::detail {

/// Who can say in words what the policy was.
struct PolicyInWords {
    PolicyInWords() = default;
    PolicyInWords(const PolicyInWords&) = delete;
    PolicyInWords& operator=(const PolicyInWords&) = delete;
    virtual ~PolicyInWords() = default;
    [[nodiscard]] virtual std::string policyWords() const = 0;
};
using PolicyWords = std::shared_ptr<const PolicyInWords>;

/// Of a policy that is gone.
struct RememberedPolicy final : PolicyInWords {
    explicit RememberedPolicy(std::string w) : words(std::move(w)) {}
    [[nodiscard]] std::string policyWords() const override { return words; }

    std::string words;
};

}  // namespace fusebox::detail
