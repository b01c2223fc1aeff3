// SPDX-License-Identifier: MIT
#include "engine/execution.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace fusebox::model {
namespace {

[[nodiscard]] bool acquires(std::memory_order order) {
    return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
}
[[nodiscard]] bool releases(std::memory_order order) {
    return order == std::memory_order_release || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
}
[[nodiscard]] bool isSequential(std::memory_order order) {
    return order == std::memory_order_seq_cst;
}

}  // namespace

Execution& execution() {
    static Execution execution;
    return execution;
}

bool Execution::run(Scenario& scenario, Search& search, bool logging) {
    scenario_ = &scenario;
    search_ = &search;
    observer_ = nullptr;
    thread_ = 0;
    threads_ = scenario.threads();
    parallel_ = stuck_ = false;
    pending_ = {};
    clocks_.fill({});
    objectsInUse_ = 0;
    stepsOfRun_ = 0;
    logging_ = logging;
    violation_.clear();
    log_.clear();

    search.beginRun();
    scenario.begin();
    running_ = 0;
    fibers_.begin(threads_, &Execution::runFiber, this);
    parallel_ = starting_ = true;
    // Up to the first operation of each.
    for (std::size_t t = 1; t <= threads_; ++t) {
        clocks_[t] = clocks_[0];
        running_ |= only(t);
        thread_ = t;
        fibers_.switchTo(t);
    }
    starting_ = false;
    handOver();
    parallel_ = false;
    thread_ = 0;
    if (stuck_) {
        fibers_.abandon();
        return false;
    }
    for (std::size_t t = 1; t <= threads_; ++t) clocks_[0].join(clocks_[t]);
    scenario.end();
    return true;
}

void Execution::runFiber(void* self, std::size_t fiber) {
    auto& run = *static_cast<Execution*>(self);
    run.scenario_->resume(fiber);
    run.scenario_->run(fiber);
    run.running_ &= ~only(fiber);
    run.pending_[fiber].reset();
    if (run.starting_) {
        run.fibers_.switchTo(0);
    } else {
        run.handOver();
    }
}

void Execution::await(Operation operation) {
    if (!parallel_) return;
    pending_[thread_] = operation;
    if (starting_) {
        fibers_.switchTo(0);
    } else {
        handOver();
    }
    scenario_->resume(thread_);
    ++steps_;
}

/// To whoever is next; back to the scenario when all are done, or when none can go on.
void Execution::handOver() {
    const Threads able = enabled();
    std::size_t next = 0;
    if (able == 0) {
        stuck_ = running_ != 0;
        if (stuck_) fail("deadlock: every thread waits for a mutex");
    } else if (++stepsOfRun_ > kMostSteps) {
        stuck_ = true;
        fail("the threads do not come to an end");
    } else {
        next = search_->pickThread(pending_, able);
    }
    if (next == fibers_.current()) return;
    thread_ = next;
    fibers_.switchTo(next);
}

Threads Execution::enabled() const noexcept {
    Threads able = 0;
    for (std::size_t t = 1; t <= threads_; ++t) {
        if (!pending_[t]) continue;
        const bool waits = pending_[t]->kind == Operation::Kind::Lock &&
                           objects_[pending_[t]->object].holder != kNobody;
        if (!waits) able |= only(t);
    }
    return able;
}

std::uint32_t Execution::construct(const void* address, std::uint64_t bits) {
    if (objectsInUse_ == objects_.size()) objects_.emplace_back();
    Object& object = objects_[objectsInUse_];
    object.address = address;
    object.holder = kNobody;
    object.released = {};
    object.history.begin(bits, thread_, clock().tick(thread_));
    return objectsInUse_++;
}

void Execution::destroy(ObjectRef object) {
    if (isObject(object)) objects_[object.id].address = nullptr;
}

bool Execution::isObject(ObjectRef object) const noexcept {
    return object.id < objectsInUse_ && objects_[object.id].address == object.address;
}

Execution::Object* Execution::find(ObjectRef object, const char* what) {
    clock().tick(thread_);
    if (!isObject(object)) {
        fail(std::string{what} + " of an object that is not there");
        return nullptr;
    }
    Object& found = objects_[object.id];
    if (!found.history.isConstructed(clock())) {
        fail(std::string{what} + " of an object whose construction did not happen before");
    }
    return &found;
}

std::uint64_t Execution::load(const Access& access) {
    const auto kind = isSequential(access.order) ? Operation::Kind::Glance : Operation::Kind::Load;
    if (isObject(access.object)) await({kind, access.object.id});
    Object* const object = find(access.object, "load");
    if (!object) return 0;
    findReadable(*object, access.order);
    const std::size_t index = pickReadable();
    if (parallel_) search_->noteRead(access.object.id, index);
    const std::uint64_t bits = readAt(*object, index, access.order);
    logAccess("load", access, bits);
    return bits;
}

std::uint64_t Execution::glance(ObjectRef ref) {
    await({Operation::Kind::Glance, ref.id});
    clock().tick(thread_);
    const std::uint64_t bits = newest(ref.id);
    logAccess("glance", {ref}, bits);
    return bits;
}

void Execution::store(const Access& access, std::uint64_t bits) {
    if (isObject(access.object)) await({Operation::Kind::Store, access.object.id});
    Object* const object = find(access.object, "store");
    if (!object) return;
    write(*object, access, bits, releases(access.order) ? clock() : VectorClock{});
    logAccess("store", access, bits);
}

