// SPDX-License-Identifier: MIT
// What a call left behind, on its way from one thread to another.
#pragma once

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace fusebox::detail {

/// A result of type `R` (a value, a reference, void), an exception, or nothing yet.
/// **Threads.** One at a time.
template <class R>
class CallResult {
    struct Nothing {};
    using Value = std::conditional_t<
        std::is_void_v<R>, Nothing,
        std::conditional_t<std::is_reference_v<R>, std::add_pointer_t<R>, std::remove_cv_t<R>>>;

public:
    /// Keeps what `call` returns or throws.
    template <class Call>
    void fill(Call&& call) noexcept {
#if defined(__cpp_exceptions)
        try {
            keep(std::forward<Call>(call));
        } catch (...) {
            content_.template emplace<2>(std::current_exception());
        }
#else
        keep(std::forward<Call>(call));
#endif
    }

    /// Gives it away, or throws it.
    /// @pre there is something.
    [[nodiscard]] std::remove_cv_t<R> take() {
        // Nothing of the exception stays here: who takes it also destroys it.
        if (auto* error = std::get_if<2>(&content_)) {
            std::rethrow_exception(std::exchange(*error, nullptr));
        }
        if constexpr (std::is_reference_v<R>) {
            return static_cast<R>(**std::get_if<1>(&content_));
        } else if constexpr (!std::is_void_v<R>) {
            return std::move(*std::get_if<1>(&content_));
        }
    }

    void clear() noexcept {
        content_.template emplace<0>();
    }

private:
    template <class Call>
    void keep(Call&& call) {
        if constexpr (std::is_void_v<R>) {
            std::forward<Call>(call)();
            content_.template emplace<1>();
        } else if constexpr (std::is_reference_v<R>) {
            auto&& referred = std::forward<Call>(call)();
            content_.template emplace<1>(std::addressof(referred));
        } else {
            content_.template emplace<1>(std::forward<Call>(call)());
        }
    }

    // By index: a result may be an exception_ptr itself.
    std::variant<std::monostate, Value, std::exception_ptr> content_;
};

/// A call that takes the result of another one.
template <class R>
class TakeResult {
public:
    explicit TakeResult(CallResult<R>& result) noexcept : result_(result) {}
    std::remove_cv_t<R> operator()() const { return result_.take(); }

private:
    CallResult<R>& result_;
};

}  // namespace fusebox::detail
