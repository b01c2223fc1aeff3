// SPDX-License-Identifier: MIT
#include "litmus.hpp"

#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/platform.hpp"

namespace fusebox::model {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kAcqRel = std::memory_order_acq_rel;
constexpr auto kSeqCst = std::memory_order_seq_cst;

/// What the programs share: made anew for each run.
struct Memory {
    Atomic<int> x{0};
    Atomic<int> y{0};
    Atomic<int> z{0};
    Plain<int> plain{0};
    Mutex mutex{};
    // What threads read.
    int a = -1, b = -1, c = -1, d = -1;
};

using Body = std::function<void(Memory&)>;
using Results = std::set<std::string>;

/// A program whose result is what its threads read.
class Litmus final : public Scenario {
public:
    Litmus(std::string name, std::vector<Body> bodies, std::function<std::string(Memory&)> result,
           Results allowed)
        : name_(std::move(name)),
          bodies_(std::move(bodies)),
          result_(std::move(result)),
          allowed_(std::move(allowed)) {}

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] std::size_t threads() const override { return bodies_.size(); }
    void begin() override { memory_ = std::make_unique<Memory>(); }
    void run(std::size_t thread) override { bodies_[thread - 1](*memory_); }
    void end() override {
        results_.insert(result_(*memory_));
        memory_.reset();
    }

    /// Exactly the allowed results, both with and without reduction; with "race" or "deadlock" as
    /// the only one: that.
    [[nodiscard]] bool holds() { return holds(Limits{}) && holds(Limits{.preemptions = 100}); }

private:
    [[nodiscard]] bool holds(const Limits& limits) {
        results_.clear();
        const Findings findings = explore(*this, limits);
        if (!findings.violation.empty())
            results_ = {findings.violation.substr(0, findings.violation.find(':'))};
        if (results_ == allowed_) return true;
        std::string found;
        for (const std::string& result : results_) found += " [" + result + "]";
        std::printf("%s, %s: %s\n%s", name_.c_str(), limits.preemptions ? "plain" : "reduced",
                    found.c_str(), findings.trace.c_str());
        return false;
    }

    std::string name_;
    std::vector<Body> bodies_;
    std::function<std::string(Memory&)> result_;
    Results allowed_;
    Results results_;
    std::unique_ptr<Memory> memory_;
};

[[nodiscard]] std::string ab(Memory& m) {
    return std::to_string(m.a) + std::to_string(m.b);
}
[[nodiscard]] std::string abcd(Memory& m) {
    return ab(m) + std::to_string(m.c) + std::to_string(m.d);
}

[[nodiscard]] Litmus storeBuffering(std::memory_order store, std::memory_order load,
                                    Results allowed) {
    return {"store buffering",
            {[=](Memory& m) {
                 m.x.store(1, store);
                 m.a = m.y.load(load);
             },
             [=](Memory& m) {
                 m.y.store(1, store);
                 m.b = m.x.load(load);
             }},
            ab,
            std::move(allowed)};
}

[[nodiscard]] Litmus messagePassing(std::memory_order store, std::memory_order load,
                                    Results allowed) {
    return {"message passing",
            {[=](Memory& m) {
                 m.x.store(1, kRelaxed);
                 m.y.store(1, store);
             },
             [=](Memory& m) {
                 m.a = m.y.load(load);
                 m.b = m.x.load(kRelaxed);
             }},
            ab,
            std::move(allowed)};
}

/// Independent reads of independent writes, with three threads: one of the writers reads, too.
[[nodiscard]] Litmus twoReaders(std::memory_order store, std::memory_order load, Results allowed) {
    return {"two readers",
            {[=](Memory& m) { m.x.store(1, store); },
             [=](Memory& m) {
                 m.a = m.x.load(load);
                 m.b = m.y.load(load);
             },
             [=](Memory& m) {
                 m.y.store(1, store);
                 m.c = m.y.load(load);
                 m.d = m.x.load(load);
             }},
            abcd,
            std::move(allowed)};
}

/// What a write releases passes through an update, but not through another thread's store.
[[nodiscard]] Litmus releaseSequence(bool update, Results allowed) {
    return {"release sequence",
            {[](Memory& m) {
                 m.x.store(1, kRelaxed);
                 m.y.store(1, kRelease);
             },
             [=](Memory& m) {
                 if (update) {
                     (void)m.y.fetch_add(1, kRelaxed);
                 } else if (m.y.load(kRelaxed) == 1) {
                     m.y.store(2, kRelaxed);
                 }
             },
             [](Memory& m) {
                 m.a = m.y.load(kAcquire);
                 m.b = m.x.load(kRelaxed);
                 if (m.a != 2) m.a = m.b = 0;
             }},
            ab,
            std::move(allowed)};
}

