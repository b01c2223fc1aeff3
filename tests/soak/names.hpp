// SPDX-License-Identifier: MIT
// A registry in which breakers come and go: made, found, called by name, evicted and removed.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "soak/subject.hpp"

namespace fusebox::test {

class Names : public Subject {
public:
    Names(Findings& findings, std::uint64_t seed)
        : findings_(findings), random_{Random{seed + 1}, Random{seed + 2}, Random{seed + 3}} {
        registry_.setMaxBreakers(24);
        subscriptions_.push_back(registry_.onAdded([this] { added_.add(); }));
        subscriptions_.push_back(registry_.onRemoved([this] { removed_.add(); }));
        subscriptions_.push_back(registry_.on<StateChanged>(
            [this](const StateChanged& event) { opened_.addIf(event.to == CircuitState::Open); }));
    }

    void use(int worker) override {
        for (int i = 0; i < 20; ++i) visit(random_[static_cast<std::size_t>(worker)]);
    }
    void steer(Random& random) override {
        if (random.oneIn(8)) (void)registry_.reset("made by a call 1");
        for (const auto& stats : registry_.getAllStats()) {
            findings_.demand(stats.windowFailures <= stats.windowCalls, "names: absurd statistics");
        }
    }
    void check(std::uint64_t) override {
        findings_.same(registry_.size(), added_.get() - removed_.get(), "names: size");
        for (const auto& stats : registry_.getAllStats()) checkRest(findings_, stats);
        registry_.clear();
        findings_.same(registry_.size(), 0, "names: size after clear()");
        // What was removed is freed by the next operation at the latest.
        (void)registry_.create("the next one");
        (void)registry_.remove("the next one");
        findings_.same(born_.get(), dead_.get(), "names: breakers that were freed");
        findings_.same(inside_.get(), calls_.get(), "names: calls in the last statistics");
    }
    [[nodiscard]] Tally tally() const override {
        return {calls_.get(), rejected_.get(), opened_.get()};
    }

private:
    /// A breaker whose statistics are read when its last owner lets go.
    std::shared_ptr<NamedCircuitBreaker> follow(std::string name) {
        CircuitBreakerOptions options;
        options.recoveryTimeout = std::chrono::milliseconds{1};
        options.successThreshold = 1;
        born_.add();
        return {new NamedCircuitBreaker{std::move(name), ConsecutiveFailures{3}, options},
                [this](NamedCircuitBreaker* breaker) {
                    const auto stats = breaker->stats();
                    checkRest(findings_, stats);
                    inside_.add(stats.totalCalls);
                    dead_.add();
                    delete breaker;
                }};
    }

    void visit(Random& random) {
        const std::string name = "dependency number " + std::to_string(random.below(40));
        switch (random.below(16)) {
            case 0: try { registry_.add(follow(name));
                } catch (const ConfigError&) {  // There is one already.
                }
                return;
            case 1:
                if (random.oneIn(4)) (void)registry_.remove(name);
                return;
            case 2:
                if (const auto view = registry_.view(name)) {
                    findings_.demand(view->name() == name, "names: a view of another name");
                    if (random.oneIn(4)) view->open();
                }
                return;
            case 3: return callAnonymous(random);
            default: return call(name, random);
        }
    }

    void call(const std::string& name, Random& random) {
        const auto handle = registry_.get(name);
        if (!handle) return;
        const bool fails = random.oneIn(4);
        try {
            withCircuitBreaker(handle, [&] {
                calls_.add();
                if (fails) throw 1;
            });
        } catch (int) {
        } catch (const CircuitOpenError&) {
            rejected_.add();
        }
    }

    /// Through a breaker that the call makes, where it is not there.
    void callAnonymous(Random& random) {
        const std::string name = "made by a call " + std::to_string(random.below(12));
        const int got = withCircuitBreaker(registry_, name, [] { return 1; });
        findings_.demand(got == 1, "names: another result");
    }

    Findings& findings_;
    Count added_, removed_, opened_, born_, dead_, inside_, calls_, rejected_;
    std::array<Random, kWorkers> random_;
    CircuitBreakerRegistry registry_;
    std::vector<Subscription> subscriptions_;
};

}  // namespace fusebox::test
