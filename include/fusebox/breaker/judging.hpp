// SPDX-License-Identifier: MIT
// Who judges the end of a call: a classifier of its own, or the breaker's rules.
#pragma once

#include <concepts>
#include <exception>
#include <type_traits>

#include "fusebox/breaker/outcome_traits.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The breaker's own rules judge.
struct NoClassifier {};

/// A classifier whose templates lose to a function of ours, and are so not compiled, when it is
/// given an exception: `[](const auto& result)` is meant for results.
template <class Classifier>
struct TemplatesLose : Classifier {
    using Classifier::operator();
    template <std::same_as<std::exception_ptr> Error>
    void operator()(const Error&) const;
};
template <class Classifier>
inline constexpr bool canBeDerivedFrom =
    std::is_class_v<Classifier> && !std::is_final_v<Classifier> &&
    !std::is_same_v<std::remove_cv_t<Classifier>, NoClassifier>;
template <class Classifier>
struct NamedParametersOf : std::type_identity<Classifier> {};
template <class Classifier>
    requires canBeDerivedFrom<Classifier>
struct NamedParametersOf<Classifier> : std::type_identity<TemplatesLose<Classifier>> {
};
template <class Classifier>
    requires canBeDerivedFrom<Classifier>
struct NamedParametersOf<const Classifier> : std::type_identity<const TemplatesLose<Classifier>> {
};
template <class Classifier>
using NamedParameters = typename NamedParametersOf<std::remove_reference_t<Classifier>>::type;

template <class Classifier, class R>
concept JudgesResult = !std::is_void_v<R> &&
                       std::is_invocable_r_v<Outcome, Classifier&, const std::remove_cvref_t<R>&>;
/// Where there is a result, whoever takes anything is taken to judge that.
template <class Classifier, class R>
using JudgeOfExceptions = std::add_lvalue_reference_t<
    std::conditional_t<std::is_void_v<R>, Classifier, NamedParameters<Classifier>>>;
using CaughtException = const std::exception_ptr&;
template <class Classifier, class R>
concept JudgesException =
    std::is_invocable_r_v<Outcome, JudgeOfExceptions<Classifier, R>, CaughtException>;
template <class Classifier, class R>
inline constexpr bool judges = JudgesResult<Classifier, R> || JudgesException<Classifier, R>;

/// Runs a classifier; one that throws means Failure.
template <class Judge>
FUSEBOX_HOT Outcome judgeSafely(Judge&& judge) noexcept {
#if defined(__cpp_exceptions)
    try {
        return judge();
    } catch (...) {
        return Outcome::Failure;
    }
#else
    return judge();
#endif
}

template <class R, class Classifier>
FUSEBOX_HOT Outcome judgeResult(Classifier& classifier, const R& result) noexcept {
    return judgeSafely([&]() -> Outcome {
        if constexpr (JudgesResult<Classifier, R>) {
            return classifier(result);
        } else {
            return OutcomeTraits<R>::classify(result);
        }
    });
}

template <class R, class Core, class Classifier>
Outcome judgeException(const Core& core, Ticket ticket, Classifier& classifier,
                       const std::exception_ptr& error) noexcept {
    return judgeSafely([&]() -> Outcome {
        if constexpr (JudgesException<Classifier, R>) {
            return classifier(error);
        } else {
            const auto configuration = core.configurationOf(ticket);
            const auto& classify = configuration->options.classifyError;
            return classify ? classify(error) : Outcome::Failure;
        }
    });
}

}  // namespace fusebox::detail
