// SPDX-License-Identifier: MIT
// What a fault proxy does to those who come, and when.
#pragma once

#include <chrono>
#include <vector>

namespace fusebox::test {

/// One way in which a service, or the network before it, fails.
struct Fault {
    enum class Kind {
        Pass,             ///< None: requests and answers go through.
        Refuse,           ///< Nobody listens; connections that are there are reset.
        ResetOnAccept,    ///< Connections are accepted and reset, as are those that are there.
        NoAccept,         ///< Nobody accepts: a connection stays in the backlog, the next is lost.
        ResetOnRequest,   ///< Reset when a request has come; it is not passed on.
        ResetInResponse,  ///< Reset after half of the answer.
        Truncate,         ///< The answer lacks its end, and the connection ends.
        Garbage,          ///< The answer is not HTTP; the request is not passed on.
        HalfClose,        ///< Ends its side of the connection instead of an answer; reads on.
        BlackHole,        ///< Takes requests and never answers, also when the fault is over.
        Delay,            ///< The answer comes `delay` later, or up to `jitter` more.
        Drip,             ///< A byte of the answer every `delay`.
        Error,            ///< Answers `status` itself.
    };

    Kind kind = Kind::Pass;
    std::chrono::milliseconds delay{0};
    std::chrono::milliseconds jitter{0};
    int status = 503;
    double share = 1.0;  ///< Of the requests that it happens to; the others pass.
    int burst = 0;       ///< If above 0: it happens to so many requests in a row,
    int calm = 0;        ///< then so many pass, and so on.

    /// Whether it happens to connections, not to requests.
    [[nodiscard]] constexpr bool breaksConnections() const {
        return kind == Kind::Refuse || kind == Kind::ResetOnAccept || kind == Kind::NoAccept;
    }
};

/// One fault after the other; each lasts until the next begins, the last until another script is
/// played.
struct FaultScript {
    struct Step {
        std::chrono::milliseconds from{0};
        Fault fault{};
    };

    std::vector<Step> steps{};
    /// If above 0, it begins again so long after it began.
    std::chrono::milliseconds period{0};
};

}  // namespace fusebox::test
