// SPDX-License-Identifier: MIT
// A callable of any type, to be called once.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace fusebox::detail {

/// Holds a move-only callable; small ones, such as a TaskHandle, without an allocation.
class Job {
public:
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, Job>)
    explicit Job(F&& f) : kind_(&kindOf<std::decay_t<F>>) {
        using Stored = std::decay_t<F>;
        if constexpr (fits<Stored>) {
            ::new (room()) Stored(std::forward<F>(f));
        } else {
            ::new (room()) Stored*(new Stored(std::forward<F>(f)));
        }
    }
    Job(Job&& other) noexcept : kind_(other.kind_) { kind_->move(room(), other.room()); }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() { kind_->destroy(room()); }

    void operator()() { kind_->call(room()); }

private:
    static constexpr std::size_t kRoom = 3 * sizeof(void*);

    /// What can be done with a callable of one type.
    struct Kind {
        void (*call)(void*);
        void (*move)(void* to, void* from) noexcept;
        void (*destroy)(void*) noexcept;
    };

    template <class F>
    static constexpr bool fits =
        sizeof(F) <= kRoom &&
        alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

    template <class F>
    static F& in(void* room) noexcept {
        if constexpr (fits<F>) {
            return *std::launder(static_cast<F*>(room));
        } else {
            return **std::launder(static_cast<F**>(room));
        }
    }

    template <class F>
    static constexpr Kind kindOf{[](void* room) { static_cast<void>(std::move(in<F>(room))()); },
                                 [](void* to, void* from) noexcept {
                                     if constexpr (fits<F>) {
                                         ::new (to) F(std::move(in<F>(from)));
                                     } else {
                                         F** const place = std::launder(static_cast<F**>(from));
                                         ::new (to) F*(std::exchange(*place, nullptr));
                                     }
                                 },
                                 [](void* room) noexcept {
                                     if constexpr (fits<F>) {
                                         in<F>(room).~F();
                                     } else {
                                         delete *std::launder(static_cast<F**>(room));
                                     }
                                 }};

    [[nodiscard]] void* room() noexcept { return room_; }

    const Kind* kind_;
    alignas(void*) std::byte room_[kRoom];
};

}  // namespace fusebox::detail
