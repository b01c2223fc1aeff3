// SPDX-License-Identifier: MIT
// The text in which a breaker's state outlives the process: what it says, and what it refuses.
#include "fusebox/breaker/saved_state.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "breaker/replaced.hpp"
#include "fusebox/breaker/saved_state_text.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::detail::parseSavedState;
using fusebox::detail::SavedState;
using fusebox::detail::toText;
using fusebox::test::replaced;

namespace {

using Time = std::chrono::system_clock::time_point;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

/// Parsed from memory that ends where the text does, so that AddressSanitizer sees a step beyond.
std::variant<SavedState, std::string> parsed(std::string_view text) {
    const std::vector<char> exact(text.begin(), text.end());
    SavedState state;
    if (auto complaint = parseSavedState({exact.data(), exact.size()}, state)) return *complaint;
    return state;
}

std::optional<SavedState> stateOf(std::string_view text) {
    const auto result = parsed(text);
    const auto* state = std::get_if<SavedState>(&result);
    return state ? std::optional{*state} : std::nullopt;
}

/// Empty if the text is accepted.
std::string complaintOf(std::string_view text) {
    const auto result = parsed(text);
    const auto* complaint = std::get_if<std::string>(&result);
    return complaint ? *complaint : std::string{};
}

auto fieldsOf(const TripRecord& trip) {
    return std::tie(trip.reason, trip.time, trip.windowCalls, trip.windowFailures, trip.windowSlow,
                    trip.failureRate, trip.slowCallRate, trip.consecutiveFailures, trip.wait,
                    trip.policy, trip.lastError, trip.lastOutcomes);
}

auto fieldsOf(const SavedState& state) {
    return std::tie(state.name, state.state, state.mode, state.savedAt, state.remainingWait,
                    state.reopenings, state.probeSuccesses, state.lastError, state.lastFailureTime,
                    state.lastClosed, state.totalSuccesses, state.totalFailures,
                    state.totalTimeouts, state.totalIgnored, state.totalCancelled,
                    state.totalRejected, state.totalShadowRejected, state.totalStale,
                    state.totalSlow, state.timesOpened, state.timesClosed, state.timesReconfigured,
                    state.listenerErrors, state.timeOpen);
}

bool same(const SavedState& a, const SavedState& b) {
    if (fieldsOf(a) != fieldsOf(b) || a.lastTrip.has_value() != b.lastTrip.has_value())
        return false;
    return !a.lastTrip || fieldsOf(*a.lastTrip) == fieldsOf(*b.lastTrip);
}

/// The property of every text: refused with a sentence of one line, or a state that is itself.
bool isRefusedOrRoundTrips(std::string_view text) {
    const auto result = parsed(text);
    if (const auto* complaint = std::get_if<std::string>(&result)) {
        return complaint->starts_with("line") &&
               complaint->find("; allowed: ") != std::string::npos &&
               complaint->find('\n') == std::string::npos && complaint->size() < 1000;
    }
    const auto& state = std::get<SavedState>(result);
    const auto again = stateOf(toText(state));
    return again && same(*again, state);
}

SavedState openState() {
    SavedState state;
    state.name = "payments-api";
    state.state = CircuitState::Open;
    state.mode = ControlMode::Shadow;
    state.savedAt = Time{1700000000000000000ns};
    state.remainingWait = 30s;
    state.reopenings = 2;
    state.lastError = "HTTP 503: 100% busy\n";
    state.lastFailureTime = Time{1699999999000000000ns};
    state.lastClosed = Time{-1ns};
    state.lastTrip = TripRecord{
        .reason = TransitionReason::ProbeFailed,
        .time = Time{1699999999000000001ns},
        .windowCalls = 30,
        .windowFailures = 10,
        .windowSlow = 1,
        .failureRate = 1.0 / 3.0,
        .slowCallRate = 0.1,
        .consecutiveFailures = 4,
        .wait = kForever,
        .policy = "50 % of 100 calls",
        .lastError = "Überlast",
        .lastOutcomes = {
            {Outcome::Success, false}, {Outcome::Success, true}, {Outcome::Failure, false}}};
    state.totalSuccesses = 101;
    state.totalFailures = 102;
    state.totalTimeouts = 103;
    state.totalIgnored = 104;
    state.totalCancelled = 105;
    state.totalRejected = 106;
    state.totalShadowRejected = 107;
    state.totalStale = 108;
    state.totalSlow = 109;
    state.timesOpened = 110;
    state.timesClosed = 111;
    state.timesReconfigured = 112;
    state.listenerErrors = kMost;
    state.timeOpen = 90s;
    return state;
}

std::string complaintWith(std::string_view from, std::string_view to) {
    return complaintOf(replaced(toText(openState()), from, to));
}

/// Where a sentence about a field of `openState` points to.
std::string pointsTo(std::string_view field) {
    const std::string text = toText(openState());
    const std::size_t begin = text.find("\n" + std::string{field} + "=") + 1;
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<int>(begin), '\n');
    return "line " + std::to_string(line) + ": " + std::string{field};
}

