// SPDX-License-Identifier: MIT
// Hours of random load on many breakers, in slices; see the script `run`.
//
// fusebox_soak <seconds> <seconds a slice> <seed> <duty in percent> [<record file>]
// fusebox_soak years <years> <seed>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/async/thread_pool.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/vocabulary/tsc_clock.hpp"
#include "soak/counted_calls.hpp"
#if !defined(FUSEBOX_SOAK_QUICK)
#include "soak/late_calls.hpp"
#endif
#include "soak/names.hpp"
#include "soak/probes.hpp"
#include "soak/resources.hpp"
#include "soak/years.hpp"
#include "support/sanitized.hpp"

using namespace fusebox;
using namespace fusebox::test;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

struct Plan {
    double seconds = 60;
    double slice = 10;
    std::uint64_t seed = 1;
    int duty = 100;
    std::string record{};
};

double secondsSince(SteadyClock::time_point begin) {
    return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}
double processSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
unsigned long long print(std::uint64_t number) {
    return number;
}

/// Works for a part of each period, all threads at the same time.
void pace(int duty) {
    constexpr auto kPeriod = 50ms;
    if (duty >= 100) return;
    const auto now = SteadyClock::now().time_since_epoch();
    const auto period = now - now % kPeriod;
    if (now - period < kPeriod * duty / 100) return;
    std::this_thread::sleep_until(SteadyClock::time_point{period + kPeriod});
}

class Soak {
public:
    explicit Soak(Plan plan) : plan_(std::move(plan)), random_(plan_.seed), line_(kWorkers + 1) {
        makeSubjects();
    }

    bool run() {
        std::vector<std::thread> workers;
        for (int i = 0; i < kWorkers; ++i) workers.emplace_back([this, i] { work(i); });
        std::uint64_t slice = 0;
        do {
            runSlice(slice++);
        } while (secondsSince(begin_) < plan_.seconds);
        over_ = true;
        line_.arrive_and_wait();
        for (auto& worker : workers) worker.join();
        return verdict();
    }

private:
    /// Half of the slices, at most 20, until the allocator has seen everything.
    [[nodiscard]] std::size_t warmUp() const {
        return std::min<std::size_t>(20, samples_.size() / 2);
    }

    void makeSubjects() {
        const auto named = [this](const AnyTripPolicy& policy) {
            return [this, policy](const std::string& name, const CircuitBreakerOptions& options) {
                return registry_.create(name, policy, options);
            };
        };
        const auto counted = [&](const std::string& name, const AnyTripPolicy& policy,
                                 bool tellsSlow = false) {
            subjects_.push_back(std::make_unique<CountedCalls<NamedCircuitBreaker>>(
                findings_, name, subjects_.size() % 2 == 1, tellsSlow, random_(), named(policy)));
        };
        const SlowCallRate slow{.threshold = 0.5, .slowerThan = Habits::kSlow, .minimumCalls = 5};
        const FailureRate rate{.threshold = 0.4, .minimumCalls = 10, .window = lastCalls(50)};
        counted("row", ConsecutiveFailures{5});
        counted("count of calls", FailureCount{8, lastCalls(40)});
        counted("count of time", FailureCount{20, 5ms});
        counted("rate of calls", rate);
        counted("rate of time", FailureRate{.threshold = 0.5, .window = 10ms});
        counted("slow calls", slow, true);
        counted("cusum", Cusum{});
        counted("any", anyOf(ConsecutiveFailures{6}, rate, slow), true);
        counted("all", allOf(ConsecutiveFailures{2}, rate));
#if !defined(FUSEBOX_SOAK_QUICK)
        using OnTheCounter = CircuitBreaker<TscClock, FailureRate>;
        using Coarse = CircuitBreaker<CoarseSteadyClock, ConsecutiveFailures>;
        subjects_.push_back(std::make_unique<CountedCalls<OnTheCounter>>(
            findings_, "on the time stamp counter", true, false, random_(),
            [&](const std::string& name, const CircuitBreakerOptions& options) {
                return std::make_shared<OnTheCounter>(name, rate, options);
            }));
        subjects_.push_back(std::make_unique<CountedCalls<Coarse>>(
            findings_, "coarse", false, false, random_(),
            [&](const std::string& name, const CircuitBreakerOptions& options) {
                return std::make_shared<Coarse>(name, ConsecutiveFailures{4}, options);
            }));
        subjects_.push_back(std::make_unique<LateCalls>(
            findings_, registry_, pool_, "late", FailureRate{.window = 20ms}, false, random_()));
        subjects_.push_back(std::make_unique<LateCalls>(findings_, registry_, pool_, "overdue",
                                                        ConsecutiveFailures{4}, true, random_()));
#endif
        auto probes = std::make_unique<Probes>(findings_, random_());
        probes_ = probes.get();
        subjects_.push_back(std::move(probes));
        subjects_.push_back(std::make_unique<Names>(findings_, random_()));
    }

