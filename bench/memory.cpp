// SPDX-License-Identifier: MIT
// What a breaker takes of memory, and whether calls allocate. Writes JSON; bench/report makes
// tables.
//
// The heap is counted by replacing operator new of the whole program, in usable bytes: what the
// block can hold, which is what the heap is short of, without the allocator's own header.
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "support/entries.hpp"
#include "support/rejected.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

namespace {

// relaxed: they are read when all threads are known to be done.
std::atomic<std::int64_t> liveBytes{0};
std::atomic<std::int64_t> allocations{0};

void* allocated(void* block) {
    if (block == nullptr) std::abort();
    liveBytes.fetch_add(static_cast<std::int64_t>(malloc_usable_size(block)),
                        std::memory_order_relaxed);
    allocations.fetch_add(1, std::memory_order_relaxed);
    return block;
}

void freed(void* block) noexcept {
    liveBytes.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(block)),
                        std::memory_order_relaxed);
    std::free(block);
}

}  // namespace

// The forms of the standard library for arrays and for sizes call these.
void* operator new(std::size_t n) {
    return allocated(std::malloc(n));
}
void* operator new(std::size_t n, std::align_val_t alignment) {
    const auto a = static_cast<std::size_t>(alignment);
    return allocated(std::aligned_alloc(a, (n + a - 1) / a * a));
}
void operator delete(void* block) noexcept {
    freed(block);
}
void operator delete(void* block, std::size_t) noexcept {
    freed(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    freed(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    freed(block);
}

namespace bench {
namespace {

std::int64_t heap() {
    return liveBytes.load(std::memory_order_relaxed);
}

/// What of the process stands in physical memory.
std::int64_t resident() {
    std::int64_t total = 0;
    std::int64_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> total >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

/// Eight threads that live as long as the program: so no two can pass for one, and what starting
/// them takes is in no figure.
class Crew {
public:
    static constexpr int kSize = 8;
    using Work = std::function<void(int thread)>;

    Crew() {
        threads_.reserve(kSize);
        for (int i = 0; i < kSize; ++i) threads_.emplace_back([this, i] { serve(i); });
    }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    ~Crew() {
        together(0, {});
        for (std::thread& thread : threads_) thread.join();
    }

    /// Lets the first `count` threads work at once, and waits for them; none: all go home.
    void together(int count, const Work& work) {
        std::unique_lock lock{mutex_};
        work_ = &work;
        working_ = count;
        left_ = count;
        ++job_;
        begin_.notify_all();
        end_.wait(lock, [&] { return left_ == 0; });
    }

private:
    void serve(int thread) {
        std::unique_lock lock{mutex_};
        for (int seen = 0;;) {
            begin_.wait(lock, [&] { return job_ != seen; });
            seen = job_;
            if (working_ == 0) return;
            if (thread >= working_) continue;
            const Work& work = *work_;
            lock.unlock();
            work(thread);
            lock.lock();
            if (--left_ == 0) end_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable begin_;
    std::condition_variable end_;
    const Work* work_ = nullptr;
    int job_ = 0;
    int working_ = 0;  // How many of the threads the job is for.
    int left_ = 0;     // How many of them are not done.
    std::vector<std::thread> threads_;
};

constexpr int kCalls = 1000;

/// Calls that all succeed, but for one of the first thread.
template <class Breaker>
void use(Breaker& breaker, int thread) {
    for (int i = 0; i < kCalls; ++i) Execute::call(breaker, kReply);
    if (thread == 0) Execute::call(breaker, kFailedReply);
}

/// A JSON object, or array, of what is added.
class Json {
public:
    explicit Json(char open) : text_(1, open) {}

    Json& add(const std::string& value) {
        if (text_.size() > 1) text_ += ",\n";
        text_ += value;
        return *this;
    }
    Json& add(const std::string& key, const std::string& value) {
        return add('"' + key + "\": " + value);
    }
    Json& add(const std::string& key, std::int64_t value) {
        return add(key, std::to_string(value));
    }
    [[nodiscard]] std::string text() const { return text_ + (text_[0] == '[' ? ']' : '}'); }

private:
    std::string text_;
};

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

/// The bytes of a breaker, its own included: new, and after so many threads have used it.
struct Bytes {
    std::int64_t made = 0;
    std::int64_t usedByOne = 0;
    std::int64_t usedByEight = 0;
};

template <class Policy>
Bytes bytesOf(Crew& crew, const Policy& policy, const fusebox::CircuitBreakerOptions& options) {
    const std::int64_t before = heap();
    const auto breaker =
        std::make_unique<fusebox::SteadyCircuitBreaker<Policy>>(kName, policy, options);
    const auto use = [&](int thread) { bench::use(*breaker, thread); };
    Bytes bytes;
    bytes.made = heap() - before;
    crew.together(1, use);
    bytes.usedByOne = heap() - before;
    crew.together(Crew::kSize, use);
    bytes.usedByEight = heap() - before;
    return bytes;
}

/// Once for what the process keeps from its first breaker on, and once to count.
template <class Policy>
Bytes bytesOfAnother(Crew& crew, const Policy& policy,
                     const fusebox::CircuitBreakerOptions& options) {
    bytesOf(crew, policy, options);
    return bytesOf(crew, policy, options);
}

std::string policies(Crew& crew) {
    Json all{'['};
    forEachPolicy([&]<class Policy>(const PolicyCase<Policy>& policy) {
        const auto note = [&](const char* words, const fusebox::CircuitBreakerOptions& options) {
            const Bytes bytes = bytesOfAnother(crew, policy.policy, options);
            Json one{'{'};
            all.add(one.add("policy", quoted(policy.name))
                        .add("options", quoted(words))
                        .add("sizeof", sizeof(fusebox::SteadyCircuitBreaker<Policy>))
                        .add("made", bytes.made)
                        .add("used by one thread", bytes.usedByOne)
                        .add("used by eight", bytes.usedByEight)
                        .text());
        };
        note("default", {});
        if (policy.senses != Senses::Latency) {
            note("no latency", optionsFor(Measuring::Nothing));
        }
    });
    return all.text();
}

/// Many breakers by name: what each of them takes, its entry and its name in the registry included.
std::string named(Crew& crew) {
    constexpr int kBreakers = 10'000;
    std::vector<std::string> names;
    for (int i = 0; i < kBreakers; ++i) names.push_back("upstream-service-" + std::to_string(i));
    fusebox::CircuitBreakerRegistry registry;
    const std::int64_t heapBefore = heap();
    const std::int64_t residentBefore = resident();

    Json all{'['};
    const auto note = [&](const char* when) {
        Json one{'{'};
        one.add("when", quoted(when))
            .add("breakers", kBreakers)
            .add("heap", heap() - heapBefore)
            .add("resident", resident() - residentBefore);
        all.add(one.text());
    };
    const auto callEach = [&](int) {
        for (const std::string& name : names) fusebox::withCircuitBreaker(registry, name, kReply);
    };
    for (const std::string& name : names) registry.create(name);
    note("made");
    crew.together(1, callEach);
    note("called by one thread");
    crew.together(Crew::kSize, callEach);
    note("called by eight threads");
    return all.text();
}

/// How many blocks `call` allocates in many goes, after the first.
std::int64_t allocationsIn(const std::function<void()>& call) {
    call();
    const std::int64_t before = allocations.load(std::memory_order_relaxed);
    for (int i = 0; i < kCalls; ++i) call();
    return allocations.load(std::memory_order_relaxed) - before;
}

std::string allocatingPaths() {
    Json all{'['};
    const auto note = [&](const std::string& path, const std::function<void()>& call) {
        Json one{'{'};
        all.add(one.add("path", quoted(path))
                    .add("calls", kCalls)
                    .add("allocations", allocationsIn(call))
                    .text());
    };
    forEachPolicy([&]<class Policy>(const PolicyCase<Policy>& policy) {
        fusebox::SteadyCircuitBreaker<Policy> closed{kName, policy.policy};
        note("closed success, " + policy.name, [&] { Execute::call(closed, kReply); });
        note("closed success by permit, " + policy.name, [&] { ByPermit::call(closed, kReply); });
        fusebox::SteadyCircuitBreaker<NeverTrips<Policy>> failing{kName, {policy.policy}};
        note("closed failure, " + policy.name, [&] { Execute::call(failing, kFailedReply); });
        fusebox::SteadyCircuitBreaker<Policy> open{kName, policy.policy};
        open.open();
        note("rejected by permit, " + policy.name, [&] { PermitExplains::call(open); });
        note("rejected into a fallback, " + policy.name, [&] { FallbackAnswers::call(open); });
        note("rejected into a result type, " + policy.name, [&] { ResultCarries::call(open); });
    });
    fusebox::CircuitBreakerRegistry registry;
    registry.create(kName);
    note("by name", [&] { fusebox::withCircuitBreaker(registry, kName, kReply); });
    return all.text();
}

}  // namespace
}  // namespace bench

int main() {
    bench::Crew crew;
    bench::Json all{'{'};
    // First, while the heap is as small as it gets: resident memory is not given back.
    all.add("named", bench::named(crew));
    all.add("policies", bench::policies(crew));
    all.add("allocations", bench::allocatingPaths());
    std::puts(all.text().c_str());
    return 0;
}
