// SPDX-License-Identifier: MIT
// Formatters for {fmt} 9 to 12 of everything public that can be said in words.
//
// needs: fmt
#pragma once

#include "fusebox/exposition/format_errors.hpp"
#include "fusebox/exposition/format_events.hpp"
#include "fusebox/exposition/format_policies.hpp"
#include "fusebox/exposition/format_stats.hpp"
#include "fusebox/exposition/format_words.hpp"