/// Where it points to when a line of `openState` is taken out.
std::string missing(std::string_view field) {
    const std::string text = toText(openState());
    const auto lines = std::count(text.begin(), text.end(), '\n') - 1;
    return "lines 1 to " + std::to_string(lines) + ": " + std::string{field} + " is missing";
}

class RandomValues {
public:
    explicit RandomValues(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
    bool once(std::size_t in) { return below(in) == 0; }

    template <class Value>
    Value oneOf(std::initializer_list<Value> values) {
        return values.begin()[below(values.size())];
    }
    std::uint64_t count(std::uint64_t most = kMost) {
        return oneOf<std::uint64_t>({0, 1, random_() % 1000, random_() % most, most});
    }
    std::chrono::nanoseconds duration() {
        return oneOf<std::chrono::nanoseconds>(
            {0ns, 1ns, 60s, std::chrono::nanoseconds{random_() >> 1U}, kForever});
    }
    Time time() {
        return Time{std::chrono::duration_cast<Time::duration>(
            std::chrono::nanoseconds{static_cast<std::int64_t>(random_())})};
    }
    double rate() {
        return oneOf(
            {0.0, 1.0, 1.0 / 3.0, static_cast<double>(random_() >> 11U) * 0x1p-53, 5e-324});
    }
    /// Of ordinary characters, of what the format is made of, and of any bytes.
    std::string string(std::size_t most) {
        const auto part = [&] {
            return oneOf<std::string>({"a", "=", "%", "%41", "\n", "\r\n", std::string(1, '\0'),
                                       "ü", "日本", "name=", "\x7f", std::string{anyByte()}});
        };
        std::string text;
        for (std::size_t parts = below(20); parts > 0; --parts) text += part();
        text.resize(std::min(text.size(), most));
        return text;
    }
    char anyByte() { return static_cast<char>(below(256)); }

    template <class Make>
    auto maybe(Make make) {
        return once(2) ? std::optional{make()} : std::nullopt;
    }
    TransitionReason reason() {
        using enum TransitionReason;
        return oneOf(
            {PolicyTripped, ProbeFailed, ProbeLost, WaitElapsed, ProbesSucceeded, Manual, Reset});
    }

private:
    std::mt19937_64 random_;
};

TripRecord randomTrip(RandomValues& random) {
    TripRecord trip;
    trip.reason = random.reason();
    trip.time = random.time();
    trip.windowCalls = random.count();
    trip.windowFailures = std::min(random.count(), trip.windowCalls);
    trip.windowSlow = std::min(random.count(), trip.windowCalls);
    trip.failureRate = random.maybe([&] { return random.rate(); });
    trip.slowCallRate = random.maybe([&] { return random.rate(); });
    trip.consecutiveFailures = random.count();
    trip.wait = random.duration();
    trip.policy = random.string(1000);
    trip.lastError = random.string(127);
    for (std::uint64_t i = random.count() % 33; i > 0; --i) {
        trip.lastOutcomes.push_back(
            {random.oneOf({Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Ignored}),
             random.count() % 2 == 0});
    }
    return trip;
}

SavedState randomState(RandomValues& random) {
    SavedState state;
    state.name = random.string(1000);
    state.state = random.oneOf({CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen});
    state.mode = random.oneOf({ControlMode::Automatic, ControlMode::ForcedOpen,
                               ControlMode::ForcedClosed, ControlMode::Shadow});
    state.savedAt = random.time();
    if (state.state == CircuitState::Open) state.remainingWait = random.duration();
    state.reopenings = random.count() % 1'000'000;
    if (state.state == CircuitState::HalfOpen) state.probeSuccesses = random.count() % 65536;
    state.lastError = random.string(127);
    state.lastFailureTime = random.maybe([&] { return random.time(); });
    state.lastClosed = random.maybe([&] { return random.time(); });
    state.lastTrip = random.maybe([&] { return randomTrip(random); });
    state.totalSuccesses = random.count(kMost / 5);
    state.totalFailures = random.count(kMost / 5);
    state.totalTimeouts = random.count(kMost / 5);
    state.totalIgnored = random.count(kMost / 5);
    state.totalCancelled = random.count(kMost / 5);
    state.totalRejected = random.count();
    state.totalShadowRejected = random.count();
    state.totalStale = random.count();
    state.totalSlow = random.count();
    state.timesOpened = random.count(kMost - 1) + (state.state == CircuitState::Closed ? 0 : 1);
    state.timesClosed = random.count();
    state.timesReconfigured = random.count();
    state.listenerErrors = random.count();
    state.timeOpen = random.duration();
    return state;
}

/// A call as a record of an opening will hold it.
struct RecordedCall {
    Outcome outcome = Outcome::Success;
    bool slow = false;
    friend bool operator==(const RecordedCall&, const RecordedCall&) = default;
};

}  // namespace

