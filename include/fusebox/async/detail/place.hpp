// SPDX-License-Identifier: MIT
// Room for one object that is made later, where it stands.
#pragma once

#include <memory>
#include <new>
#include <utility>

namespace fusebox::detail {

/// Holds what a function returns without moving it: awaiters and tasks need not be movable.
template <class T>
class Place {
public:
    Place() noexcept {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        if (filled_) std::destroy_at(std::addressof(value_));
    }

    /// Keeps what `make` returns. @pre nothing is kept yet.
    template <class Make>
    void fill(Make&& make) {
        ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<Make>(make)());
        filled_ = true;
    }
    /// @pre filled.
    [[nodiscard]] T& get() noexcept { return value_; }

private:
    union {
        T value_;
    };
    bool filled_ = false;
};

/// A reference is kept as what it is.
template <class T>
class Place<T&> {
public:
    template <class Make>
    void fill(Make&& make) {
        value_ = std::addressof(std::forward<Make>(make)());
    }
    [[nodiscard]] T& get() noexcept { return *value_; }

private:
    T* value_ = nullptr;
};

template <class T>
class Place<T&&> {
public:
    template <class Make>
    void fill(Make&& make) {
        T&& value = std::forward<Make>(make)();
        value_ = std::addressof(value);
    }
    [[nodiscard]] T& get() noexcept { return *value_; }

private:
    T* value_ = nullptr;
};

}  // namespace fusebox::detail
