/* SPDX-License-Identifier: MIT */
/* The protocol of one breaker: state_machine.hpp over cycle.hpp, with its callers, its control, an
 * observer and time.
 *
 * docs/design/model.md says which part stands for which function, and what is left out. */
#include "word.pml"
#include "cycle.pml"

#define me _pid
#define observer CALLERS
#define slotOf(ticket) slot[probesOf(ticket) - 1]

/* std::lock_guard, and the clocks as `changing` reads them under it. */
inline lock()
{
    mutex = 1;
    nowAt = NOW;
    checkedAt = coarseNow
}

/* Whoever has changed something leaves it in order. */
inline unlock()
{
    d_step {
        countProbes();
        findLease();
        CHECK(PERMIT_ONCE, stateOf(word) != HalfOpen || (live == taken && live == probesOf(word)));
        CHECK(PROBE_LIMIT, stateOf(word) != HalfOpen || live <= probeLimit);
        CHECK(LEASE, stateOf(word) != HalfOpen || lease == oldest);
        CHECK(DEADLINE, stateOf(word) != Open || deadline == intended);
        CHECK(TIMED_EXIT, stateOf(word) != Open || deadline <= NOW + WAIT);
        CHECK(TIMED_EXIT, stateOf(word) != HalfOpen || live == 0 || lease <= NOW + PROBE_TIMEOUT);
        CHECK(EVENT_CHAIN, told == stateOf(word));
        mutex = 0;
        nowAt = 0;
        checkedAt = 0
    }
}

/* Cycle::settle: the lease is the last instant at which no probe is lost. */
#define isLost(checked) (cycling(word) && stateOf(word) == HalfOpen && lease < (checked) && !bug(NoLease))

/* StateMachine::changing until its `change`: the mutex, then the transition that time alone makes. */
inline changing()
{
    if
    :: atomic { !mutex && !isLost(coarseNow) -> lock() }
    :: atomic { !mutex && isLost(coarseNow) -> lock(); setOpening(lease, ProbeLost) };
       atomic { publish() }
    fi
}

/* The end of an operation under the mutex: what it made is published. */
inline finish()
{
    atomic { publish(); unlock() }
}

inline rejected()
{
    CHECK(ADMITS_ALL, modeOf(seen[me]) == Automatic || modeOf(seen[me]) == ForcedOpen);
    seen[me] = 0
}

/* A passenger is admitted, and its report, which touches nothing, is made. */
inline passenger()
{
    CHECK(FORCED_OPEN, modeOf(seen[me]) != ForcedOpen);
    seen[me] = 0
}

/* One thread after another that makes calls, for ever: at `call` again without a ticket it was
 * rejected, or its call has ended. A call takes any time and ends in any way. */
