// SPDX-License-Identifier: MIT
// One run of a scenario: its threads, its memory, and who is next.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/fibers.hpp"
#include "engine/order_sites.hpp"
#include "engine/scenario.hpp"
#include "engine/search.hpp"
#include "engine/store_history.hpp"
#include "engine/vector_clock.hpp"

namespace fusebox::model {

/// Which object, and at which address it must be.
struct ObjectRef {
    std::uint32_t id = 0;
    const void* address = nullptr;
};

/// Hears of every store, when it is made.
class StoreObserver {
public:
    virtual ~StoreObserver() = default;
    /// @param type of the value, as `typeMark<T>`.
    virtual void stored(ObjectRef object, std::uint64_t bits, const void* type, Where where) = 0;
};

template <class T>
inline constexpr char typeMark = 0;

/// What an operation on an atomic object is, apart from its values.
struct Access {
    ObjectRef object{};
    std::memory_order order = std::memory_order_relaxed;
    Where where{};
    const void* type = nullptr;
};

/// The memory follows C++20 (release sequences are of updates only), with these limits: the
/// modification order of an object is the order in which its stores are executed; nothing is read
/// before it is written (no load buffering); weak compare-exchanges and `try_lock` do not fail
/// without a reason. Sequentially consistent operations are ordered as they are executed. There are
/// no fences.
class Execution {
public:
    using Update = std::uint64_t (*)(std::uint64_t old, std::uint64_t argument);

    /// Runs the scenario once; false if it did not come to its end.
    bool run(Scenario& scenario, Search& search, bool logging);

    [[nodiscard]] const std::string& violation() const noexcept { return violation_; }
    [[nodiscard]] const std::string& log() const noexcept { return log_; }
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

    // For atomic objects.
    [[nodiscard]] std::uint32_t construct(const void* address, std::uint64_t bits);
    void destroy(ObjectRef object);
    [[nodiscard]] std::uint64_t load(const Access& access);
    /// The newest value, in no order with anything: what a clock shows.
    [[nodiscard]] std::uint64_t glance(ObjectRef object);
    void store(const Access& access, std::uint64_t bits);
    [[nodiscard]] std::uint64_t update(const Access& access, Update change, std::uint64_t argument);
    [[nodiscard]] bool compareExchange(const Access& access, std::memory_order failure,
                                       std::uint64_t& expected, std::uint64_t desired);

    // For mutexes.
    void lock(ObjectRef object);
    [[nodiscard]] bool tryLock(ObjectRef object);
    void unlock(ObjectRef object);

    // For plain data.
    [[nodiscard]] std::size_t thread() const noexcept { return thread_; }
    /// The present thread's clock, one access later.
    [[nodiscard]] const VectorClock& access() noexcept;

    /// The newest value, for an observer.
    [[nodiscard]] std::uint64_t newest(std::uint32_t id) {
        return objects_[id].history.newest().bits;
    }
    void observe(StoreObserver* observer) noexcept { observer_ = observer; }
    /// Notes what went wrong; the first counts.
    void fail(const std::string& what);
    void logLine(const std::string& line);

private:
    static constexpr std::size_t kMostSteps = 20'000;
    static constexpr std::size_t kNobody = kThreads;

    struct Object {
        const void* address = nullptr;
        StoreHistory history{};
        // Of a mutex.
        std::size_t holder = kNobody;
        VectorClock released{};
    };

    static void runFiber(void* self, std::size_t fiber);
    /// Announces an operation, and returns when it is this thread's turn.
    void await(Operation operation);
    void handOver();
    [[nodiscard]] Threads enabled() const noexcept;
    /// The object, if it is there and the thread may know of it.
    [[nodiscard]] Object* find(ObjectRef object, const char* what);
    [[nodiscard]] bool isObject(ObjectRef object) const noexcept;
    void findReadable(Object& object, std::memory_order order);
    [[nodiscard]] std::size_t pickReadable();
    [[nodiscard]] std::uint64_t readAt(Object& object, std::size_t index, std::memory_order order);
    void write(Object& object, const Access& access, std::uint64_t bits,
               const VectorClock& released);
    void acquireMutex(Object& mutex);
    void logAccess(const char* what, const Access& access, std::uint64_t bits);
    [[nodiscard]] VectorClock& clock() noexcept { return clocks_[thread_]; }

    Scenario* scenario_ = nullptr;
    Search* search_ = nullptr;
    StoreObserver* observer_ = nullptr;
    Fibers fibers_;

    std::size_t thread_ = 0;
    std::size_t threads_ = 0;
    bool parallel_ = false;
    bool starting_ = false;
    bool stuck_ = false;
    Threads running_ = 0;
    Search::Pending pending_{};
    std::array<VectorClock, kThreads> clocks_{};

    // Objects of earlier runs are kept for their memory.
    std::vector<Object> objects_;
    std::uint32_t objectsInUse_ = 0;
    std::vector<std::size_t> readable_;  // Of the load that is being made.

    std::uint64_t steps_ = 0;
    std::uint64_t stepsOfRun_ = 0;
    bool logging_ = false;
    std::string violation_;
    std::string log_;
};

[[nodiscard]] Execution& execution();

}  // namespace fusebox::model