std::uint64_t Execution::update(const Access& access, Update change, std::uint64_t argument) {
    if (isObject(access.object)) await({Operation::Kind::Update, access.object.id});
    Object* const object = find(access.object, "update");
    if (!object) return 0;
    const std::uint64_t old = readAt(*object, object->history.size() - 1, access.order);
    // It goes on with the release sequence.
    VectorClock released = object->history.newest().released;
    if (releases(access.order)) released.join(clock());
    write(*object, access, change(old, argument), released);
    logAccess("update", access, change(old, argument));
    return old;
}

bool Execution::compareExchange(const Access& access, std::memory_order failure,
                                std::uint64_t& expected, std::uint64_t desired) {
    if (isObject(access.object)) await({Operation::Kind::Update, access.object.id});
    Object* const object = find(access.object, "compare-exchange");
    if (!object) return false;
    StoreHistory& history = object->history;
    const std::size_t last = history.size() - 1;
    // It succeeds on the newest value, and fails on any that may be read and is another.
    findReadable(*object, failure);
    std::erase_if(readable_, [&](std::size_t i) { return history.at(i).bits == expected; });
    if (history.newest().bits == expected) readable_.insert(readable_.begin(), last);
    const std::size_t index = pickReadable();
    if (history.at(index).bits != expected) {
        expected = readAt(*object, index, failure);
        logAccess("compare-exchange fails on", access, expected);
        return false;
    }
    (void)readAt(*object, last, access.order);
    VectorClock released = history.newest().released;
    if (releases(access.order)) released.join(clock());
    write(*object, access, desired, released);
    logAccess("compare-exchange to", access, desired);
    return true;
}

/// The values that a load may return and that are to be tried, the newest first.
void Execution::findReadable(Object& object, std::memory_order order) {
    StoreHistory& history = object.history;
    const std::size_t last = history.size() - 1;
    const std::size_t oldest = parallel_ ? history.oldestFor(clock(), isSequential(order)) : last;
    readable_.clear();
    for (std::size_t i = last + 1; i-- > oldest;) {
        if (!acquires(order) && !search_->limits().everyValue) {
            std::erase_if(readable_, [&](std::size_t newer) {
                return history.at(newer).bits == history.at(i).bits;
            });
        }
        readable_.push_back(i);
    }
}

std::size_t Execution::pickReadable() {
    return readable_[parallel_ ? search_->pickValue(readable_.size()) : 0];
}

std::uint64_t Execution::readAt(Object& object, std::size_t index, std::memory_order order) {
    StoredValue& value = object.history.at(index);
    value.see(thread_, clock()[thread_]);
    if (acquires(order)) clock().join(value.released);
    return value.bits;
}

void Execution::write(Object& object, const Access& access, std::uint64_t bits,
                      const VectorClock& released) {
    StoreHistory& history = object.history;
    StoredValue& value =
        parallel_ ? history.append(bits, released) : history.replace(bits, released);
    value.see(thread_, clock()[thread_]);
    if (isSequential(access.order)) object.history.noteSequential();
    if (parallel_) search_->noteWritten(access.object.id, object.history.size() - 1);
    if (observer_) observer_->stored(access.object, bits, access.type, access.where);
}

void Execution::lock(ObjectRef object) {
    await({Operation::Kind::Lock, object.id});
    if (Object* const mutex = find(object, "lock")) acquireMutex(*mutex);
}

bool Execution::tryLock(ObjectRef object) {
    await({Operation::Kind::TryLock, object.id});
    Object* const mutex = find(object, "try_lock");
    if (!mutex || mutex->holder != kNobody) return false;
    acquireMutex(*mutex);
    return true;
}

void Execution::acquireMutex(Object& mutex) {
    mutex.holder = thread_;
    clock().join(mutex.released);
    if (logging_) logLine("lock");
}

void Execution::unlock(ObjectRef object) {
    await({Operation::Kind::Unlock, object.id});
    Object* const mutex = find(object, "unlock");
    if (!mutex) return;
    if (mutex->holder != thread_) fail("unlock of a mutex that the thread does not hold");
    mutex->holder = kNobody;
    mutex->released = clock();
    if (logging_) logLine("unlock");
}

const VectorClock& Execution::access() noexcept {
    clock().tick(thread_);
    return clock();
}

void Execution::fail(const std::string& what) {
    if (!violation_.empty()) return;
    violation_ = what;
    if (logging_) logLine("VIOLATION: " + what);
}

void Execution::logLine(const std::string& line) {
    // What was prepared is of no interest, nor is what comes after a violation.
    const bool judged = !parallel_ && !violation_.empty() && line.rfind("VIOLATION", 0) != 0;
    if (logging_ && (parallel_ || !violation_.empty()) && !judged)
        log_ += "  thread " + std::to_string(thread_) + ": " + line + "\n";
}

void Execution::logAccess(const char* what, const Access& access, std::uint64_t bits) {
    if (!logging_) return;
    std::string file{access.where.file};
    file.erase(0, file.rfind('/') + 1);
    logLine(std::string{what} + " object " + std::to_string(access.object.id) + " = " +
            std::to_string(bits) + " " + toString(access.order) + " (" + file + ":" +
            std::to_string(access.where.line) + ")");
}

Findings explore(Scenario& scenario, const Limits& limits) {
    Execution& run = execution();
    Search search{limits};
    Findings findings;
    const std::uint64_t stepsBefore = run.steps();
    do {
        const bool ended = run.run(scenario, search, false);
        ++findings.executions;
        if (search.redundant()) ++findings.redundant;
        if (!ended || !run.violation().empty()) {
            run.run(scenario, search, true);
            findings.violation = run.violation();
            findings.trace = run.log();
            break;
        }
        findings.exhausted = !search.nextRun();
    } while (!findings.exhausted && findings.executions < limits.executions);
    findings.steps = run.steps() - stepsBefore;
    return findings;
}

}  // namespace fusebox::model