    void work(int worker) {
        Random random{plan_.seed * 1000 + static_cast<std::uint64_t>(worker)};
        for (;;) {
            line_.arrive_and_wait();
            if (over_) return;
            while (!pause_.load(std::memory_order_acquire)) {
                subjects_[random.below(subjects_.size())]->use(worker);
                pace(plan_.duty);
            }
            for (const auto& subject : subjects_) subject->letGo(worker);
            line_.arrive_and_wait();
        }
    }

    void runSlice(std::uint64_t number) {
        const auto begin = SteadyClock::now();
        pause_.store(false, std::memory_order_release);
        line_.arrive_and_wait();
        while (secondsSince(begin) < plan_.slice) {
            subjects_[random_.below(subjects_.size())]->steer(random_);
            std::this_thread::sleep_for(200us);
            pace(plan_.duty);
        }
        for (const auto& subject : subjects_) subject->calm();
        pause_.store(true, std::memory_order_release);
        line_.arrive_and_wait();
        while (pool_.unfinished() > 0) std::this_thread::sleep_for(1ms);
        for (const auto& subject : subjects_) subject->check(number);
        report(number);
    }

    void report(std::uint64_t number) {
        Tally now;
        for (const auto& subject : subjects_) {
            const Tally one = subject->tally();
            now.calls += one.calls;
            now.rejected += one.rejected;
            now.trips += one.trips;
        }
        samples_.push_back(resourcesAt(secondsSince(begin_)));
        const Resources& r = samples_.back();
        std::printf(
            "slice %4llu  %7.0f s  %10llu calls %9llu rejected %8llu trips  %6lld KiB "
            "resident %6lld KiB heap  %lld threads %lld files  %llu findings\n",
            print(number), r.seconds, print(now.calls - last_.calls),
            print(now.rejected - last_.rejected), print(now.trips - last_.trips),
            static_cast<long long>(r.resident / 1024), static_cast<long long>(r.heap / 1024),
            static_cast<long long>(r.threads), static_cast<long long>(r.files),
            print(findings_.count()));
        std::fflush(stdout);
        last_ = now;
        record();
    }

    /// Growth in bytes an hour, after the warm-up.
    [[nodiscard]] double growth(std::int64_t Resources::*field) const {
        const auto from = samples_.begin() + static_cast<std::ptrdiff_t>(warmUp());
        return slope({from, samples_.end()}, field);
    }

    /// A line for the ledger, after each slice: a run that is stopped has run, too.
    void record() const {
        if (plan_.record.empty()) return;
        std::ofstream file{plan_.record, std::ios::trunc};
        char line[256];
        std::snprintf(
            line, sizeof line, "%.0f\t%.0f\t%d\t%llu\t%zu\t%llu\t%llu\t%llu\t%.0f\t%.0f\t%llu\n",
            samples_.back().seconds, processSeconds(), plan_.duty, print(plan_.seed),
            samples_.size(), print(last_.calls), print(last_.rejected), print(last_.trips),
            growth(&Resources::resident), growth(&Resources::heap), print(findings_.count()));
        file << line;
    }