active [CALLERS] proctype caller()
{
    bool mixed; /* The word had moved on when its companions were read. */

    /* StateMachine::admit, admitWithCare. */
call:
    atomic {
        seen[me] = word;
        if
        :: modeOf(seen[me]) == ForcedOpen -> rejected(); goto call
        :: modeOf(seen[me]) == ForcedClosed -> passenger(); goto call
        :: cycling(seen[me]) && (stateOf(seen[me]) == Closed ||
                                 (bug(HalfOpenAdmitsAll) && stateOf(seen[me]) == HalfOpen)) ->
            CHECK(CLOSED_ONLY, stateOf(seen[me]) == Closed);
            ticket[me] = seen[me];
            seen[me] = 0;
            goto inFlight
        :: else
        fi
    }

    /* refusal; and admitToOpen, which is the same for OPEN alone. One step for the clock and the
     * companion after it: see the page. */
    atomic {
        mixed = (epochOf(word) != epochOf(seen[me]));
        if
        :: stateOf(seen[me]) == Open && !isOver(deadline, coarseNow) ->
            CHECK(DEADLINE, mixed || deadline == intended)
        :: stateOf(seen[me]) == HalfOpen && probesOf(seen[me]) >= probeLimit &&
           (lease >= coarseNow || bug(NoLease)) -> skip
        :: else ->
            seen[me] = 0;
            mixed = 0;
            goto admitProbe
        fi
    }

    /* The word last: a deadline or lease of another epoch says nothing about this word. */
    atomic {
        if
        :: word != seen[me] && !bug(NoSecondLook) ->
            seen[me] = 0;
            mixed = 0;
            goto call
        :: else
        fi;
        CHECK(COMPANIONS, !mixed);
        mixed = 0;
        if
        :: modeOf(seen[me]) == Shadow && !(bug(ShadowRejects) && stateOf(seen[me]) == HalfOpen) ->
            passenger()
        :: else -> rejected()
        fi;
        goto call
    }

admitProbe:
    changing();
    atomic {
        if
        :: !cycling(word) && !bug(ModeOutsideMutex) ->
            unlock();
            goto call
        :: else
        fi;
        if
        :: stateOf(word) == Open && isOver(deadline, checkedAt) -> setHalfOpening()
        :: else -> goto takeSlot
        fi
    };
    atomic { publish() };
takeSlot:
    /* Cycle::beginProbe. */
    atomic {
        if
        :: stateOf(word) != HalfOpen ||
           (probesOf(word) + (1 - bug(OneProbeTooMany)) > probeLimit && !bug(LimitOutsideMutex)) ->
            if
            :: bug(AdmitsLosers) && stateOf(word) == HalfOpen -> ticket[me] = withProbes(word, 1)
            :: else
            fi;
            unlock();
            goto call
        :: else
        fi;
        CHECK(SETTLED_FIRST, lease >= checkedAt);
        d_step {
            i = 0;
            do
            :: i < LIMIT - 1 && slot[i] != FOREVER -> i++
            :: else -> break
            od;
            slot[i] = nowAt + PROBE_TIMEOUT;
            ticket[me] = withProbes(word, i + 1)
        };
        next = withProbes(word, probesOf(word) + 1);
        from = epochOf(word);
        setLease()
    };
    atomic {
        CHECK(FORCED_OPEN, modeOf(word) != ForcedOpen);
        publish();
        unlock()
    };

inFlight:
#if HANGS
    if
    :: goto report
    :: me > 0 && !healthy -> goto hanging
    fi;
#endif
    /* A success of the closed state: isPublished, which may read an old word; then the tag. */
report:
    if
    :: atomic { !isProbe(ticket[me]) && epochOf(word) != epochOf(ticket[me]) ->
            ticket[me] = 0;
            goto call
       }
    :: atomic { !isProbe(ticket[me]) ->
            if
            :: tag == epochOf(ticket[me]) || bug(StaleSuccessCounts) ->
                CHECK(LATE_SUCCESS, tag == epochOf(ticket[me]))
            :: else ->
                CHECK(FALSE_STALE, epochOf(word) != epochOf(ticket[me]) ||
                                   (next != 0 && epochOf(next) != epochOf(word)))
            fi;
            ticket[me] = 0;
            goto call
       }
    /* record: any other end. One that is stale sees so before it takes the mutex. */
    :: atomic { epochOf(word) != epochOf(ticket[me]) ->
            ticket[me] = 0;
            goto call
       }
    :: atomic { epochOf(word) == epochOf(ticket[me]) && isProbe(ticket[me]) -> goto recordProbe }
    :: atomic { epochOf(word) == epochOf(ticket[me]) && !isProbe(ticket[me]) && !healthy -> goto recordVerdict }
    fi;

#if HANGS
    /* It reports when nobody waits for it any more, or never: that makes no difference. */
hanging:
    atomic { epochOf(word) != epochOf(ticket[me]) ->
        ticket[me] = 0;
        goto call
    };
#endif

recordVerdict:
    atomic { !mutex || bug(VerdictWithoutMutex) ->
        lock();
        if
        :: word != ticket[me] && !bug(StaleVerdictCounts) ->
            if
            :: bug(LoserTells) -> told = Open
            :: bug(LateFailureMovesDeadline) && stateOf(word) == Open -> deadline = nowAt + WAIT
            :: else
            fi;
            ticket[me] = 0;
            if
            :: bug(MutexKept) -> skip
            :: else -> unlock()
            fi;
            goto call
        :: else
        fi;
        CHECK(LATE_RESULT, epochOf(word) == epochOf(ticket[me]));
        ticket[me] = 0;
        /* What the policy answers is anybody's guess. */
        if
        :: unlock(); goto call
        :: setOpening(nowAt, PolicyTripped)
        fi
    };
    goto finishing;

recordProbe:
    if
    :: bug(NoSettling) -> atomic { !mutex -> lock() }
    :: !bug(NoSettling) -> changing()
    fi;
    /* Cycle::endProbe. */
    atomic {
        if
        :: epochOf(word) != epochOf(ticket[me]) && !bug(StaleProbeCounts) ->
            ticket[me] = 0;
            unlock();
            goto call
        :: else
        fi;
        CHECK(LATE_RESULT, epochOf(word) == epochOf(ticket[me]));
        if
        :: bug(IgnoredKeepsSlot) ->
            ticket[me] = 0;
            unlock();
            goto call
        :: skip
        fi;
        CHECK(PERMIT_ONCE, slotOf(ticket[me]) != FOREVER);
        CHECK(SETTLED_FIRST, slotOf(ticket[me]) >= checkedAt);
        slotOf(ticket[me]) = FOREVER;
        ticket[me] = (bug(ReportsTwice) -> ticket[me] : 0);
        if
        :: !healthy -> setOpening(nowAt, ProbeFailed); goto finishing
        :: probeSuccesses + 1 >= THRESHOLD -> setClosing(ProbesSucceeded); goto finishing
        :: probeSuccesses + 1 < THRESHOLD -> probeSuccesses = (bug(SuccessesForgotten) -> 0 : probeSuccesses + 1)
        :: !healthy /* ignored or cancelled */
        fi;
        next = withProbes(word, probesOf(word) - 1);
        from = epochOf(word);
        setLease()
    };

finishing:
    finish();
#if BUG == OpenBeforeDeadline || BUG == TagAfterWord
    catchUp();
#endif
#if BUG == ReportsTwice
    if
    :: ticket[me] != 0 -> goto inFlight
    :: else
    fi;
#endif
    goto call
}

