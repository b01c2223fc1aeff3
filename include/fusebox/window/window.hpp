// SPDX-License-Identifier: MIT
// How far back a policy looks: the last so many calls, or the last so much time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// A number of calls, made by `lastCalls(n)`, or a duration, made implicitly from any duration.
/// Any number can be held: what cannot work is refused by the policy's validation.
class Window {
public:
    /// The largest number of calls that a window may span.
    static constexpr int kMaxCalls = 1'000'000;

    /// The last 100 calls.
    constexpr Window() noexcept = default;

    /// The last `duration`, in nanoseconds, saturating; `nanoseconds::max()` spans all time.
    template <class Rep, class Period>
    constexpr Window(std::chrono::duration<Rep, Period> duration) noexcept
        : isTime_(true), length_(saturatingNanoseconds(duration).count()) {}

    /// Whether the window spans a duration rather than a number of calls.
    [[nodiscard]] constexpr bool isTime() const noexcept { return isTime_; }
    /// The number of calls; 0 if the window spans a duration.
    [[nodiscard]] constexpr int calls() const noexcept {
        return isTime_ ? 0 : static_cast<int>(length_);
    }
    /// The duration; 0 if the window spans a number of calls.
    [[nodiscard]] constexpr std::chrono::nanoseconds duration() const noexcept {
        return std::chrono::nanoseconds{isTime_ ? length_ : 0};
    }

    friend bool operator==(const Window&, const Window&) = default;
    friend constexpr Window lastCalls(int calls) noexcept;

private:
    bool isTime_ = false;
    std::int64_t length_ = 100;
};

/// The window of exactly the last `calls` calls (1 to `Window::kMaxCalls`).
[[nodiscard]] constexpr Window lastCalls(int calls) noexcept {
    Window window;
    window.length_ = calls;
    return window;
}

/// "the last 100 calls", "the last 30 s" or, for a window that never ends, "all time".
[[nodiscard]] inline std::string toString(const Window& window) {
    if (window == Window{kForever}) return "all time";
    if (window.isTime()) return "the last " + detail::toText(window.duration());
    if (window.calls() == 1) return "the last call";
    return "the last " + std::to_string(window.calls()) + " calls";
}

namespace detail {

/// Whether a window of the same kind spans all that another does.
[[nodiscard]] constexpr bool reachesAsFar(const Window& window, const Window& other) noexcept {
    return window.isTime() == other.isTime() && window.calls() >= other.calls() &&
           window.duration() >= other.duration();
}

/// A window of 1 to `Window::kMaxCalls` calls, or of a duration above zero.
[[nodiscard]] inline Complaint requireWindow(std::string_view field, const Window& window) {
    if (window.isTime()) return requirePositive(field, window.duration());
    if (window.calls() >= 1 && window.calls() <= Window::kMaxCalls) return std::nullopt;
    return complain(field, "lastCalls(" + std::to_string(window.calls()) + ")",
                    "lastCalls(1) to lastCalls(" + std::to_string(Window::kMaxCalls) +
                        "), or a duration above 0");
}

}  // namespace detail
}  // namespace fusebox
