# SPDX-License-Identifier: MIT
"""The catalogue's bugs, put into this library one at a time: what is changed in a copy of the
headers, and the test that must fail then. The numbers are those of docs/reliability.md."""

from typing import NamedTuple


class Seed(NamedTuple):
    bugs: tuple  # numbers in the catalogue
    file: str  # the test's, below tests/
    test: str
    header: str  # below include/fusebox/
    edits: tuple  # (what is there once, what stands there instead)...


CYCLE = "breaker/cycle.hpp"
MACHINE = "breaker/state_machine.hpp"
CATALOGUE = "breaker/bug_catalogue_test.cpp"
EPOCH = "breaker/epoch_test.cpp"
HOSTILE = "breaker/hostile_clock_test.cpp"
LISTENERS = "breaker/listeners_test.cpp"
VALIDATION = "breaker/validation_test.cpp"
TIMER = "breaker/deadline_timer_test.cpp"
EVICTION = "registry/eviction_test.cpp"

SLOT_COMES_BACK = "A 1-5: a probe that is neither success nor failure gives its slot back"
LIMIT = "D 20, 22-24: never more than the limit reach the backend while half-open"
OPEN_ONCE = "C 14, 17: simultaneous failures open once, and the breaker recovers"

# A report that acts on whatever state there is.
RECORD_LOOKS = ("        if (word.epoch() != cycle_.word().epoch()) return false;\n", "")
VERDICT_LOOKS = ("            if (cycle_.word() != word) return;\n            recorded", "recorded")
PROBE_LOOKS = ("            if (cycle_.word().epoch() != word.epoch()) return;\n", "")
SET_WAIT = "published_.setWait(asOf, saturatingAdd(asOf, wait));"