TEST_CASE("A saved state reads like this") {
    CHECK(toText(openState()) ==
          "fusebox-state 1\n"
          "name=payments-api\n"
          "state=OPEN\n"
          "mode=SHADOW\n"
          "savedAt=1700000000000000000\n"
          "remainingWait=30000000000\n"
          "reopenings=2\n"
          "lastError=HTTP 503: 100%25 busy%0A\n"
          "lastFailureTime=1699999999000000000\n"
          "lastClosed=-1\n"
          "lastTrip.reason=PROBE_FAILED\n"
          "lastTrip.time=1699999999000000001\n"
          "lastTrip.windowCalls=30\n"
          "lastTrip.windowFailures=10\n"
          "lastTrip.windowSlow=1\n"
          "lastTrip.failureRate=0.3333333333333333\n"
          "lastTrip.slowCallRate=0.1\n"
          "lastTrip.consecutiveFailures=4\n"
          "lastTrip.wait=9223372036854775807\n"
          "lastTrip.policy=50 %25 of 100 calls\n"
          "lastTrip.lastError=Überlast\n"
          "lastTrip.lastOutcomes=SUCCESS,SUCCESS+SLOW,FAILURE\n"
          "totalSuccesses=101\n"
          "totalFailures=102\n"
          "totalTimeouts=103\n"
          "totalIgnored=104\n"
          "totalCancelled=105\n"
          "totalRejected=106\n"
          "totalShadowRejected=107\n"
          "totalStale=108\n"
          "totalSlow=109\n"
          "timesOpened=110\n"
          "timesClosed=111\n"
          "timesReconfigured=112\n"
          "listenerErrors=18446744073709551615\n"
          "timeOpen=90000000000\n");
}

TEST_CASE("Only an open breaker saves a wait, only a half-open one its probe successes") {
    auto state = openState();
    CHECK(toText(state).find("probeSuccesses") == std::string::npos);
    state.state = CircuitState::HalfOpen;
    state.probeSuccesses = 3;
    CHECK(toText(state).find("remainingWait") == std::string::npos);
    CHECK(toText(state).find("probeSuccesses=3\n") != std::string::npos);
    state.state = CircuitState::Closed;
    CHECK(toText(state).find("remainingWait") == std::string::npos);
    CHECK(toText(state).find("probeSuccesses") == std::string::npos);
}

TEST_CASE("Every state reads back as itself, whatever bytes its strings are made of") {
    RandomValues random{1};
    for (int i = 0; i < 3000; ++i) {
        const SavedState state = randomState(random);
        const std::string text = toText(state);
        INFO(text << complaintOf(text));
        const auto again = stateOf(text);
        REQUIRE(again);
        REQUIRE(same(*again, state));
    }
}

TEST_CASE("A line of the text is a line to everyone: no other control character is in it") {
    RandomValues random{2};
    for (int i = 0; i < 1000; ++i) {
        for (const char c : toText(randomState(random))) {
            if (c != '\n' && detail::isControl(c)) FAIL("control character " << int{c});
        }
    }
    SUCCEED();
}

