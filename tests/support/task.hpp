// SPDX-License-Identifier: MIT
// The coroutine types and awaitables that tests of coroutines are made of.
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace fusebox::test {

/// How many frames of the coroutine types below are alive.
inline std::atomic<int> framesAlive{0};

struct CountedFrame {
    CountedFrame() noexcept { framesAlive.fetch_add(1); }
    CountedFrame(const CountedFrame&) = delete;
    CountedFrame& operator=(const CountedFrame&) = delete;
    ~CountedFrame() { framesAlive.fetch_sub(1); }
};

/// A lazy coroutine: starts when it is awaited, goes on with its awaiter by symmetric transfer.
/// Destroying it destroys the frame, wherever it stands.
template <class T = void>
class [[nodiscard]] Task {
    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            return ended.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    struct PromiseBase : CountedFrame {
        std::suspend_always initial_suspend() const noexcept { return {}; }
        FinalAwaiter final_suspend() const noexcept { return {}; }
        void unhandled_exception() noexcept { error = std::current_exception(); }
        void rethrow() const {
            if (error) std::rethrow_exception(error);
        }

        std::coroutine_handle<> continuation = std::noop_coroutine();
        std::exception_ptr error{};
    };

    struct ValuePromise : PromiseBase {
        template <class U>
        void return_value(U&& given) {
            value.emplace(std::forward<U>(given));
        }
        T result() {
            this->rethrow();
            return std::move(*value);
        }
        std::optional<T> value{};
    };
    struct VoidPromise : PromiseBase {
        void return_void() const noexcept {}
        void result() const { this->rethrow(); }
    };

public:
    struct promise_type : std::conditional_t<std::is_void_v<T>, VoidPromise, ValuePromise> {
        Task get_return_object() noexcept {
            return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };

    Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(coroutine_, other.coroutine_);
        return *this;
    }
    ~Task() {
        if (coroutine_) coroutine_.destroy();
    }

    auto operator co_await() && noexcept {
        struct Awaiter {
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
                coroutine.promise().continuation = awaiting;
                return coroutine;
            }
            decltype(auto) await_resume() const { return coroutine.promise().result(); }

            std::coroutine_handle<promise_type> coroutine;
        };
        return Awaiter{coroutine_};
    }

private:
    explicit Task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

    std::coroutine_handle<promise_type> coroutine_;
};

/// A coroutine at the root: runs at once; a test resumes or destroys what it waits in.
class [[nodiscard]] Root {
public:
    struct promise_type : CountedFrame {
        Root get_return_object() noexcept {
            return Root{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { error = std::current_exception(); }

        std::exception_ptr error{};
    };

    Root(Root&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    Root& operator=(Root&&) = delete;
    ~Root() { destroy(); }

    [[nodiscard]] bool done() const noexcept { return coroutine_.done(); }
    /// What left the coroutine, thrown again. @pre done.
    void rethrow() const {
        if (coroutine_.promise().error) std::rethrow_exception(coroutine_.promise().error);
    }
    void destroy() noexcept {
        if (coroutine_) std::exchange(coroutine_, {}).destroy();
    }

private:
    explicit Root(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}

    std::coroutine_handle<promise_type> coroutine_;
};

/// A coroutine that nobody holds: its frame is gone when it ends.
struct Detached {
    struct promise_type : CountedFrame {
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

/// An awaiter that waits until a test says how to go on.
template <class T = int>
class ValueGate {
public:
    ValueGate() = default;
    ValueGate(const ValueGate&) = delete;
    ValueGate& operator=(const ValueGate&) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
    T await_resume() {
        if (error_) std::rethrow_exception(error_);
        return std::move(*value_);
    }

    [[nodiscard]] bool waitedFor() const noexcept { return waiting_ != nullptr; }
    /// Lets the coroutine go on, on this thread.
    template <class... Args>
    void open(Args&&... args) {
        value_.emplace(std::forward<Args>(args)...);
        std::exchange(waiting_, {}).resume();
    }
    template <class E>
    void fail(E error) {
        error_ = std::make_exception_ptr(std::move(error));
        std::exchange(waiting_, {}).resume();
    }

private:
    std::coroutine_handle<> waiting_;
    std::optional<T> value_{};
    std::exception_ptr error_{};
};

/// Runs a lazy coroutine to its end, which must come without waiting for anything; its result.
template <class T>
T runNow(Task<T> task) {
    if constexpr (std::is_void_v<T>) {
        const auto root = [](Task<T> inner) -> Root { co_await std::move(inner); }(std::move(task));
        root.rethrow();
    } else {
        std::optional<T> result;
        const auto root = [](Task<T> inner, std::optional<T>& out) -> Root {
            out.emplace(co_await std::move(inner));
        }(std::move(task), result);
        root.rethrow();
        return std::move(*result);
    }
}

}  // namespace fusebox::test
