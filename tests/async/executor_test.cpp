// SPDX-License-Identifier: MIT
// What an executor is, and what it gets to run.
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/executors.hpp"
#include "fusebox/async/executor.hpp"
#include "fusebox/async/executor_task.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "support/catch.hpp"

using namespace fusebox;
using fusebox::detail::ExecutorTask;
using fusebox::detail::TaskHandle;

namespace {

// The archetypes: each has one form, and no more.
struct WithExecute {
    void execute(std::function<void()>) const;
};
struct WithPost {
    void post(TaskHandle);
};
struct WithAllocator {
    void post(const TaskHandle&, const std::allocator<void>&) const;
};
struct WithTryExecute {
    bool tryExecute(const std::function<void()>&);
};
// The near-misses.
struct WithoutAny {
    void run(std::function<void()>);
};
struct WithoutAnswer {
    void tryExecute(std::function<void()>);
};
struct WantsAnArgument {
    void execute(std::function<void(int)>);
};
struct OnlyConstFails {
    void execute(std::function<void()>);
};

static_assert(Executor<WithExecute> && Executor<const WithExecute>);
static_assert(Executor<WithPost> && Executor<WithTryExecute> && Executor<WithExecute&>);
static_assert(Executor<WithAllocator>);
static_assert(Executor<ThreadPool> && Executor<test::ThreadExecutor>);
static_assert(!Executor<WithoutAny> && !Executor<WithoutAnswer> && !Executor<WantsAnArgument>);
static_assert(Executor<OnlyConstFails> && !Executor<const OnlyConstFails>);
static_assert(!Executor<int> && !Executor<std::function<void()>>);

static_assert(std::is_copy_constructible_v<std::function<void()>>);
static_assert(std::is_constructible_v<std::function<void()>, TaskHandle>);

struct CountedTask final : ExecutorTask {
    int runs = 0;
    int drops = 0;
    void run() noexcept override { ++runs; }
    void dropped() noexcept override { ++drops; }
};

}  // namespace

TEST_CASE("A task runs once, whichever of its handles is called, and is not dropped then") {
    const auto task = std::make_shared<CountedTask>();
    {
        const TaskHandle first{task};
        TaskHandle second = first;
        const std::function<void()> third = second;
        third();
        first();
        second = TaskHandle{first};
        second();
    }
    CHECK(task->runs == 1);
    CHECK(task->drops == 0);
    CHECK(task.use_count() == 1);
}

TEST_CASE("A task is dropped when its last handle is gone and none was called") {
    const auto task = std::make_shared<CountedTask>();
    std::vector<TaskHandle> handles(3, TaskHandle{task});
    handles.pop_back();
    TaskHandle moved = std::move(handles.back());
    handles.clear();
    CHECK(task->drops == 0);
    { const TaskHandle last = std::move(moved); }
    CHECK(task->drops == 1);
    CHECK(task->runs == 0);
}

TEST_CASE("A handle that was moved from does nothing") {
    const auto task = std::make_shared<CountedTask>();
    TaskHandle from{task};
    const TaskHandle to = std::move(from);
    from();  // NOLINT(bugprone-use-after-move)
    CHECK(task->runs == 0);
    from = to;
    from();
    CHECK(task->runs == 1);
}

TEST_CASE("submit takes the first form that an executor has, and says whether there was room") {
    struct All {
        int tried = 0;
        int executed = 0;
        bool room = true;
        bool tryExecute(const TaskHandle&) {
            ++tried;
            return room;
        }
        void execute(const TaskHandle&) { ++executed; }
        void post(const TaskHandle&) { ++executed; }
    };
    All all;
    const auto task = std::make_shared<CountedTask>();
    CHECK(detail::submit(all, TaskHandle{task}));
    all.room = false;
    CHECK_FALSE(detail::submit(all, TaskHandle{task}));
    CHECK(all.tried == 2);
    CHECK(all.executed == 0);

    struct Two {
        int executed = 0;
        int posted = 0;
        void execute(const TaskHandle&) { ++executed; }
        void post(const TaskHandle&) { ++posted; }
    };
    Two two;
    CHECK(detail::submit(two, TaskHandle{task}));
    CHECK(two.executed == 1);
    CHECK(two.posted == 0);
}
