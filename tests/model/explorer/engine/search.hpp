// SPDX-License-Identifier: MIT
// Depth-first search over the choices of a program that is run again and again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "engine/operation.hpp"
#include "engine/vector_clock.hpp"

namespace fusebox::model {

/// How much is searched.
struct Limits {
    /// Without it, every execution up to the order of independent steps. With it, every execution
    /// in which a thread that could go on has to wait at most so often.
    std::optional<int> preemptions{};
    /// Of equal values that teach a load nothing, each; else the oldest of them alone, after which
    /// there may come whatever may come after the others.
    bool everyValue = false;
    std::uint64_t executions = std::numeric_limits<std::uint64_t>::max();
};

/// A set of threads.
using Threads = unsigned;
[[nodiscard]] constexpr Threads only(std::size_t thread) noexcept {
    return 1U << thread;
}

/// The tree of choices, as a stack: which thread goes on, which value is read. Without a bound on
/// preemptions it leaves out orders that differ in independent steps only: dynamic partial-order
/// reduction with sleep sets (Flanagan, Godefroid, POPL 2005). A load is not tried before a store
/// that it may ignore anyway: that order is among its choices after the store.
class Search {
public:
    using Pending = std::array<std::optional<Operation>, kThreads>;

    explicit Search(const Limits& limits) : limits_(limits) {}

    void beginRun();
    /// Which of the enabled threads goes on with its pending operation.
    [[nodiscard]] std::size_t pickThread(const Pending& pending, Threads enabled);
    /// One of `count` values; 0 first.
    [[nodiscard]] std::size_t pickValue(std::size_t count);
    /// The thread that was picked last read, or wrote, that value of an object.
    void noteRead(std::uint32_t object, std::size_t value);
    void noteWritten(std::uint32_t object, std::size_t value);
    /// Goes to the next branch; false if there is none.
    [[nodiscard]] bool nextRun();

    /// Whether the present run repeats, from some point on, what was seen in another one.
    [[nodiscard]] bool redundant() const noexcept { return redundant_; }
    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }

private:
    struct Node {
        // Of a choice between values.
        std::size_t values = 0;
        std::size_t value = 0;
        // Of a choice between threads.
        Threads enabled = 0;
        Threads asleep = 0;  ///< What they would do is part of a branch that is done.
        Threads done = 0;
        Threads wanted = 0;
        std::size_t chosen = 0;
        int preemptions = 0;
    };
    struct Step {
        std::size_t node = 0;
        std::size_t thread = 0;
        Operation operation{};
        Time time = 0;
    };
    /// The steps on which the use of an object depends.
    struct Footprints {
        VectorClock writes{};
        VectorClock reads{};
        std::vector<VectorClock> values{};  ///< Those of each value of an atomic.
    };

    [[nodiscard]] Node decide(Threads enabled);
    [[nodiscard]] std::size_t preferred(Threads among) const noexcept;
    void noteRaces(const Pending& pending);
    void noteRace(const Step& step, std::size_t thread);
    [[nodiscard]] bool races(const Step& step, std::size_t thread, Operation next) const noexcept;
    void take(const Node& node, std::size_t at, const Pending& pending);
    [[nodiscard]] Footprints& footprintsOf(std::uint32_t object);
    [[nodiscard]] VectorClock& valueOf(std::uint32_t object, std::size_t value);

    Limits limits_;
    std::vector<Node> nodes_;
    std::size_t depth_ = 0;
    std::size_t replayed_ = 0;
    bool redundant_ = false;

    // Of the present run.
    std::vector<Step> steps_;
    std::vector<Footprints> footprints_;
    std::array<VectorClock, kThreads> dependsOn_{};
    Threads asleep_ = 0;
    int preemptions_ = 0;
};

}  // namespace fusebox::model
