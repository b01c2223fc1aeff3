// SPDX-License-Identifier: MIT
// Something to hang on, until it is opened.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

namespace fusebox::test {

/// Copies share one gate.
class HealthGate {
public:
    void open() const {
        const std::lock_guard lock{shared_->mutex};
        shared_->isOpen = true;
        shared_->changed.notify_all();
    }
    void pass() const {
        std::unique_lock lock{shared_->mutex};
        shared_->changed.wait(lock, [&] { return shared_->isOpen; });
    }

private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        bool isOpen = false;
    };
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace fusebox::test