    /// Whether what was measured after the warm-up is one value.
    [[nodiscard]] bool constant(std::int64_t Resources::*field) const {
        return std::all_of(
            samples_.begin() + static_cast<std::ptrdiff_t>(warmUp()), samples_.end(),
            [&](const Resources& sample) { return sample.*field == samples_.back().*field; });
    }

    bool verdict() {
        // Runs make tens of millions of calls an hour: the smallest block of an allocator, 32
        // bytes, lost with one call in a thousand would be more. Pages come and go: what is less
        // than 256 KiB in all is no growth yet.
        constexpr double kMostSlope = 1024.0 * 1024.0;
        constexpr double kNoise = 256.0 * 1024.0;
        const double hours = (samples_.back().seconds - samples_[warmUp()].seconds) / 3600;
        const double resident = growth(&Resources::resident);
        const double heap = growth(&Resources::heap);
        const auto flat = [&](double bytesAnHour) {
            return bytesAnHour <= kMostSlope || bytesAnHour * hours <= kNoise;
        };
        // Sanitizers keep what was freed, and shadows of it; what is in use they count exactly.
        findings_.demand(kSanitized || flat(resident), "resident memory grows");
        findings_.demand(flat(heap), "the heap grows");
        findings_.demand(constant(&Resources::threads), "the number of threads changes");
        findings_.demand(constant(&Resources::files), "the number of files changes");
        record();
        for (const std::string& finding : findings_.first()) {
            std::printf("FOUND: %s\n", finding.c_str());
        }
        std::printf(
            "%.2f h, %.2f CPU h, %zu slices, seed %llu: %llu calls, %llu rejected, %llu "
            "trips, at most %lld probes at once where 2 are allowed; after the first %zu "
            "slices resident memory %+.0f B/h, heap %+.0f B/h (allowed: %.0f, or %.0f in "
            "all); %llu findings\n",
            samples_.back().seconds / 3600, processSeconds() / 3600, samples_.size(),
            print(plan_.seed), print(last_.calls), print(last_.rejected), print(last_.trips),
            static_cast<long long>(probes_->most()), warmUp(), resident, heap, kMostSlope, kNoise,
            print(findings_.count()));
        return findings_.count() == 0;
    }

    Plan plan_;
    Random random_;
    Findings findings_;
    CircuitBreakerRegistry registry_;
    ThreadPool pool_{2, 2};
    std::vector<std::unique_ptr<Subject>> subjects_;
    Probes* probes_ = nullptr;
    std::barrier<> line_;
    std::atomic<bool> pause_{false};
    bool over_ = false;  // The line orders it.
    const SteadyClock::time_point begin_ = SteadyClock::now();
    std::vector<Resources> samples_;
    Tally last_;
};

bool liveThrough(double years, std::uint64_t seed) {
    Findings findings;
    liveYears(findings, years, seed);
    for (const std::string& finding : findings.first()) {
        std::printf("FOUND: %s\n", finding.c_str());
    }
    return findings.count() == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int i) { return std::strtod(argv[i], nullptr); };
    if (argc == 4 && std::string_view{argv[1]} == "years") {
        return liveThrough(number(2), static_cast<std::uint64_t>(number(3))) ? 0 : 1;
    }
    if (argc < 5) {
        std::fputs("fusebox_soak <seconds> <seconds a slice> <seed> <duty> [<record>]\n", stderr);
        return 64;
    }
    Plan plan{number(1), number(2), static_cast<std::uint64_t>(number(3)),
              static_cast<int>(number(4)), argc > 5 ? argv[5] : ""};
    Soak soak{std::move(plan)};
    return soak.run() ? 0 : 1;
}