#if MANUAL || MODES || RULES
active proctype control()
{
again:
#if HEALS
    if
    :: !healthy
    :: atomic { healthy -> goto endSilent }
    fi;
#endif
    if
#if MANUAL
    :: goto open
    :: goto close
    :: goto reset
#endif
#if MODES
    :: goto setMode
#endif
#if RULES
    :: goto reconfigure
#endif
    fi;

#if MANUAL
open:
    changing();
    atomic {
        if
        :: stateOf(word) == Open && !(cycling(word) && isOver(deadline, checkedAt)) && !bug(OpensTwice) ->
            unlock();
            goto again
        :: else
        fi;
        if
        :: stateOf(word) == Open && !bug(OpensTwice) -> setHalfOpening()
        :: else -> goto opening
        fi
    };
    atomic { publish() };
opening:
    atomic { setOpening(nowAt, Manual) };
    goto finishing;

close:
    changing();
    atomic {
        if
        :: stateOf(word) == Closed -> unlock(); goto again
        :: else -> setClosing(Manual)
        fi
    };
    goto finishing;

reset:
    changing();
    atomic {
        if
        :: stateOf(word) == Closed -> goto beginning
        :: else -> setClosing(Reset)
        fi
    };
    atomic { publish() };
beginning:
    atomic {
        leaveFor(Closed);
        clearSlots();
        probeSuccesses = 0;
        moveShards()
    };
    goto finishing;
#endif

#if MODES
setMode:
    changing();
    atomic {
        leaveFor(stateOf(word));
        if
        :: modeOf(word) != Automatic -> next = withMode(next, Automatic)
        :: modeOf(word) != ForcedOpen -> next = withMode(next, ForcedOpen)
        :: modeOf(word) != ForcedClosed -> next = withMode(next, ForcedClosed)
        :: modeOf(word) != Shadow -> next = withMode(next, Shadow)
        fi;
        next = (bug(ModeKeepsEpoch) -> withMode(withProbes(word, 0), modeOf(next)) : next);
        moveShards();
        clearSlots();
        if
        :: stateOf(next) == HalfOpen -> setLease()
        :: else
        fi
    };
    goto finishing;
#endif

#if RULES
reconfigure:
    changing();
    atomic {
        leaveFor(stateOf(word));
        moveShards();
        clearSlots();
        if
        :: stateOf(next) == HalfOpen -> drawWait(reopenWait)
        :: else
        fi;
        if
        :: probeLimit = 1
        :: probeLimit = LIMIT
        fi
    };
    atomic {
        if
        :: stateOf(next) == HalfOpen -> setLease()
        :: else
        fi
    };
#endif

finishing:
    finish();
#if BUG == OpenBeforeDeadline || BUG == TagAfterWord
    catchUp();
#endif
    goto again;

#if HEALS
endSilent:
    false
#endif
}
#endif

