// SPDX-License-Identifier: MIT
// The errors of breakers for {fmt}: what they say of themselves.
//
// needs: fmt
#pragma once

#include <fmt/format.h>

#include "fusebox/exposition/word_formatter.hpp"
#include "fusebox/vocabulary/errors.hpp"

template <>
struct fmt::formatter<fusebox::CircuitBreakerError> : fusebox::detail::WhatFormatter {};
template <>
struct fmt::formatter<fusebox::CircuitOpenError> : fusebox::detail::WhatFormatter {};
template <>
struct fmt::formatter<fusebox::CallTimeoutError> : fusebox::detail::WhatFormatter {};
template <>
struct fmt::formatter<fusebox::ConfigError> : fusebox::detail::WhatFormatter {};
