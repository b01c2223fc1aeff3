// SPDX-License-Identifier: MIT
#include "breaker/shared_data_scenarios.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "engine/platform.hpp"
#include "fusebox/breaker/call_totals.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/breaker/time_source.hpp"
#include "fusebox/vocabulary/detail/latched.hpp"
#include "fusebox/window/latency_buckets.hpp"
#include "fusebox/window/latency_histogram.hpp"

namespace fusebox::model {
namespace {

using namespace std::chrono_literals;

/// Threads record latencies, and one counts or clears them: into no buckets yet, into one that is
/// half full, into one that was half full before.
class SharedLatencies final : public Scenario {
public:
    SharedLatencies(int carried, bool clears) : carried_(carried), clears_(clears) {}

    [[nodiscard]] std::string name() const override {
        constexpr const char* kBefore[] = {"none", "half full", "carried, half full"};
        return std::string{"latencies, "} + kBefore[carried_] + " | record | record | " +
               (clears_ ? "clear" : "count");
    }
    [[nodiscard]] std::size_t threads() const override { return 3; }
    void begin() override {
        shared_ = std::make_unique<Shared>();
        for (int i = 0; i < carried_; ++i) {
            record();
            fillHalf();
        }
        before_ = shared_->counts().calls;
        counted_ = before_;
    }
    void run(std::size_t thread) override {
        if (thread < 3) return record();
        if (clears_) return shared_->clear();
        counted_ = shared_->counts().calls;
    }
    void end() override {
        const std::uint64_t calls = shared_->counts().calls;
        if (counted_ < before_ || counted_ > before_ + 2)
            execution().fail("a reader missed calls, or counted them twice");
        if (clears_ ? calls > before_ + 2 : calls != before_ + 2)
            execution().fail("calls are lost, or counted twice");
        shared_->clear();
        if (shared_->counts().calls != 0) execution().fail("calls are left");
        shared_.reset();
    }

private:
    struct Shared {
        detail::LatencyHistogram<Platform> histogram;
        detail::LatencyRoom<Platform> room;

        [[nodiscard]] detail::LatencyCounts counts() const {
            return histogram.counts([this](auto&& action) { action(room); });
        }
        void clear() {
            histogram.clear([this](auto&& action) { action(room); });
        }
    };

    void record() { (void)shared_->histogram.record(shared_->room, kElapsed); }
    /// So many calls that the next one carries them over.
    void fillHalf() {
        auto& counts = shared_->room.get()->counts;
        counts[detail::LatencyScale::bucketOf(kElapsed.count())].store(0x8000,
                                                                       std::memory_order_relaxed);
    }

    static constexpr std::chrono::nanoseconds kElapsed{5};

    int carried_;
    std::uint64_t before_ = 0;
    bool clears_;
    std::unique_ptr<Shared> shared_;
    std::uint64_t counted_ = 0;
};

/// Latencies begin to be told apart while all of them are forgotten, a call fails, or someone reads
/// them who has not asked for that.
class OutcomesToldApart final : public Scenario {
public:
    enum class Meanwhile { Reset, Fail, Read };

    explicit OutcomesToldApart(Meanwhile meanwhile) : meanwhile_(meanwhile) {}

    [[nodiscard]] std::string name() const override {
        constexpr const char* kMeanwhile[] = {"reset", "fail", "read"};
        return std::string{"latencies | tell apart | "} +
               kMeanwhile[static_cast<std::size_t>(meanwhile_)];
    }
    [[nodiscard]] std::size_t threads() const override { return 2; }
    void begin() override {
        shared_ = std::make_unique<Shared>();
        shared_->totals.countTime({.measured = true, .elapsed = 5ns});
    }
    void run(std::size_t thread) override {
        if (thread == 1) return shared_->totals.tellOutcomesApart();
        switch (meanwhile_) {
            case Meanwhile::Reset: {
                const std::lock_guard lock{shared_->mutex};
                return shared_->totals.reset(1);
            }
            case Meanwhile::Fail:
                return shared_->totals.countTime(
                    {.outcome = Outcome::Failure, .measured = true, .elapsed = 5ns});
            case Meanwhile::Read: return checkSuccesses();
        }
    }
    void end() override {
        checkSuccesses();
        shared_.reset();
    }

private:
    struct Shared {
        Mutex mutex{};
        detail::CallTotals<Platform> totals{CircuitBreakerOptions{}, mutex};
    };

