// SPDX-License-Identifier: MIT

#include <algorithm>
#include <iterator>
#include <numeric>

#include "latency.hpp"
#include "report.hpp"

namespace flaky {
namespace {

template <class Test>
std::vector<Sample> only(const std::vector<Sample>& samples, Test test) {
    std::vector<Sample> chosen;
    std::ranges::copy_if(samples, std::back_inserter(chosen), test);
    return chosen;
}

/// When the first of them ended.
std::optional<nanoseconds> firstEnd(const std::vector<Sample>& samples) {
    if (samples.empty()) return std::nullopt;
    return std::ranges::min(samples, {}, &Sample::end).end();
}

void summarizeBreaker(Summary& summary, const std::vector<Transition>& transitions,
                      const Recording& recording, const Script& script,
                      std::optional<nanoseconds> firstFailure) {
    using fusebox::CircuitState;
    const nanoseconds recovery = script.start(Phase::Recovered);
    for (const Transition& transition : transitions) {
        const nanoseconds time = transition.time - recording.zero;
        if (transition.to == CircuitState::Open && firstFailure && !summary.firstFailureToOpen) {
            summary.firstFailureToOpen = time - *firstFailure;
        }
        if (transition.to != CircuitState::Closed) continue;
        if (script.sickAt(time)) summary.closedWhileSick = true;
        if (time >= recovery && !summary.recoveryToClosed) {
            summary.recoveryToClosed = time - recovery;
        }
    }
}

}  // namespace

Summary summarize(const Recording& recording, const Script& script,
                  const std::vector<Transition>& transitions) {
    const auto& samples = recording.samples;
    const auto failed = only(samples, [](const Sample& s) { return s.answer == Answer::Failure; });
    const auto rejected =
        only(samples, [](const Sample& s) { return s.answer == Answer::Rejected; });
    const auto rejectedWhileHealthy =
        only(rejected, [&](const Sample& s) { return script.at(s.start) == Phase::Healthy; });
    const auto failedWhileSick =
        only(failed, [&](const Sample& s) { return script.sickAt(s.end()); });
    const auto succeededAfter = only(samples, [&](const Sample& s) {
        return s.answer == Answer::Success && script.at(s.end()) == Phase::Recovered;
    });
    const Latencies all{samples};
    const Latencies sick{only(samples, [&](const Sample& s) { return script.sickAt(s.start); })};

    Summary summary{
        .calls = samples.size(),
        .failed = failed.size(),
        .rejected = rejected.size(),
        .rejectedWhileHealthy = rejectedWhileHealthy.size(),
        .reached = std::accumulate(recording.reached.begin(), recording.reached.end(), 0),
        .reachedSick =
            recording.reached[indexOf(Phase::Errors)] + recording.reached[indexOf(Phase::Hangs)],
        .p50 = all.percentile(50),
        .p99 = all.percentile(99),
        .sickP50 = sick.percentile(50),
        .sickP99 = sick.percentile(99),
        .sickWaiting = sick.sum(),
        .longest = all.longest(),
        .firstFailureToOpen = {},
        .recoveryToSuccess = firstEnd(succeededAfter),
        .recoveryToClosed = {},
    };
    if (summary.recoveryToSuccess) *summary.recoveryToSuccess -= script.start(Phase::Recovered);
    summarizeBreaker(summary, transitions, recording, script, firstEnd(failedWhileSick));
    return summary;
}

}  // namespace flaky
