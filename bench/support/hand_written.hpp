// SPDX-License-Identifier: MIT
// Breakers as they are usually written: a mutex around everything.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "support/cases.hpp"
#include "support/work.hpp"

namespace bench::hand_written {

using Time = std::chrono::steady_clock::time_point;

/// Open or not, and until when.
class Door {
public:
    bool admit() {
        const std::lock_guard lock{mutex_};
        if (open_ && std::chrono::steady_clock::now() >= deadline_) open_ = false;
        return !open_;
    }
    void open() {
        const std::lock_guard lock{mutex_};
        trip();
    }
    [[nodiscard]] bool isOpen() {
        const std::lock_guard lock{mutex_};
        return open_;
    }

protected:
    void trip() {
        open_ = true;
        deadline_ = std::chrono::steady_clock::now() + std::chrono::hours{1};
    }

    std::mutex mutex_;

private:
    bool open_ = false;
    Time deadline_{};
};

/// Trips on so many failures in a row.
class InARow : public Door {
public:
    static constexpr bool kTimed = false;

    void succeeded(std::chrono::nanoseconds) {
        const std::lock_guard lock{mutex_};
        failures_ = 0;
    }
    void failed(std::chrono::nanoseconds) {
        const std::lock_guard lock{mutex_};
        if (++failures_ == kThreshold) trip();
    }

private:
    // More than are ever measured: failures of a closed breaker are.
    static constexpr std::int64_t kThreshold = INT64_MAX;

    std::int64_t failures_ = 0;
};

/// Trips on a share of failures among the last calls, whose latencies it sums up.
class RollingWindow : public Door {
public:
    static constexpr bool kTimed = true;

    void succeeded(std::chrono::nanoseconds took) { record({false, took}); }
    void failed(std::chrono::nanoseconds took) { record({true, took}); }

private:
    struct Outcome {
        bool failed;
        std::chrono::nanoseconds took;
    };
    static constexpr std::size_t kCalls = 100;
    // As above: it is never reached.
    static constexpr double kThreshold = 1.01;

    void record(Outcome outcome) {
        const std::lock_guard lock{mutex_};
        window_.push_back(outcome);
        failures_ += outcome.failed;
        total_ += outcome.took;
        if (window_.size() > kCalls) {
            failures_ -= window_.front().failed;
            total_ -= window_.front().took;
            window_.pop_front();
        }
        if (static_cast<double>(failures_) >= kThreshold * kCalls) trip();
    }

    std::deque<Outcome> window_;
    int failures_ = 0;
    std::chrono::nanoseconds total_{0};
};

/// Calls `fn` through such a breaker; a rejection is thrown.
template <class Breaker, class Fn>
auto execute(Breaker& breaker, Fn&& fn) {
    using Result = decltype(fn());
    if (!breaker.admit()) throw std::runtime_error{"circuit open"};
    const auto now = [] { return Breaker::kTimed ? std::chrono::steady_clock::now() : Time{}; };
    const Time start = now();
    try {
        Result result = fn();
        const bool good =
            fusebox::OutcomeTraits<Result>::classify(result) == fusebox::Outcome::Success;
        good ? breaker.succeeded(now() - start) : breaker.failed(now() - start);
        return result;
    } catch (...) {
        breaker.failed(now() - start);
        throw;
    }
}

/// A case of each of the two.
template <class F>
void forEach(F&& f) {
    f(std::type_identity<InARow>{}, "mutex, in a row");
    f(std::type_identity<RollingWindow>{}, "mutex, rolling window");
}

/// That it was all the time what it was meant to be.
[[nodiscard]] inline auto stayed(bool open) {
    return [open](Door& door, std::uint64_t) -> Finding {
        if (door.isOpen() == open) return {};
        return open ? "the breaker ended closed" : "the breaker ended open";
    };
}

/// Breakers by name: a map under a shared lock that hands out shared pointers.
template <class Breaker>
class Map {
public:
    void insert(std::string name, std::shared_ptr<Breaker> breaker) {
        const std::unique_lock lock{mutex_};
        breakers_.emplace(std::move(name), std::move(breaker));
    }
    [[nodiscard]] std::shared_ptr<Breaker> find(std::string_view name) const {
        const std::shared_lock lock{mutex_};
        return breakers_.find(name)->second;
    }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const noexcept {
            return std::hash<std::string_view>{}(name);
        }
    };

    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Breaker>, Hash, std::equal_to<>> breakers_;
};

}  // namespace bench::hand_written
