// SPDX-License-Identifier: MIT

#include "recording.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "interrupt.hpp"
#include "latency.hpp"
#include "server_process.hpp"

namespace flaky {
namespace {

void printRecordingHeader() {
    fmt::print("{:>7}  {:<9}  {:<9} {:>7} {:>7} {:>9} {:>9} {:>9}\n", "time", "server", "breaker",
               "calls", "failed", "rejected", "p50", "p99");
}

void printLine(nanoseconds time, Phase phase, std::string_view breaker,
               const std::vector<Sample>& samples) {
    const auto count = [&](Answer answer) {
        return std::ranges::count(samples, answer, &Sample::answer);
    };
    const Latencies latencies{samples};
    fmt::print("{:>7}  {:<9}  {:<9} {:>7} {:>7} {:>9} {:>9} {:>9}\n", inWords(time),
               toString(phase), breaker, samples.size(), count(Answer::Failure),
               count(Answer::Rejected), inWords(latencies.percentile(50)),
               inWords(latencies.percentile(99)));
}

}  // namespace

Recording record(const std::string& server, const Script& script, const Call& call,
                 const std::function<std::string_view()>& breaker) {
    const ServerProcess process{server, script};
    Load load{process.port(), call};
    printRecordingHeader();

    // Taken before the server starts its own clock: what is measured from here, such as the time
    // from recovery to closed, is never flattered.
    Recording recording{.zero = Clock::now(), .samples = {}, .reached = {}};
    process.startScript();
    load.start(recording.zero, script.total());
    const auto collect = [&] {
        auto samples = load.takeSamples();
        recording.samples.insert(recording.samples.end(), samples.begin(), samples.end());
        return samples;
    };

    for (nanoseconds shown = 0ns; shown < script.total();) {
        const nanoseconds next = std::min<nanoseconds>(shown + 1s, script.total());
        sleepUntil(recording.zero + next);
        printLine(next, script.at((shown + next) / 2), breaker(), collect());
        shown = next;
    }

    load.finish();
    collect();
    if (interrupted()) throw Interrupted{};
    recording.reached = process.requestsReached();
    return recording;
}

}  // namespace flaky
