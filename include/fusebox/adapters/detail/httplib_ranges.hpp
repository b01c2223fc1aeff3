// SPDX-License-Identifier: MIT
// Answers in one piece, for cpp-httplib.
//
// needs: httplib
#pragma once

#include <httplib.h>

namespace fusebox::detail {

/// The answer will be whole, whatever range of it was asked for, as a server may decide (RFC 9110,
/// 14.2). httplib up to 0.15 cuts errors, too, and any answer whose status a handler sets: what
/// comes is a piece that claims to be everything.
/// @param request of a handler that is running. httplib makes it as a variable.
inline void ignoreRanges(const httplib::Request& request) {
    const_cast<httplib::Request&>(request).ranges.clear();
}

}  // namespace fusebox::detail
