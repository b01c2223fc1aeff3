// SPDX-License-Identifier: MIT
// What the service depends on: in memory, with a switch that makes each of them fail or hang.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace shop {

using Deadline = std::chrono::steady_clock::time_point;

enum class Fault { None, Fail, Hang };

constexpr std::array<std::pair<std::string_view, Fault>, 3> kFaults{
    {{"ok", Fault::None}, {"fail", Fault::Fail}, {"hang", Fault::Hang}}};

inline std::string_view toString(Fault fault) {
    return kFaults[static_cast<std::size_t>(fault)].first;
}
inline std::optional<Fault> faultOf(std::string_view word) {
    for (const auto& [name, fault] : kFaults) {
        if (name == word) return fault;
    }
    return std::nullopt;
}

/// Stands for the connection to a server. **Threads.** Everything may be called concurrently.
class Dependency {
public:
    explicit Dependency(std::string name) : name_(std::move(name)) {}

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] Fault fault() const {
        const std::lock_guard lock{mutex_};
        return fault_;
    }
    void setFault(Fault fault) {
        const std::lock_guard lock{mutex_};
        fault_ = fault;
        changed_.notify_all();
    }

    /// What each request to it begins with. While it hangs there is no answer, until it is healed
    /// or the caller, as a good client does, gives up at its deadline.
    void reach(Deadline deadline) const {
        std::unique_lock lock{mutex_};
        const auto answers = [&] { return fault_ != Fault::Hang; };
        // Far ends of time overflow in some standard libraries.
        const auto patience = std::min(deadline, std::chrono::steady_clock::now() + kMostPatience);
        if (!changed_.wait_until(lock, patience, answers)) {
            throw std::runtime_error{name_ + ": no answer in time"};
        }
        if (fault_ == Fault::Fail) throw std::runtime_error{name_ + ": connection refused"};
    }

private:
    static constexpr std::chrono::minutes kMostPatience{1};

    std::string name_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    Fault fault_ = Fault::None;
};

/// Users by number.
using Users = std::map<int, std::string>;

class Database : public Dependency {
public:
    Database() : Dependency("database") {}

    void selectOne(Deadline deadline) const { reach(deadline); }
    [[nodiscard]] std::optional<std::string> user(int id, Deadline deadline) const {
        reach(deadline);
        const auto found = users_.find(id);
        return found == users_.end() ? std::nullopt : std::optional{found->second};
    }
    [[nodiscard]] Users users(Deadline deadline) const {
        reach(deadline);
        return users_;
    }

private:
    const Users users_{{1, "Ada"}, {2, "Grace"}, {3, "Barbara"}};
};

class Cache : public Dependency {
public:
    Cache() : Dependency("cache") {}

    void store(Users users, Deadline deadline) {
        reach(deadline);
        const std::lock_guard lock{content_};
        users_ = std::move(users);
    }
    [[nodiscard]] std::optional<std::string> user(int id, Deadline deadline) const {
        reach(deadline);
        const std::lock_guard lock{content_};
        const auto found = users_.find(id);
        return found == users_.end() ? std::nullopt : std::optional{found->second};
    }

private:
    mutable std::mutex content_;
    Users users_{};
};

struct Payment {
    std::string id{};
    int cents = 0;
};

/// Somebody else's server: takes payments, and tells rates.
class ExternalApi : public Dependency {
public:
    ExternalApi() : Dependency("external-api") {}

    void charge(const Payment&, Deadline deadline) const { reach(deadline); }
    [[nodiscard]] std::map<std::string, double> rates(Deadline deadline) const {
        reach(deadline);
        return {{"EUR", 1.0}, {"USD", 1.08}};
    }
};

}  // namespace shop