TEST_CASE("Lines may end as they do on Windows, and come in any order") {
    const auto state = openState();
    std::string crlf;
    for (const char c : toText(state)) crlf += c == '\n' ? std::string{"\r\n"} : std::string(1, c);
    REQUIRE(stateOf(crlf));
    CHECK(same(*stateOf(crlf), state));

    const std::string line = "savedAt=1700000000000000000\n";
    const auto moved = stateOf(replaced(toText(state), line, "") + line);
    REQUIRE(moved);
    CHECK(same(*moved, state));
}

TEST_CASE("A text that was cut anywhere is refused") {
    RandomValues random{3};
    for (int i = 0; i < 5; ++i) {
        const std::string text = toText(i == 0 ? openState() : randomState(random));
        for (std::size_t size = 0; size < text.size(); ++size) {
            INFO(text.substr(0, size));
            REQUIRE_FALSE(complaintOf(text.substr(0, size)).empty());
            REQUIRE(isRefusedOrRoundTrips(text.substr(0, size)));
        }
    }
}

TEST_CASE("A text with any byte changed is refused or is another state") {
    const std::string text = toText(openState());
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string changed = text;
        const auto tryByte = [&](char byte) {
            changed[at] = byte;
            INFO(changed);
            REQUIRE(isRefusedOrRoundTrips(changed));
        };
        for (int bit = 0; bit < 8; ++bit) tryByte(static_cast<char>(text[at] ^ (1 << bit)));
        for (const char byte : {'\0', '\n', '\r', '%', '=', '-', '+', '9', ' ', '\xff'}) {
            tryByte(byte);
        }
    }
}

TEST_CASE("A text changed at random is refused or is another state") {
    constexpr int kTexts = 5000;
    RandomValues random{4};
    int accepted = 0;
    for (int i = 0; i < kTexts; ++i) {
        std::string text = toText(randomState(random));
        const std::string other = toText(openState());
        for (std::size_t changes = 1 + random.below(3); changes > 0; --changes) {
            const std::size_t at = random.below(text.size() + 1);
            const std::size_t size = random.below(random.once(2) ? 4 : 100);
            switch (random.below(5)) {
                case 0: text.erase(at, size); break;
                case 1: text.insert(at, 1, random.anyByte()); break;
                case 2: text.insert(at, other, random.below(other.size()), size); break;
                case 3: text.insert(at, 1, random.oneOf({'%', '=', '\n', '0', '9', '-'})); break;
                default:
                    if (at < text.size()) text[at] = random.anyByte();
            }
        }
        INFO(text);
        REQUIRE(isRefusedOrRoundTrips(text));
        accepted += complaintOf(text).empty();
    }
    // Both happen, or the test would show less than it says.
    CHECK(accepted > kTexts / 100);
    CHECK(accepted < kTexts / 2);
}

TEST_CASE("Another format or version is refused") {
    CHECK(complaintOf("") == "line 1: the line is empty; allowed: fusebox-state 1");
    CHECK(complaintOf("\n") == "line 1: the line is empty; allowed: fusebox-state 1");
    CHECK(complaintOf("{\"name\": 1}\n") ==
          "line 1: the line is {\"name\": 1}; allowed: fusebox-state 1");
    CHECK(complaintWith("state 1\n", "state 2\n") == "line 1: version is 2; allowed: 1");
    CHECK(complaintWith("state 1\n", "state 1 \n") == "line 1: version is 1 ; allowed: 1");
    CHECK(complaintWith("state 1\n", "state \n") == "line 1: version is empty; allowed: 1");
    CHECK(complaintWith("state 1\n", "state\n") ==
          "line 1: the line is fusebox-state; allowed: fusebox-state 1");
}

TEST_CASE("A text without an end or above 64 KiB is refused") {
    CHECK(complaintOf("fusebox-state 1\nname=payments-a") ==
          "line 2: the end of \"name=payments-a\" is missing; allowed: a newline");
    CHECK(complaintOf("fusebox-state 1") ==
          "line 1: the end of \"fusebox-state 1\" is missing; allowed: a newline");
    CHECK(complaintOf("fusebox-state 1\nx") ==
          "line 2: the end of \"x\" is missing; allowed: a newline");
    auto state = openState();
    state.name.clear();
    state.name.resize(65536 - toText(state).size(), 'x');
    CHECK(complaintOf(toText(state)).empty());
    state.name += 'x';
    CHECK(complaintOf(toText(state)) ==
          "line 1: the text is 65537 bytes; allowed: at most 65536 bytes");
}

