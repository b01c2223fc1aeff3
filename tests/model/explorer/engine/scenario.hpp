// SPDX-License-Identifier: MIT
// A small concurrent program, and what a search found out about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/search.hpp"

namespace fusebox::model {

/// A program of up to three threads that is run again and again. It must do the same whenever it
/// reads the same values.
class Scenario {
public:
    /// What runs showed, in numbers; each once.
    using Shown = std::set<std::vector<std::int64_t>>;

    virtual ~Scenario() = default;

    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual std::size_t threads() const = 0;
    /// Makes everything new; before the threads.
    virtual void begin() = 0;
    /// @param thread from 1.
    virtual void run(std::size_t thread) = 0;
    /// That thread goes on.
    virtual void resume(std::size_t thread) { (void)thread; }
    /// Judges, and takes down what `begin` made; after the threads.
    virtual void end() = 0;

    /// From now on; null: no longer.
    void collect(Shown* shown) noexcept { shown_ = shown; }

protected:
    [[nodiscard]] bool collects() const noexcept { return shown_ != nullptr; }
    void show(std::vector<std::int64_t> numbers) { shown_->insert(std::move(numbers)); }

private:
    Shown* shown_ = nullptr;
};

struct Findings {
    std::uint64_t executions = 0;
    std::uint64_t redundant = 0;  ///< Of the executions: a part was seen before.
    std::uint64_t steps = 0;
    bool exhausted = false;
    std::string violation{};  ///< Empty: there is none.
    std::string trace{};      ///< The steps of the execution that violates.
};

[[nodiscard]] Findings explore(Scenario& scenario, const Limits& limits = {});

}  // namespace fusebox::model
