// SPDX-License-Identifier: MIT
// Whether a sanitizer slows this build down: long tests do less then, and in full without.
#pragma once

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FUSEBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define FUSEBOX_SANITIZED 1
#endif
#endif

namespace fusebox::test {

#if defined(FUSEBOX_SANITIZED)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace fusebox::test