TEST_CASE("A field that is missing, unknown, twice there or no field is refused") {
    CHECK(complaintWith("name=payments-api\n", "") ==
          missing("name") +
              "; allowed: text with % and control characters as %00 to "
              "%FF");
    CHECK(complaintWith("lastTrip.reason=PROBE_FAILED\n", "") ==
          missing("lastTrip.reason") +
              "; allowed: POLICY_TRIPPED, PROBE_FAILED, "
              "PROBE_LOST, WAIT_ELAPSED, PROBES_SUCCEEDED, MANUAL, RESET");
    CHECK(complaintWith("timeOpen=90000000000\n", "") == missing("timeOpen") +
                                                             "; allowed: nanoseconds from 0 to "
                                                             "9223372036854775807");
    CHECK(complaintWith("mode=", "mood=") ==
          "line 4: mood is SHADOW; allowed: no field of this name");
    CHECK(complaintWith("mode=SHADOW", "state=CLOSED") ==
          "line 4: state is CLOSED; allowed: this field once, and it stands in line 3");
    CHECK(complaintWith("mode=SHADOW", "SHADOW") ==
          "line 4: the line is SHADOW; allowed: field=value");
    CHECK(complaintWith("mode=SHADOW", "") == "line 4: the line is empty; allowed: field=value");
    CHECK(complaintWith("mode=SHADOW", "=SHADOW") ==
          "line 4: empty is SHADOW; allowed: no field of this name");
}

TEST_CASE("Every field but the optional ones is missed") {
    const std::string text = toText(openState());
    for (std::size_t begin = text.find('\n') + 1; begin < text.size();) {
        const std::size_t end = text.find('\n', begin) + 1;
        const std::string name = text.substr(begin, text.find('=', begin) - begin);
        const bool optional = name == "lastFailureTime" || name == "lastClosed" ||
                              name == "lastTrip.failureRate" || name == "lastTrip.slowCallRate";
        const std::string complaint = complaintOf(std::string{text}.erase(begin, end - begin));
        INFO(name << ": " << complaint);
        CHECK(complaint.empty() == optional);
        CHECK((optional || complaint.starts_with(missing(name) + "; ")));
        begin = end;
    }
}