    void checkSuccesses() const {
        CircuitBreakerStats stats;
        shared_->totals.fill(stats);
        if (stats.latencies.successes.calls != 0) execution().fail("there is one success too many");
    }

    Meanwhile meanwhile_;
    std::unique_ptr<Shared> shared_;
};

/// One thread replaces a value, again and again; the others never read a mixture, and never go
/// back.
class ReplacedValue final : public Scenario {
public:
    [[nodiscard]] std::string name() const override {
        return "latched | replace x 3 | load | load";
    }
    [[nodiscard]] std::size_t threads() const override { return 3; }
    void begin() override {
        latched_ = std::make_unique<detail::Latched<Value, Platform>>(Value{});
        read_ = {};
    }
    void run(std::size_t thread) override {
        if (thread == 1) {
            for (std::uint64_t i = 1; i <= 3; ++i) latched_->store({i, i});
            return;
        }
        for (Value& value : read_[thread]) value = latched_->load();
    }
    void end() override {
        for (const auto& values : read_) {
            for (const Value& value : values) {
                if (value.a != value.b) execution().fail("two values were mixed");
            }
            if (values[0].a > values[1].a) execution().fail("a value came back");
        }
        latched_.reset();
    }

private:
    struct Value {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
    };

    std::unique_ptr<detail::Latched<Value, Platform>> latched_;
    std::array<std::array<Value, 2>, kThreads> read_{};
};

/// A clock that steps back: time as it is read does not.
class SteppingTime final : public Scenario {
public:
    [[nodiscard]] std::string name() const override { return "time | step back | now | now"; }
    [[nodiscard]] std::size_t threads() const override { return 3; }
    void begin() override {
        shared_ = std::make_unique<Shared>();
        read_ = {};
    }
    void run(std::size_t thread) override {
        if (thread == 1) {
            shared_->face.store(30, std::memory_order_relaxed);
            shared_->face.store(10, std::memory_order_relaxed);
            return;
        }
        for (auto& time : read_[thread]) time = shared_->time.now();
    }
    void end() override {
        for (const auto& times : read_) {
            if (times[0] > times[1]) execution().fail("time went back");
        }
        shared_.reset();
    }

private:
    struct Clock {
        using duration = std::chrono::nanoseconds;
        using rep = duration::rep;
        using period = duration::period;
        using time_point = std::chrono::time_point<Clock>;
        static constexpr bool is_steady = false;

        const Atomic<std::int64_t>* face = nullptr;

        [[nodiscard]] time_point now() const { return time_point{duration{face->glance()}}; }
    };
    struct Shared {
        Atomic<std::int64_t> face{20};
        detail::TimeSource<Clock, Platform> time{Clock{&face}};
    };

    std::unique_ptr<Shared> shared_;
    std::array<std::array<std::chrono::nanoseconds, 2>, kThreads> read_{};
};

}  // namespace

std::vector<std::unique_ptr<Scenario>> sharedDataScenarios() {
    std::vector<std::unique_ptr<Scenario>> all;
    for (const int carried : {0, 1, 2})
        all.push_back(std::make_unique<SharedLatencies>(carried, false));
    all.push_back(std::make_unique<SharedLatencies>(1, true));
    for (const auto meanwhile :
         {OutcomesToldApart::Meanwhile::Reset, OutcomesToldApart::Meanwhile::Fail,
          OutcomesToldApart::Meanwhile::Read}) {
        all.push_back(std::make_unique<OutcomesToldApart>(meanwhile));
    }
    all.push_back(std::make_unique<ReplacedValue>());
    all.push_back(std::make_unique<SteppingTime>());
    return all;
}

}  // namespace fusebox::model