[[nodiscard]] Litmus plainData(std::memory_order store, std::memory_order load, Results allowed) {
    return {"plain data",
            {[=](Memory& m) {
                 m.plain.write() = 1;
                 m.x.store(1, store);
             },
             [=](Memory& m) {
                 if (m.x.load(load) == 1) m.a = m.plain.read();
             }},
            [](Memory& m) { return std::to_string(m.a); },
            std::move(allowed)};
}

[[nodiscard]] std::vector<Litmus> programs() {
    std::vector<Litmus> all;
    all.push_back(storeBuffering(kRelaxed, kRelaxed, {"00", "01", "10", "11"}));
    all.push_back(storeBuffering(kRelease, kAcquire, {"00", "01", "10", "11"}));
    all.push_back(storeBuffering(kSeqCst, kSeqCst, {"01", "10", "11"}));
    all.push_back(messagePassing(kRelaxed, kRelaxed, {"00", "01", "10", "11"}));
    all.push_back(messagePassing(kRelaxed, kAcquire, {"00", "01", "10", "11"}));
    all.push_back(messagePassing(kRelease, kRelaxed, {"00", "01", "10", "11"}));
    all.push_back(messagePassing(kRelease, kAcquire, {"00", "01", "11"}));
    all.push_back(messagePassing(kSeqCst, kSeqCst, {"00", "01", "11"}));
    all.push_back(
        twoReaders(kSeqCst, kSeqCst, {"0010", "0011", "0110", "0111", "1011", "1110", "1111"}));
    all.push_back(twoReaders(kRelease, kAcquire,
                             {"0010", "0011", "0110", "0111", "1010", "1011", "1110", "1111"}));
    all.push_back(releaseSequence(true, {"00", "21"}));
    all.push_back(releaseSequence(false, {"00", "20", "21"}));
    all.push_back(plainData(kRelease, kAcquire, {"-1", "1"}));
    all.push_back(plainData(kRelaxed, kAcquire, {"data race"}));
    all.push_back(plainData(kRelease, kRelaxed, {"data race"}));
    all.push_back({"coherence of reads",
                   {[](Memory& m) {
                        m.x.store(1, kRelaxed);
                        m.x.store(2, kRelaxed);
                    },
                    [](Memory& m) {
                        m.a = m.x.load(kRelaxed);
                        m.b = m.x.load(kRelaxed);
                    }},
                   ab,
                   {"00", "01", "02", "11", "12", "22"}});
    all.push_back({"load buffering is not modelled",
                   {[](Memory& m) {
                        m.a = m.x.load(kRelaxed);
                        m.y.store(1, kRelaxed);
                    },
                    [](Memory& m) {
                        m.b = m.y.load(kRelaxed);
                        m.x.store(1, kRelaxed);
                    }},
                   ab,
                   {"00", "01", "10"}});
    all.push_back({"updates miss nothing",
                   {[](Memory& m) { (void)m.x.fetch_add(1, kRelaxed); },
                    [](Memory& m) { (void)m.x.fetch_add(1, kRelaxed); },
                    [](Memory& m) { (void)m.x.fetch_add(1, kRelaxed); }},
                   [](Memory& m) { return std::to_string(m.x.load(kRelaxed)); },
                   {"3"}});
    all.push_back({"compare-exchange has one winner",
                   {[](Memory& m) {
                        int none = 0;
                        m.a = m.x.compare_exchange_strong(none, 1, kAcqRel, kAcquire) ? 1 : 0;
                    },
                    [](Memory& m) {
                        int none = 0;
                        m.b = m.x.compare_exchange_strong(none, 2, kAcqRel, kAcquire) ? 1 : 0;
                    }},
                   ab,
                   {"01", "10"}});
    all.push_back({"a mutex excludes",
                   {[](Memory& m) {
                        m.mutex.lock();
                        ++m.plain.write();
                        m.mutex.unlock();
                    },
                    [](Memory& m) {
                        m.mutex.lock();
                        ++m.plain.write();
                        m.mutex.unlock();
                    },
                    [](Memory& m) {
                        if (!m.mutex.try_lock()) return;
                        ++m.plain.write();
                        m.mutex.unlock();
                    }},
                   [](Memory& m) { return std::to_string(m.plain.read()); },
                   {"2", "3"}});
    all.push_back({"deadlock",
                   {[](Memory& m) { m.mutex.lock(); }, [](Memory& m) { m.mutex.lock(); }},
                   ab,
                   {"deadlock"}});
    return all;
}

}  // namespace

bool checkLitmus() {
    int wrong = 0;
    int count = 0;
    for (Litmus& program : programs()) {
        ++count;
        if (!program.holds()) ++wrong;
    }
    std::printf("litmus: %d programs, %d with other results than C++ gives them\n", count, wrong);
    return wrong == 0;
}

}  // namespace fusebox::model