TEST_CASE("A count that is no count is refused") {
    const auto refused = [](std::string_view shown) {
        return "line 7: reopenings is " + std::string{shown} +
               "; allowed: an integer from 0 to 18446744073709551615";
    };
    for (const std::string_view value :
         {"-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "18446744073709551616", "two"}) {
        CHECK(complaintWith("reopenings=2", std::string{"reopenings="}.append(value)) ==
              refused(value));
    }
    CHECK(complaintWith("reopenings=2", "reopenings=") == refused("empty"));
    CHECK(complaintWith("reopenings=2", "reopenings=1\t") == refused("1%09"));
}

TEST_CASE("A duration that is negative or no duration is refused, and so is such a time") {
    for (const std::string_view value : {"-1", "9223372036854775808", "1s", "never"}) {
        CHECK(complaintWith("=30000000000", std::string{"="}.append(value)) ==
              "line 6: remainingWait is " + std::string{value} +
                  "; allowed: nanoseconds from 0 to 9223372036854775807");
    }
    CHECK(complaintWith("lastTrip.wait=9", "lastTrip.wait=-9") ==
          pointsTo("lastTrip.wait") +
              " is -9223372036854775807; allowed: nanoseconds from 0 to "
              "9223372036854775807");
    CHECK(complaintWith("timeOpen=9", "timeOpen=-9") ==
          pointsTo("timeOpen") +
              " is -90000000000; allowed: nanoseconds from 0 to 9223372036854775807");
    CHECK(complaintWith("savedAt=17", "savedAt=2023-11-14") ==
          "line 5: savedAt is 2023-11-1400000000000000000; allowed: nanoseconds since 1970 from "
          "-9223372036854775808 to 9223372036854775807");
    CHECK(complaintWith("lastClosed=-1", "lastClosed=-9223372036854775809") ==
          "line 10: lastClosed is -9223372036854775809; allowed: nanoseconds since 1970 from "
          "-9223372036854775808 to 9223372036854775807");
}

TEST_CASE("A rate that is no share is refused") {
    for (const std::string_view value : {"1.0000001", "-0.1", "nan", "inf", "-inf", "+0.1", "50 %",
                                         "0,5", ".", "1e999", "0x1p-1", "0.5 "}) {
        CHECK(complaintWith("Rate=0.1", std::string{"Rate="}.append(value)) ==
              pointsTo("lastTrip.slowCallRate") + " is " + std::string{value} +
                  "; allowed: a number from 0 to 1");
    }
    CHECK(complaintWith("Rate=0.3333333333333333", "Rate=NaN") ==
          pointsTo("lastTrip.failureRate") + " is NaN; allowed: a number from 0 to 1");
}

TEST_CASE("A word that is none is refused") {
    for (const std::string_view value : {"OPNE", "open", "OPEN ", "UNKNOWN", "1"}) {
        CHECK(complaintWith("state=OPEN", std::string{"state="}.append(value)) ==
              "line 3: state is " + std::string{value} + "; allowed: CLOSED, OPEN, HALF_OPEN");
    }
    CHECK(complaintWith("=SHADOW", "=") ==
          "line 4: mode is empty; allowed: AUTOMATIC, FORCED_OPEN, FORCED_CLOSED, SHADOW");
    CHECK(complaintWith("=PROBE_FAILED", "=FAILED") ==
          pointsTo("lastTrip.reason") +
              " is FAILED; allowed: POLICY_TRIPPED, PROBE_FAILED, PROBE_LOST, "
              "WAIT_ELAPSED, PROBES_SUCCEEDED, MANUAL, RESET");
}

TEST_CASE("A string with a broken escape or a bare control character is refused") {
    const std::string allowed = "; allowed: text with % and control characters as %00 to %FF";
    for (const std::string_view value : {"%", "a%", "%4", "%zz", "%4g", "%-1", "% 1", "100%"}) {
        CHECK(complaintWith("payments-api", value) ==
              "line 2: name is " + std::string{value} + allowed);
    }
    CHECK(complaintWith("payments-api", "a\tb") == "line 2: name is a%09b" + allowed);
    CHECK(complaintWith("payments-api", "a\rb") == "line 2: name is a%0Db" + allowed);
    CHECK(complaintWith("payments-api", "a\x7f") == "line 2: name is a%7F" + allowed);
    CHECK(complaintWith("lastTrip.policy=50", "lastTrip.policy=%5") ==
          pointsTo("lastTrip.policy") + " is %5 %25 of 100 calls" + allowed);
    CHECK(complaintWith("payments-api", "%41%c3%9C").empty());
}

TEST_CASE("What is read into a string is all that stands there then") {
    std::string text = "before";
    CHECK(detail::StringForm<>::read("af%74er", text));
    CHECK(text == "after");
}

TEST_CASE("An error of more than 127 bytes is refused, however it is written") {
    const std::string longest(127, 'x');
    CHECK(complaintWith("HTTP 503: 100%25 busy%0A", longest).empty());
    const std::string allowed =
        "; allowed: text with % and control characters as %00 to %FF, at most 127 bytes";
    CHECK(complaintWith("HTTP 503: 100%25 busy%0A", longest + "x") ==
          "line 8: lastError is " + std::string(64, 'x') + "..." + allowed);
    CHECK(complaintWith("Überlast", "%00" + longest) ==
          pointsTo("lastTrip.lastError") + " is %00" + std::string(61, 'x') + "..." + allowed);
    // What is no text is not cut between characters, but is not shown either.
    CHECK(complaintWith("HTTP 503: 100%25 busy%0A", std::string(128, '\x80')) ==
          "line 8: lastError is ..." + allowed);
}

TEST_CASE("Fields of another state are refused, and those of its own missed") {
    CHECK(complaintWith("state=OPEN", "state=CLOSED") ==
          "line 6: remainingWait is 30000000000; allowed: this field only in state OPEN");
    CHECK(complaintWith("remainingWait=30000000000\n", "") ==
          missing("remainingWait") +
              "; allowed: nanoseconds from 0 to "
              "9223372036854775807");
    CHECK(complaintWith("reopenings=2\n", "reopenings=2\nprobeSuccesses=1\n") ==
          "line 8: probeSuccesses is 1; allowed: this field only in state HALF_OPEN");
    auto halfOpen = openState();
    halfOpen.state = CircuitState::HalfOpen;
    CHECK(complaintOf(replaced(toText(halfOpen), "probeSuccesses=0\n", "probeSuccesses=65536\n")) ==
          "line 7: probeSuccesses is 65536; allowed: at most 65535");
    CHECK(complaintOf(replaced(toText(halfOpen), "probeSuccesses=0\n", "")) ==
          missing("probeSuccesses") +
              "; allowed: an integer from 0 to "
              "18446744073709551615");
}

TEST_CASE("A window has no more failures and slow calls than calls") {
    CHECK(complaintWith("windowFailures=10", "windowFailures=31") ==
          pointsTo("lastTrip.windowFailures") +
              " is 31; allowed: at most lastTrip.windowCalls, which is 30");
    CHECK(complaintWith("windowSlow=1", "windowSlow=31") ==
          pointsTo("lastTrip.windowSlow") +
              " is 31; allowed: at most lastTrip.windowCalls, which is 30");
    CHECK(complaintWith("windowSlow=1", "windowSlow=30").empty());
}

TEST_CASE("A breaker that is not closed has opened before") {
    CHECK(complaintWith("timesOpened=110", "timesOpened=0") ==
          pointsTo("timesOpened") + " is 0; allowed: at least 1 in state OPEN");
    auto state = openState();
    state.timesOpened = 0;
    state.state = CircuitState::HalfOpen;
    CHECK(complaintOf(toText(state)) ==
          pointsTo("timesOpened") + " is 0; allowed: at least 1 in state HALF_OPEN");
    state.state = CircuitState::Closed;
    CHECK(complaintOf(toText(state)).empty());
}

TEST_CASE("Totals whose sum overflows are refused") {
    auto state = openState();
    state.totalIgnored = kMost - 101 - 102 - 103 - 105;
    CHECK(complaintOf(toText(state)).empty());
    state.totalCancelled += 1;
    CHECK(complaintOf(toText(state)) ==
          pointsTo("totalCancelled") +
              " is 106; allowed: at most 105, so that the sum of the calls that "
              "ended fits into 64 bits");
    state.totalSuccesses = kMost;
    CHECK(complaintOf(toText(state)) ==
          pointsTo("totalFailures") +
              " is 102; allowed: at most 0, so that the sum of the calls that "
              "ended fits into 64 bits");
}

TEST_CASE("The first thing that is wrong is told, in one line of bounded length") {
    CHECK(complaintOf(replaced(replaced(toText(openState()), "timeOpen=9", "timeOpen=x"),
                               "mode=SHADOW", "mode=SHADE")) ==
          "line 4: mode is SHADE; allowed: AUTOMATIC, FORCED_OPEN, FORCED_CLOSED, SHADOW");
    // It ends between characters, whichever bits their bytes have.
    for (const std::string letter : {"ü", "é"}) {
        std::string letters;
        for (int i = 0; i < 1000; ++i) letters += letter;
        CHECK(complaintWith("mode=SHADOW", "mode=x" + letters) ==
              "line 4: mode is x" + letters.substr(0, 62) +
                  "...; allowed: AUTOMATIC, FORCED_OPEN, FORCED_CLOSED, SHADOW");
    }
}

TEST_CASE("Outcomes of calls read back as themselves") {
    using Calls = std::vector<RecordedCall>;
    const auto readBack = [](std::string_view text) -> std::optional<Calls> {
        Calls calls{{Outcome::Ignored, true}};
        return detail::OutcomesForm::read(text, calls) ? std::optional{calls} : std::nullopt;
    };
    const Calls some{{Outcome::Failure, false}, {Outcome::Success, true}, {Outcome::Timeout, true}};
    CHECK(detail::OutcomesForm::write(some) == "FAILURE,SUCCESS+SLOW,TIMEOUT+SLOW");
    CHECK(readBack("FAILURE,SUCCESS+SLOW,TIMEOUT+SLOW") == some);
    CHECK(detail::OutcomesForm::write(Calls{}).empty());
    CHECK(readBack("") == Calls{});
    const Calls most(32, RecordedCall{Outcome::Ignored, false});
    CHECK(readBack(detail::OutcomesForm::write(most)) == most);
    CHECK_FALSE(readBack(detail::OutcomesForm::write(Calls(33))));
    for (const std::string_view text : {",", "FAILURE,", ",FAILURE", "FAILURE+", "+SLOW", "FAILED",
                                        "FAILURE, FAILURE", "FAILURE+SLOW+SLOW"}) {
        CHECK_FALSE(readBack(text));
    }
    CHECK(detail::OutcomesForm::allowed() ==
          "at most 32 of SUCCESS, FAILURE, TIMEOUT, IGNORED, each with +SLOW or without, separated "
          "by commas");
}
