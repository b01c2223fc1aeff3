/* SPDX-License-Identifier: MIT */
/* What a breaker publishes, what it keeps under its mutex, and its transitions: published_state.hpp,
 * cycle.hpp, probe_slots.hpp and the tag of window/sharded_counters.hpp.
 *
 * An `atomic` holds what no other thread can see in parts: one access to something shared, and what
 * the thread does by itself before and after. A transition is two or more of them: its companions are
 * stored in the first, the word in the last. */

/* PublishedState */
short word = wordOf(1, Automatic, Closed);
byte deadline = OVER;
byte lease = FOREVER;
byte reopenWait = 0;
byte probeLimit = LIMIT;

/* The tag of the shards: an epoch. One shard; each of several goes the same way by itself. */
byte tag = 1;

/* What callers hold, each its own: the word that it met, and the ticket of its call; 0 if none. The
 * one past the callers is the observer's. */
short seen[CALLERS + OBSERVER];
short ticket[CALLERS];

/* Under the mutex. */
bit mutex;
byte slot[LIMIT] = FOREVER;  /* ProbeSlots, as the ends of the leases; free: FOREVER */
byte probeSuccesses;
/* ... only while it is held: the clocks as its holder read them, the word that comes next, and
 * the epoch that it leaves. */
byte nowAt;
byte checkedAt;
short next;
byte from;

byte lag; /* of the coarse clock */

/* Not of the breaker: what it should be, for the properties. */
byte intended = OVER; /* The deadline that the transition to the present OPEN meant. */
byte told = Closed;   /* Where the last event led. */
bit healthy;

/* Set and used within one step only, so no part of the state. `i` in a d_step only: what is stored
 * under an index is taken back under the same. */
hidden byte fresh;
hidden byte i;
hidden byte oldest;
hidden byte taken;
hidden byte live;
hidden byte saysOpen;
hidden byte isOpen;

/* The epoch after the present one. Nothing but equality is asked of epochs, so a number may come
 * again once nobody has it: that keeps the model finite, and calls and transitions endless. */
inline findFreshEpoch()
{
    d_step {
        fresh = 1;
        do
        :: fresh == epochOf(word) || fresh == tag -> fresh++
        :: else -> break
        od
    }
}

/* Words whose epoch can never again be the present one, nor the tag, are of epoch BYGONE. */
inline forget(held)
{
    held = (held == 0 || epochOf(held) == epochOf(word) || epochOf(held) == tag -> held : withEpoch(held, BYGONE))
}
inline forgetEpochs()
{
    forget(seen[0]);
    forget(ticket[0]);
#if CALLERS > 1
    forget(seen[1]);
    forget(ticket[1]);
#endif
#if CALLERS > 2
    forget(seen[2]);
    forget(ticket[2]);
#endif
#if CALLERS > 3
    forget(seen[3]);
    forget(ticket[3]);
#endif
#if OBSERVER
    forget(seen[CALLERS])
#endif
}

/* ProbeSlots::lease */
inline findLease()
{
    oldest = slot[0];
#if LIMIT > 1
    oldest = (slot[1] < oldest -> slot[1] : oldest);
#endif
#if LIMIT > 2
    oldest = (slot[2] < oldest -> slot[2] : oldest);
#endif
}

inline clearSlots()
{
    slot[0] = FOREVER;
#if LIMIT > 1
    slot[1] = FOREVER;
#endif
#if LIMIT > 2
    slot[2] = FOREVER
#endif
}

/* Words of HALF_OPEN bring their lease along, stored just before: PublishedState::publish */
inline setLease()
{
    findLease();
    lease = (bug(LeaseOfNewest) && slot[LIMIT - 1] != FOREVER -> slot[LIMIT - 1] : oldest)
}

/* StateWord::next: the same mode, no probes, another epoch */
inline leaveFor(state)
{
    findFreshEpoch();
    next = wordOf(fresh, modeOf(word), state);
    from = epochOf(word)
}

