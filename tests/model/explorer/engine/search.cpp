// SPDX-License-Identifier: MIT
#include "engine/search.hpp"

#include <algorithm>
#include <bit>

namespace fusebox::model {

void Search::beginRun() {
    depth_ = 0;
    replayed_ = nodes_.size();
    redundant_ = false;
    steps_.clear();
    footprints_.clear();
    dependsOn_.fill({});
    asleep_ = 0;
    preemptions_ = 0;
}

std::size_t Search::pickThread(const Pending& pending, Threads enabled) {
    if (redundant_) return preferred(enabled);
    // What was replayed so far was looked at when it was new.
    if (!limits_.preemptions && depth_ >= replayed_) noteRaces(pending);
    if (depth_ == nodes_.size()) {
        if ((enabled & ~asleep_) == 0) {
            redundant_ = true;
            return preferred(enabled);
        }
        nodes_.push_back(decide(enabled));
    }
    const Node& node = nodes_[depth_];
    take(node, depth_, pending);
    ++depth_;
    return node.chosen;
}

std::size_t Search::pickValue(std::size_t count) {
    if (redundant_ || count == 1) return 0;
    if (depth_ == nodes_.size()) {
        Node node;
        node.values = count;
        nodes_.push_back(node);
    }
    return nodes_[depth_++].value;
}

bool Search::nextRun() {
    for (; !nodes_.empty(); nodes_.pop_back()) {
        Node& node = nodes_.back();
        if (node.values > 0) {
            if (++node.value < node.values) return true;
            continue;
        }
        node.done |= only(node.chosen);
        const Threads left = node.wanted & node.enabled & ~node.done & ~node.asleep;
        if (left == 0) continue;
        node.chosen = static_cast<std::size_t>(std::countr_zero(left));
        return true;
    }
    return false;
}

Search::Node Search::decide(Threads enabled) {
    Node node;
    node.enabled = enabled;
    node.asleep = asleep_;
    node.chosen = preferred(enabled & ~asleep_);
    node.preemptions = preemptions_;
    node.wanted = only(node.chosen);
    if (limits_.preemptions) {
        const bool goesOn = !steps_.empty() && node.chosen == steps_.back().thread;
        if (!goesOn || preemptions_ < *limits_.preemptions) node.wanted = enabled;
    }
    return node;
}

/// The one that is running, or else the first.
std::size_t Search::preferred(Threads among) const noexcept {
    if (!steps_.empty() && (among & only(steps_.back().thread)) != 0) return steps_.back().thread;
    return static_cast<std::size_t>(std::countr_zero(among));
}

/// Where a thread's next operation competes with an earlier step, it has to be tried before it.
void Search::noteRaces(const Pending& pending) {
    if (steps_.empty()) return;
    for (std::size_t t = 0; t < kThreads; ++t) {
        if (!pending[t]) continue;
        if (t != steps_.back().thread) {
            // Its operation is not new: only the last step is.
            if (races(steps_.back(), t, *pending[t])) noteRace(steps_.back(), t);
            continue;
        }
        const auto last = std::find_if(steps_.rbegin(), steps_.rend(), [&](const Step& step) {
            return races(step, t, *pending[t]);
        });
        if (last != steps_.rend()) noteRace(*last, t);
    }
}

bool Search::races(const Step& step, std::size_t thread, Operation next) const noexcept {
    return step.thread != thread && differs(next, step.operation) &&
           compete(step.operation, next) && !dependsOn_[thread].knows(step.thread, step.time);
}

void Search::noteRace(const Step& step, std::size_t thread) {
    Node& before = nodes_[step.node];
    before.wanted |= (before.enabled & only(thread)) != 0 ? only(thread) : before.enabled;
}

/// The chosen thread makes its step: who sleeps wakes up if that depends on it.
void Search::take(const Node& node, std::size_t at, const Pending& pending) {
    const std::size_t thread = node.chosen;
    const Operation operation = *pending[thread];
    if (limits_.preemptions) {
        const bool couldGoOn = !steps_.empty() && (node.enabled & only(steps_.back().thread)) != 0;
        preemptions_ = node.preemptions;
        if (couldGoOn && steps_.back().thread != thread) ++preemptions_;
    } else {
        asleep_ = 0;
        for (std::size_t t = 0; t < kThreads; ++t) {
            const bool sleeps = ((node.asleep | node.done) & only(t)) != 0;
            // What it would do comes after this step: is that another result than before?
            if (sleeps && !differs(operation, *pending[t])) asleep_ |= only(t);
        }
    }
    Footprints& there = footprintsOf(operation.object);
    VectorClock& known = dependsOn_[thread];
    // A load depends on what it reads: see `noteRead`.
    if (operation.kind != Operation::Kind::Load) known.join(there.writes);
    if (!operation.reads()) known.join(there.reads);
    const Time time = known.tick(thread);
    (operation.reads() ? there.reads : there.writes).join(known);
    steps_.push_back({at, thread, operation, time});
}

void Search::noteRead(std::uint32_t object, std::size_t value) {
    if (redundant_) return;
    VectorClock& known = dependsOn_[steps_.back().thread];
    known.join(valueOf(object, value));
    footprintsOf(object).reads.join(known);
}

void Search::noteWritten(std::uint32_t object, std::size_t value) {
    if (!redundant_) valueOf(object, value) = dependsOn_[steps_.back().thread];
}

VectorClock& Search::valueOf(std::uint32_t object, std::size_t value) {
    auto& values = footprintsOf(object).values;
    // Those of before the threads depend on nothing.
    if (value >= values.size()) values.resize(value + 1);
    return values[value];
}

Search::Footprints& Search::footprintsOf(std::uint32_t object) {
    if (object >= footprints_.size()) footprints_.resize(object + 1);
    return footprints_[object];
}

}  // namespace fusebox::model