#if OBSERVER
/* StateMachine::read, that is state() and retryAfter(). */
active proctype reader()
{
    bool wrong;

read:
    atomic {
        seen[observer] = word;
        if
        :: !cycling(word) || stateOf(word) == Closed -> seen[observer] = 0; goto read
        :: else
        fi
    };
    /* PublishedState::openUntil and isOver; what is true meanwhile, by what the mutex guards. Whoever
     * holds that may be about to change it. */
    atomic {
        findLease();
        saysOpen = (stateOf(seen[observer]) == Open || (lease < coarseNow && !bug(EndlessReading))) &&
                   !isOver((stateOf(seen[observer]) == Open -> deadline : lease + reopenWait), coarseNow);
        isOpen = (stateOf(word) == Open && !isOver(intended, coarseNow)) ||
                 (stateOf(word) == HalfOpen && oldest < coarseNow && !isOver(oldest + reopenWait, coarseNow));
        wrong = (!mutex && (epochOf(word) != epochOf(seen[observer]) || saysOpen != isOpen))
    };
    atomic {
        CHECK(TRUE_READING, word != seen[observer] || !wrong);
        wrong = 0;
        seen[observer] = 0;
        goto read
    }
}
#endif

#if HEALS
active proctype cure()
{
    healthy = 1
}
#endif

#define moves(instant, least) ((instant) != FOREVER && (instant) > (least))
#define pass(instant, least) instant = (moves(instant, least) -> instant - 1 : instant)

/* A tick of the clock, while it matters to anyone. The coarse clock may lag behind. A call that
 * succeeds is quicker than probeTimeout. */
active proctype clock()
{
    do
    :: d_step {
        lag < LAG + (LAG == 0) && (!mutex || nowAt > NOW - HELD) && !(healthy && stateOf(word) == HalfOpen && lease == NOW) &&
        (mutex || lag < LAG || moves(deadline, OVER) || moves(lease, LONG_OVER) || moves(slot[0], LONG_OVER)
#if LIMIT > 1
         || moves(slot[1], LONG_OVER)
#endif
#if LIMIT > 2
         || moves(slot[2], LONG_OVER)
#endif
        ) ->
            pass(deadline, OVER);
            pass(intended, OVER);
            pass(lease, LONG_OVER);
            pass(slot[0], LONG_OVER);
#if LIMIT > 1
            pass(slot[1], LONG_OVER);
#endif
#if LIMIT > 2
            pass(slot[2], LONG_OVER);
#endif
            pass(nowAt, 0);
            pass(checkedAt, 0);
            lag = lag + (LAG > 0)
       }
#if LAG
    :: lag > 0 -> lag = 0
#endif
    od
}

/* What must come to pass, if every thread that can go on does so, and the first keeps calling. */
#ifdef LIVENESS
/* OPEN ends without help. */
ltl openEnds { [] <> !(stateOf(word) == Open && cycling(word)) }
/* Probes that say nothing do not hold HALF_OPEN. */
ltl silenceReopens { [] <> !(stateOf(word) == HalfOpen && cycling(word) && lease < NOW - LAG) }
/* Nobody keeps the mutex. */
ltl mutexReleased { [] <> !mutex }
#if HEALS
/* Once the calls succeed and nobody interferes, the breaker closes, and it stays so. */
ltl recovers { [] ((healthy && cycling(word)) -> <> (stateOf(word) == Closed || !cycling(word))) }
ltl staysClosed { <> [] (!healthy || !cycling(word) || stateOf(word) == Closed) }
#endif
#endif
