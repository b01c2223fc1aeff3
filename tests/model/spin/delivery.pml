/* SPDX-License-Identifier: MIT */
/* The delivery of events: EventHub (event_hub.hpp), under threads that make transitions and listeners
 * that make some, too. What is under the hub's own mutex is one step: nobody sees it in parts. */

#ifndef THREADS
#define THREADS 3
#endif
#ifndef EVENTS
#define EVENTS 5
#endif

hidden byte ORDER = 1;     /* Events are delivered in the order of their transitions, each once. */
hidden byte ALONE = 2;     /* One thread at a time delivers. */
hidden byte NONE_LEFT = 3; /* When all threads are back, nothing waits. */
#ifndef ONLY
#define ONLY 0
#endif
#define CHECK(name, condition) assert((condition) || (ONLY != 0 && ONLY != name))

#ifndef BUG
#define BUG 0
#endif
#define bug(name) (BUG == name)
#define PendingLate 1       /* `pending` is cleared after the hub's mutex is released. */
#define EveryoneDelivers 2  /* Nobody asks whether another thread delivers already. */
#define CommitsLate 3       /* Events are queued after the breaker's mutex is released. */
#define TellsUnderMutex 4   /* Listeners are called with the breaker's mutex held. */

bit mutex;      /* the breaker's */
byte made;      /* How many transitions there were: the number of the next event. */
byte delivered; /* How many were delivered: the number of the one that is due. */
chan queue = [EVENTS] of { byte };
bit delivering;
bit pending;
byte telling;   /* How many threads are in a listener. */
byte back;      /* How many threads are back. */

/* A transition: the event is staged and committed under the breaker's mutex. */
inline transition()
{
    atomic { !mutex && made < EVENTS -> mutex = 1; mine = made; made++ };
#if BUG == CommitsLate
    mutex = 0;
#endif
    atomic { queue!mine; pending = 1; mine = 0 };
#if BUG != CommitsLate && BUG != TellsUnderMutex
    mutex = 0
#endif
}

active [THREADS] proctype thread()
{
    byte mine;

again:
    if
    :: atomic { made < EVENTS -> skip }
    :: goto isBack
    fi;
    if
    :: transition()
    :: atomic { made >= EVENTS -> goto isBack }
    fi;

    /* EventHub::flush. */
    if
    :: pending
    :: atomic { !pending -> goto again }
    fi;
    atomic {
        if
        :: delivering && !bug(EveryoneDelivers) -> goto flushed
        :: else -> delivering = 1
        fi
    };
next:
    atomic {
        if
        :: nempty(queue) -> queue?mine; telling++
        :: empty(queue) ->
            delivering = 0;
            pending = (bug(PendingLate) -> pending : 0);
            goto flushed
        fi
    };
    atomic {
        CHECK(ALONE, telling == 1);
        CHECK(ORDER, mine == delivered);
        delivered++;
        mine = 0
    };
    /* A listener may make a transition; its own flush leaves that to this thread. */
    if
    :: skip
    :: atomic { made < EVENTS -> skip };
       if
       :: transition()
       :: atomic { made >= EVENTS -> skip }
       fi
    fi;
    telling--;
    goto next;

flushed:
#if BUG == PendingLate
    pending = 0;
#endif
#if BUG == TellsUnderMutex
    mutex = 0;
#endif
    goto again;

isBack:
    atomic {
        back++;
        CHECK(NONE_LEFT, back < THREADS || (delivered == made && empty(queue)))
    }
}
