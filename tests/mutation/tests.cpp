// SPDX-License-Identifier: MIT
// The main function of the tests of mutants. FUSEBOX_MUTANT chooses one; FUSEBOX_REACHED names the
// file that gets, for each test case, what it took and which mutants it met.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_case_info.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

#include <sys/mman.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fusebox_mutation.hpp"

namespace fusebox_mutation {

int active = -1;
unsigned char* reached = nullptr;

namespace {

constexpr std::size_t kSize = FUSEBOX_MUTANTS + 1;

// Constants of the headers ask before this file's turn would come.
[[gnu::constructor(101)]] void choose() noexcept {
    if (const char* const text = std::getenv("FUSEBOX_MUTANT")) active = std::atoi(text);
    // Shared with the children of forks.
    void* const shared =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) std::abort();
    reached = static_cast<unsigned char*>(shared);
}

class Notes : public Listener {
public:
    using Listener::Listener;

    void testRunStarting(const Catch::TestRunInfo&) override {
        if (const char* const path = std::getenv("FUSEBOX_REACHED")) file_ = std::fopen(path, "w");
        note({});  // What was met before main began.
    }
    void testCaseStarting(const Catch::TestCaseInfo& test) override {
        name_ = test.name + "\t" + test.lineInfo.file;
        begin_ = Clock::now();
    }
    void testCaseEnded(const Catch::TestCaseStats&) override { note(Clock::now() - begin_); }
    void testRunEnded(const Catch::TestRunStats&) override {
        if (file_ != nullptr) std::fclose(file_);
    }

private:
    using Clock = std::chrono::steady_clock;

    void note(Clock::duration took) {
        if (file_ == nullptr) return;
        std::fprintf(file_, "%s\t%.6f\t", name_.c_str(),
                     std::chrono::duration<double>(took).count());
        for (int mutant = 0; mutant < FUSEBOX_MUTANTS; ++mutant) {
            if (reached[mutant] != 0) std::fprintf(file_, "%d ", mutant);
        }
        std::fputc('\n', file_);
        std::memset(reached, 0, kSize);
    }

    std::FILE* file_ = nullptr;
    std::string name_ = "\t";
    Clock::time_point begin_{};
};

CATCH_REGISTER_LISTENER(Notes)

}  // namespace
}  // namespace fusebox_mutation

int main(int argc, char* argv[]) {
    return Catch::Session().run(argc, argv);
}
