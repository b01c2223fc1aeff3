// SPDX-License-Identifier: MIT
// What is under load: something that many threads use for a while, and that is looked at at rest.
#pragma once

#include <cstdint>

#include "soak/books.hpp"
#include "stress/load.hpp"

namespace fusebox::test {

/// Threads that use a subject at once, apart from the one that steers.
inline constexpr int kWorkers = 3;

/// What a run did.
struct Tally {
    std::uint64_t calls = 0;
    std::uint64_t rejected = 0;
    std::uint64_t trips = 0;
};

class Subject {
public:
    Subject() = default;
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;
    virtual ~Subject() = default;

    /// Some use; called by each worker again and again.
    virtual void use(int worker) = 0;
    /// A worker's part of coming to rest.
    virtual void letGo(int worker) { static_cast<void>(worker); }
    /// Some control; called by one thread while others use it.
    virtual void steer(Random& random) = 0;
    /// Whatever could keep workers from ending is undone.
    virtual void calm() {}
    /// Nobody else uses it now: compares everything.
    virtual void check(std::uint64_t slice) = 0;
    [[nodiscard]] virtual Tally tally() const = 0;
};

}  // namespace fusebox::test