SEEDS = [
    Seed((1,), CATALOGUE, SLOT_COMES_BACK, CYCLE,
         (("slots_.release(probe.probes());",
           "if (end.neutral() && !end.cancelled) return;\n slots_.release(probe.probes());"),)),
    Seed((2,), CATALOGUE, SLOT_COMES_BACK, "breaker/guarded_call.hpp",
         (('core.conclude(ticket, outcome, "the result',
           'if (outcome == Outcome::Failure) core.conclude(ticket, outcome, "the result'),)),
    Seed((2,), CATALOGUE, "A 2: a probe whose classifier throws is a failure, and its slot free",
         "breaker/judging.hpp",
         (("return Outcome::Failure;\n    }\n#else", "return Outcome::Ignored;\n    }\n#else"),)),
    Seed((3,), CATALOGUE, "A 3: a probe that a later guard rejects is over, and its slot free",
         "breaker/guarded_call.hpp",
         (("if (reported) throw;\n        return answerThrown<R, knowsDeadline>(core, ticket, "
           "classifier, answer, error.what());",
           "if (reported || dynamic_cast<const CircuitOpenError*>(&error)) throw;\n"
           "return answerThrown<R, knowsDeadline>(core, ticket, classifier, answer, "
           "error.what());"),)),
    Seed((4,), CATALOGUE, SLOT_COMES_BACK, "breaker/permit.hpp",
         (("core.cancel(ticket);", "(void)core; (void)ticket;"),)),
    Seed((5,), CATALOGUE, SLOT_COMES_BACK, "breaker/guarded_call.hpp",
         (("    core.finish(ticket, end, &error);",
           "    if (judged != Outcome::Ignored) core.finish(ticket, end, &error);"),)),
    Seed((6,), CATALOGUE,
         "A 6: probes that never settle do not hold the breaker half-open for ever",
         "breaker/probe_slots.hpp",
         (("return saturatingAdd(oldest, timeout_);", "return kForever;"),)),
    Seed((7,), CATALOGUE,
         "A 7: no release, however late or often, makes room for more probes than the limit",
         MACHINE, (RECORD_LOOKS, PROBE_LOOKS)),
    Seed((8,), CATALOGUE,
         "A 8: a breaker that needs more successes than it admits probes can close", CYCLE,
         (("publish(present.withProbes(present.probes() - 1));", "publish(present);"),)),
    Seed((9,), EPOCH, "B 9: calls that overhang a trip do not decide the half-open state",
         MACHINE, (RECORD_LOOKS, VERDICT_LOOKS)),
    Seed((10,), EPOCH,
         "B 10: a late success does not close an open breaker, nor count for a later one", MACHINE,
         (("        if (increments && recordSuccess(word, end)) return",
           "        if (fast && word.epoch() != cycle_.word().epoch()) close();\n"
           "        if (increments && recordSuccess(word, end)) return"),)),
    Seed((11,), EPOCH, "B 11: a stale probe gives no slot of the present half-open state back",
         MACHINE, (RECORD_LOOKS, PROBE_LOOKS)),
    Seed((12,), EPOCH, "B 12: late failures do not put the recovery off", MACHINE,
         (("        totals_.stale();\n        return ReportResult::Stale;\n    }\n\n    "
           "[[nodiscard]] Reading read()",
           "        if (end.failed()) changing([&](Nanoseconds now, Nanoseconds) {\n"
           "            cycle_.toOpen(now, now, TransitionReason::PolicyTripped); });\n"
           "        totals_.stale();\n        return ReportResult::Stale;\n    }\n\n    "
           "[[nodiscard]] Reading read()"),)),
    Seed((13,), EPOCH, "B 13: a permit that was overtaken says so, and is not silently dropped",
         MACHINE,
         (("        if (end.failed()) totals_.count(end);\n        totals_.stale();\n"
           "        return ReportResult::Stale;", "        return ReportResult::Recorded;"),)),
    Seed((14,), CATALOGUE, OPEN_ONCE, CYCLE, ((SET_WAIT, "published_.setWait(asOf, kForever);"),)),
    Seed((15,), "stress/barrier_storm_test.cpp",
         "C 15: at no step of an opening is it seen without its deadline", CYCLE,
         ((SET_WAIT + "\n        publish(from.next(CircuitState::Open));",
           "publish(from.next(CircuitState::Open));\n" + SET_WAIT),)),
    Seed((16,), CATALOGUE,
         "C 16: a transition to where the breaker is already is not one, and throws nothing",
         MACHINE,
         (("if (!word.cycling() || !isOver(cycle_.published().deadline(), checked)) return;", ""),)),
    Seed((17,), CATALOGUE, OPEN_ONCE, MACHINE, (RECORD_LOOKS, VERDICT_LOOKS)),
    Seed((18,), CATALOGUE,
         "C 18: counting and tripping are one step, so that many threads trip exactly in time",
         MACHINE,
         (("const std::lock_guard lock{mutex_};\n            change();", "change();"),)),
    Seed((19,), CATALOGUE,
         "C 19: nothing of an old wait comes back after a reset, a close or a mode", CYCLE,
         ((SET_WAIT, "if (published_.deadline() <= now) " + SET_WAIT),)),
    Seed((20,), CATALOGUE, LIMIT, MACHINE,
         (("if (word.state() == CircuitState::Closed) return begin(word);\n            if (const",
           "if (word.state() != CircuitState::Open) return begin(word.asPassenger());\n"
           "            if (const"),)),
    Seed((21,), CATALOGUE,
         "D 21: a success that races a failed probe erases neither the failure nor the backoff",
         MACHINE, (RECORD_LOOKS, PROBE_LOOKS)),
    Seed((22, 24), CATALOGUE, LIMIT, MACHINE,
         (("            if (word.state() != CircuitState::HalfOpen) return;\n"
           "            if (word.probes() >= cycle_.published().probeLimit()) return;\n",
           "            if (word.probes() >= cycle_.published().probeLimit()) {\n"
           "                ticket = Ticket{word.asPassenger(), now};\n"
           "                return;\n            }\n"),)),
    Seed((23,), CATALOGUE, LIMIT, "breaker/probe_slots.hpp",
         (("starts_(static_cast<std::size_t>(limit), kFree)",
           "starts_(static_cast<std::size_t>(limit) + 1, kFree)"),)),
    Seed((24,), CATALOGUE,
         "D 24: with jitter, a fleet that opened together does not probe together",
         "breaker/recovery_wait.hpp",
         (("if (jitter_ == 0.0 || wait == kForever) return wait;", "return wait;"),)),
    Seed((25,), CATALOGUE, "E 25: the call that rotates a window is in its own snapshot",
         "window/last_time_window.hpp",
         (("        tick(position - 1, now);\n", ""),
          ("        if (slow) ++slow_;\n",
           "        if (slow) ++slow_;\n        tick(position, now);\n"))),
    Seed((26,), CATALOGUE, "E 26: after an idle time of many windows nothing is left of before",
         "window/last_time_window.hpp",
         (("for (std::size_t i = 0; i < ended; ++i) {", "if (ended > 0) {"),)),
    Seed((27,), CATALOGUE,
         "E 27: what is read and what decides agree at the boundary of a window",
         "policy/failure_count.hpp",
         (("!isWithin(failures_[gone], now)) ++gone;",
           "!isWithin(failures_[gone], now - 1)) ++gone;"),)),
    Seed((28,), CATALOGUE, "E 28: a window of one call", "window/last_calls_window.hpp",
         (("std::clamp(calls, 1, Window::kMaxCalls)", "std::clamp(calls, 2, Window::kMaxCalls)"),)),
    Seed((29,), CATALOGUE,
         "E 29: no count goes below zero or above the calls, whatever is reset when",
         "window/last_calls_window.hpp",
         (("        failures_ = slow_ = 0;\n        last_ = 0;\n",
           "        last_ = 0;\n"),)),
    Seed((30,), "window/last_time_window_test.cpp",
         "A window that never ends counts everything, and overflows nowhere",
         "window/last_time_window.hpp",
         (("slice * (span_ / kSlices)", "slice * span_ / kSlices"),)),
    Seed((30, 31), "breaker/allocation_test.cpp",
         "E 30, 31: a breaker is no larger after any number of calls*",
         "breaker/closed_ledger.hpp",
         (("        ++period.verdictCalls;\n        call.position",
           "        ++period.verdictCalls;\n        samples_.push_back(call);\n"
           "        call.position"),
          ("    Held tracker_;\n", "    Held tracker_;\n    std::vector<CallRecord> samples_{};\n"))),
    Seed((32,), CATALOGUE,
         "E 32: who reads a window while it turns reads all of it at one instant", MACHINE,
         (("const std::lock_guard lock{mutex_};\n            seen = cycle_.look(std::max(latest_, "
           "time_.coarseNow()));\n            reading",
           "seen = cycle_.look(std::max(latest_, time_.coarseNow()));\n            reading"),)),
    Seed((33,), HOSTILE, "F 33: a clock that steps back is read as standing still*",
         "breaker/time_source.hpp",
         (("return std::chrono::nanoseconds{reading.count() > highest ? reading.count() : "
           "highest};", "return reading;"),)),
    Seed((34,), HOSTILE, "F 34: what remains goes down while time goes by",
         "breaker/published_state.hpp",
         (("return wrappingSubtract(until, std::max(now, read(openedAt_)));",
           "return wrappingSubtract(std::max(now, read(openedAt_)), read(openedAt_));"),)),
    Seed((35,), HOSTILE,
         "F 35: backoff without a bound ends in waiting for ever, not in an overflow",
         "vocabulary/duration.hpp",
         (("    if (!(product < kTooLarge)) return kForever;\n", "    (void)kTooLarge;\n"),)),
    Seed((36,), HOSTILE, "F 36: near the end of the clock's range, deadlines hold there",
         "vocabulary/duration.hpp",
         (("    if (b.count() > 0 && a > Nanoseconds::max() - b) return Nanoseconds::max();\n", ""),)),
    Seed((37,), LISTENERS, "G 37: a listener may wait for another thread that uses the breaker",
         "breaker/event_hub.hpp",
         (("            lock.unlock();\n            next.front()->deliverTo(*this);\n"
           "            lock.lock();\n", "            next.front()->deliverTo(*this);\n"),)),
    Seed((38,), LISTENERS, "G 38: unsubscribing waits until no other thread is inside the listener",
         "breaker/listener_gate.hpp",
         (("        left_.wait(lock, [&] { return inside_ == 0; });\n", ""),)),
    Seed((39,), LISTENERS, "G 39: what a listener of any event throws is contained and counted",
         "breaker/event_hub.hpp",
         (("            errors_.fetch_add(1, std::memory_order_relaxed);\n", "            throw;\n"),)),
    Seed((40,), LISTENERS, "G 40: simultaneous failures open once and tell once", MACHINE,
         (RECORD_LOOKS,
          ("            if (cycle_.word() != word) return;\n            recorded",
           "            if (cycle_.word() != word) {\n"
           "                return cycle_.journal().stateChanged(\n"
           "                    CircuitState::Closed, CircuitState::Open,\n"
           "                    TransitionReason::PolicyTripped, [] { return "
           "CircuitBreakerStats{}; });\n            }\n            recorded"))),
    Seed((41,), LISTENERS,
         "G 41: nothing is heard after unsubscribing, by hand or by destruction",
         "breaker/subscribed_to.hpp",
         (("        listener_->close();\n"
           "        if (const auto list = list_.lock()) list->sweep();\n", ""),)),
    Seed((42,), CATALOGUE,
         "H 42: a call has one outcome, also when its result is judged and its time is over",
         MACHINE, (("if (!end.failed()) totals_.count(end);", "totals_.otherSuccess();"),)),
    Seed((43,), CATALOGUE, "H 43: what a caller cancels is not held against the dependency",
         "breaker/breaker_core.hpp",
         (("end.cancelled = true;", "end.outcome = Outcome::Failure;"),)),
    Seed((44,), CATALOGUE, "H 44: classification holds in half-open as in closed", CYCLE,
         (("if (end.failed() || end.slow) {", "if (end.outcome != Outcome::Success) {"),)),
    Seed((45,), VALIDATION,
         "H 45: durations of the options must be above zero, and may be for ever",
         "vocabulary/validation.hpp",
         (("if (value > std::chrono::nanoseconds::zero()) return",
           "if (value >= std::chrono::nanoseconds::zero()) return"),)),
    Seed((46,), VALIDATION, "H 45, 46: rates are above 0 and at most 1",
         "vocabulary/validation.hpp",
         (("if (value > 0.0 && value <= 1.0) return", "if (!(value <= 0.0 || value > 1.0)) return"),)),
    Seed((47,), "registry/registry_events_test.cpp",
         "A conflict of configurations is reported once a name", "registry/breaker_maker.hpp",
         (("if ((policy || options) && audience_.wants", "if (false && audience_.wants"),)),
    Seed((48,), EVICTION, "Within a tick, the breaker that was created first goes first",
         "registry/breaker_store.hpp", (("        if (most_ == 0) return;\n", "        return;\n"),)),
    Seed((49,), EVICTION,
         "A breaker that protects, is steered, held or in flight stays, and the registry grows",
         "registry/breaker_store.hpp",
         (("view.state() == CircuitState::Closed;", "view.state() != CircuitState::HalfOpen;"),)),
    Seed((50,), TIMER, "I 50: a call that ended is in no queue: its memory is somebody else's",
         "breaker/stop_at_deadline.hpp",
         (("if (armed_) deadlineTimer().disarm(*this);", ""),)),
    Seed((51,), TIMER, "A stop is requested at the deadline, and not before",
         "breaker/stop_at_deadline.hpp", (("        source.request_stop();\n", ""),)),
    Seed((52,), "breaker/transition_events_test.cpp",
         "The snapshot is of the breaker just before the transition: what led to it", CYCLE,
         (("before.state = from.state();", "before.state = to;"),)),
    Seed((53,), "breaker/manual_control_test.cpp",
         "reset() keeps the calls in flight in flight", "window/sharded_counters.hpp",
         (("                if (static_cast<Tally>(t) == Tally::Begun ||\n"
           "                    static_cast<Tally>(t) == Tally::Ended) {\n"
           "                    continue;\n                }\n", ""),)),
    Seed((54,), TIMER, "A child of a fork starts a timer of its own", "breaker/deadline_timer.hpp",
         (("if (std::exchange(forking_, true)) return;", "return;"),)),
    Seed((54,), CATALOGUE,
         "I 54: a fork while others succeed or are rejected leaves the child a whole breaker",
         MACHINE,
         (("        if (!isPublished(ticket.word)) [[unlikely]]",
           "        const std::lock_guard lock{mutex_};\n"
           "        if (!isPublished(ticket.word)) [[unlikely]]"),)),
    Seed((55,), HOSTILE, "F 35: a thousand reopenings do not wear the backoff out",
         "breaker/recovery_wait.hpp",
         (("std::min(saturatingMultiply(first_, factor), most_)",
           "std::min(first_ * static_cast<std::int64_t>(factor), most_)"),)),
]
