// expect: Sink must be movable and have a void publish.const MetricsSnapshot&.
// SPDX-License-Identifier: MIT
#include "fusebox/exposition/metrics_publisher.hpp"

#ifdef VIOLATION
#define ANSWER bool
#define ANSWER_VALUE true
#else
#define ANSWER void
#define ANSWER_VALUE
#endif

struct Sink {
    ANSWER publish(const fusebox::MetricsSnapshot&) { return ANSWER_VALUE; }
};

fusebox::CircuitBreakerRegistry registry;
fusebox::MetricsPublisher publisher{registry, Sink{}};
