// SPDX-License-Identifier: MIT
// Requests of an httplib::Client under a breaker: `guarded(breaker, client).Get(...)`.
//
// needs: httplib
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <httplib.h>

#include "fusebox/breaker/outcome_traits.hpp"
#include "fusebox/breaker/rejection_traits.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox {

/// A response with a status from 500 is a failure, and so is none. A request that the caller ended
/// or could not be made as asked says nothing of the server: it is ignored.
template <>
struct OutcomeTraits<httplib::Result> {
    [[nodiscard]] static Outcome classify(const httplib::Result& result) {
        if (result) return result->status >= 500 ? Outcome::Failure : Outcome::Success;
        switch (result.error()) {
            case httplib::Error::Canceled:
            case httplib::Error::UnsupportedMultipartBoundaryChars: return Outcome::Ignored;
            case httplib::Error::ConnectionTimeout: return Outcome::Timeout;
            default: return Outcome::Failure;
        }
    }
};

/// A rejected request looks like one that found nobody: httplib has no error of its own for it.
template <>
struct RejectionTraits<httplib::Result> {
    [[nodiscard]] static httplib::Result make(const Rejection&) {
        return httplib::Result{nullptr, httplib::Error::Connection};
    }
};

/// A client whose requests a breaker admits and judges. The methods are those of httplib::Client.
/// To be made for a request or kept; both must outlive it. **Threads.** As the client, and
/// `rejection()` belongs to one thread.
template <class Breaker, class Client = httplib::Client>
class GuardedClient {
public:
    GuardedClient(Breaker& breaker, Client& client) : breaker_(breaker), client_(client) {}

    // The names are httplib's.
    template <class... Args>
    httplib::Result Get(Args&&... args) {
        return request([&] { return client_.Get(std::forward<Args>(args)...); });
    }
    template <class... Args>
    httplib::Result Head(Args&&... args) {
        return request([&] { return client_.Head(std::forward<Args>(args)...); });
    }
    template <class... Args>
    httplib::Result Post(Args&&... args) {
        return request([&] { return client_.Post(std::forward<Args>(args)...); });
    }
    template <class... Args>
    httplib::Result Put(Args&&... args) {
        return request([&] { return client_.Put(std::forward<Args>(args)...); });
    }
    template <class... Args>
    httplib::Result Patch(Args&&... args) {
        return request([&] { return client_.Patch(std::forward<Args>(args)...); });
    }
    template <class... Args>
    httplib::Result Delete(Args&&... args) {
        return request([&] { return client_.Delete(std::forward<Args>(args)...); });
    }
    template <class... Args>
    httplib::Result Options(Args&&... args) {
        return request([&] { return client_.Options(std::forward<Args>(args)...); });
    }

    /// Why the last request was not sent; empty if it was. Its name is a view into the breaker.
    [[nodiscard]] const std::optional<Rejection>& rejection() const noexcept { return rejection_; }

private:
    template <class Send>
    httplib::Result request(const Send& send) {
        auto permit = breaker_.tryAcquire();
        if (!permit) {
            rejection_ = permit.rejection();
            return RejectionTraits<httplib::Result>::make(*rejection_);
        }
        rejection_.reset();
        httplib::Result result = send();
        (void)permit.report(OutcomeTraits<httplib::Result>::classify(result));
        return result;
    }

    Breaker& breaker_;
    Client& client_;
    std::optional<Rejection> rejection_{};
};

/// The breaker itself, or a handle to it, which must outlive the result.
template <class Breaker, class Client>
[[nodiscard]] GuardedClient<Breaker, Client> guarded(Breaker& breaker, Client& client) {
    return {breaker, client};
}
template <class Breaker, class Client>
[[nodiscard]] GuardedClient<Breaker, Client> guarded(const std::shared_ptr<Breaker>& breaker,
                                                     Client& client) {
    return {*breaker, client};
}

}  // namespace fusebox