/* The probes of the present epoch whose permits are held, and the slots that are taken. */
inline countProbes()
{
    live = 0;
    i = 0;
    do
    :: i < CALLERS ->
        live = live + (isProbe(ticket[i]) && epochOf(ticket[i]) == epochOf(word));
        i++
    :: else -> break
    od;
    taken = (slot[0] != FOREVER);
#if LIMIT > 1
    taken = taken + (slot[1] != FOREVER);
#endif
#if LIMIT > 2
    taken = taken + (slot[2] != FOREVER);
#endif
}

#if BUG == OpenBeforeDeadline || BUG == TagAfterWord
/* What these bugs do too late. */
inline catchUp()
{
    atomic {
        if
        :: bug(OpenBeforeDeadline) && stateOf(word) == Open -> deadline = intended
        :: bug(TagAfterWord) && !mutex -> tag = epochOf(word)
        :: else
        fi
    }
}
#endif

/* The word, last of all. */
inline publish()
{
    CHECK(ONE_WINNER, mutex && from == epochOf(word));
    CHECK(EVENT_CHAIN, told == stateOf(next));
    CHECK(NEW_EPOCH, withProbes(next, 0) == withProbes(word, 0) || epochOf(next) != epochOf(word));
    d_step {
        word = next;
        next = 0;
        from = 0;
        forgetEpochs()
    }
}

/* Cycle::announce, and the commit that follows: the journal is told before the word is published. */
inline announce(to, reason)
{
    CHECK(LEGAL_EDGE, (reason == PolicyTripped && stateOf(word) == Closed && to == Open) ||
                      (reason == ProbeFailed && stateOf(word) == HalfOpen && to == Open) ||
                      (reason == ProbeLost && stateOf(word) == HalfOpen && to == Open) ||
                      (reason == WaitElapsed && stateOf(word) == Open && to == HalfOpen) ||
                      (reason == ProbesSucceeded && stateOf(word) == HalfOpen && to == Closed) ||
                      (reason == Manual && stateOf(word) != to && to != HalfOpen) ||
                      (reason == Reset && stateOf(word) != Closed && to == Closed));
    CHECK(FROZEN, cycling(word) || reason == Manual || reason == Reset);
    CHECK(EVENT_CHAIN, told == stateOf(word));
    told = to
}

inline drawWait(wait)
{
    if
    :: wait = 1
    :: WAIT > 1 -> wait = WAIT
    fi
}

/* Cycle::toOpen until the word: the deadline. */
inline setOpening(asOf, reason)
{
    announce(Open, reason);
    if
    :: stateOf(word) == HalfOpen && reason != Manual -> intended = asOf + reopenWait
    /* As usual, or as open() says. */
    :: stateOf(word) != HalfOpen || reason == Manual -> drawWait(intended); intended = asOf + intended
    /* The wait counts from the end of the call that tripped; the mutex was busy meanwhile. */
    :: reason == PolicyTripped -> intended = asOf
    fi;
    intended = atLeast(intended, OVER);
    leaveFor(Open);
    clearSlots();
    probeSuccesses = 0;
    deadline = (bug(NoDeadline) -> FOREVER : (bug(OpenBeforeDeadline) -> deadline : intended))
}

/* Cycle::toHalfOpen until the word: nobody reads these companions while the breaker is open. */
inline setHalfOpening()
{
    announce(HalfOpen, WaitElapsed);
    probeSuccesses = 0;
    drawWait(reopenWait);
    leaveFor(HalfOpen);
    setLease()
}

/* ShardedCounters::enter: before the word, so that whoever is admitted by it finds its shard there. */
inline moveShards()
{
    tag = (bug(TagAfterWord) -> tag : epochOf(next))
}

/* Cycle::toClosed until the word. */
inline setClosing(reason)
{
    announce(Closed, reason);
    leaveFor(Closed);
    clearSlots();
    probeSuccesses = 0;
    moveShards()
}
