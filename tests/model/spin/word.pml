/* SPDX-License-Identifier: MIT */
/* What breaker.pml is made of: parameters, properties, seeded bugs, the word, instants. */

/* Parameters; `run` sets them. */
#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef LIMIT /* halfOpenLimit, at most 3 */
#define LIMIT 1
#endif
#ifndef THRESHOLD /* successThreshold */
#define THRESHOLD 1
#endif
#ifndef WAIT /* The longest wait of an open breaker; each is drawn from 1..WAIT, 1 or 2. */
#define WAIT 2
#endif
#ifndef PROBE_TIMEOUT
#define PROBE_TIMEOUT 1
#endif
#ifndef LAG /* How far the coarse clock may be behind: 0 or 1 */
#define LAG 0
#endif
#ifndef HELD /* For how long the mutex may be held */
#define HELD 1
#endif
#ifndef MODES /* setMode() is called */
#define MODES 0
#endif
#ifndef MANUAL /* open(), close() and reset() are called */
#define MANUAL 0
#endif
#ifndef RULES /* reconfigure() is called */
#define RULES 0
#endif
#ifndef OBSERVER /* state() is called */
#define OBSERVER 0
#endif
#ifndef HANGS /* Callers but the first may never report. */
#define HANGS 0
#endif
#ifndef HEALS /* From some moment on every call succeeds, and control is silent. */
#define HEALS 0
#endif

/* The properties that are checked where something happens. An assertion carries the name of its
 * property, so that `run` can tell which failed; ONLY=<number> leaves out all others. */
hidden byte ONE_WINNER = 1;     /* An epoch is left once, by who decided that. */
hidden byte LEGAL_EDGE = 2;     /* Only the transitions of docs/design/state_machine.md are made. */
hidden byte NEW_EPOCH = 3;      /* Another state, mode or rule has an epoch that nobody knows yet. */
hidden byte PERMIT_ONCE = 4;    /* A slot is taken if and only if a permit of this epoch is held. */
hidden byte PROBE_LIMIT = 5;    /* Probes in flight of the present epoch never exceed the limit. */
hidden byte LATE_RESULT = 6;    /* No report acts on a later epoch than its own. */
hidden byte LATE_SUCCESS = 7;   /* No success stands in the window of a later epoch. */
hidden byte FALSE_STALE = 8;    /* No report is told stale while its epoch goes on. */
hidden byte DEADLINE = 9;       /* Whoever sees OPEN sees its deadline, which does not move. */
hidden byte COMPANIONS = 10;    /* No call is refused by the companions of another epoch. */
hidden byte TIMED_EXIT = 11;    /* An end is set to every wait: of OPEN, and of probes. */
hidden byte LEASE = 12;         /* The published lease is that of the oldest probe. */
hidden byte SETTLED_FIRST = 13; /* Once a probe is lost, no probe of its epoch begins or counts. */
hidden byte FORCED_OPEN = 14;   /* ForcedOpen admits none. */
hidden byte ADMITS_ALL = 15;    /* Shadow and ForcedClosed reject none. */
hidden byte FROZEN = 16;        /* Time and calls make no transition in ForcedOpen, ForcedClosed. */
hidden byte EVENT_CHAIN = 17;   /* One event a transition; each begins where the last one ended. */
hidden byte TRUE_READING = 18;  /* state() says what the next call would have met meanwhile. */
hidden byte CLOSED_ONLY = 19;   /* Without a slot, calls are admitted by CLOSED only. */

#ifndef ONLY
#define ONLY 0
#endif
#define CHECK(name, condition) assert((condition) || (ONLY != 0 && ONLY != name))

/* Seeded bugs: BUG=<name> makes one line of the model deviate. */
#ifndef BUG
#define BUG 0
#endif
#define bug(name) (BUG == name)
#define OpenBeforeDeadline 1        /* The word is stored before the deadline. */
#define NoDeadline 2                /* The wait has no end. */
#define LateFailureMovesDeadline 3  /* A failure that is stale begins the wait anew. */
#define StaleProbeCounts 4          /* A probe's report does not compare epochs. */
#define StaleVerdictCounts 5        /* A failure does not look at the word again under the mutex. */
#define VerdictWithoutMutex 6       /* A failure that trips does not take the mutex. */
#define StaleSuccessCounts 7        /* A success does not compare the tag of its shard. */
#define TagAfterWord 8              /* The shards get their tag after the word is stored. */
#define IgnoredKeepsSlot 9          /* An ignored probe does not give its slot back. */
#define ReportsTwice 10             /* A permit can be reported again. */
#define OneProbeTooMany 11          /* The limit is compared with > instead of >=. */
#define LimitOutsideMutex 12        /* The limit is not looked at again under the mutex. */
#define ModeOutsideMutex 13         /* The mode is not looked at again under the mutex. */
#define NoSettling 14               /* A report does not look for lost probes first. */
#define NoLease 15                  /* No probe is ever lost. */
#define LeaseOfNewest 16            /* The newest probe's lease is published. */
#define NoSecondLook 17             /* A refusal does not look at the word again. */
#define ModeKeepsEpoch 18           /* A change of mode begins no epoch. */
#define ShadowRejects 19            /* The mode is forgotten where probes are busy. */
#define LoserTells 20               /* A failure that came too late tells listeners all the same. */
#define OpensTwice 21               /* open() of an open breaker opens it again. */
#define SuccessesForgotten 22       /* Each probe begins with no success counted. */
#define EndlessReading 23           /* state() takes a lost probe for a living one. */
#define MutexKept 24                /* A report that is stale forgets to release the mutex. */
#define HalfOpenAdmitsAll 25        /* A half-open breaker admits like a closed one. */
#define AdmitsLosers 26             /* Who finds all slots taken is admitted all the same. */

/* CircuitState, ControlMode */
#define Closed 0
#define Open 1
#define HalfOpen 2
#define Automatic 0
#define ForcedOpen 1
#define ForcedClosed 2
#define Shadow 3

/* TransitionReason */
#define PolicyTripped 1
#define ProbeFailed 2
#define ProbeLost 3
#define WaitElapsed 4
#define ProbesSucceeded 5
#define Manual 6
#define Reset 7

/* StateWord: bits 0..1 state, 2..3 mode, 4..5 probes (in a ticket: the probe's slot), 6..8 epoch.
 * Epochs count from 1: a word that is 0 is no word. A passenger's ticket is not kept: its report
 * touches nothing. */
#define stateOf(w) ((w) & 3)
#define modeOf(w) (((w) >> 2) & 3)
#define probesOf(w) (((w) >> 4) & 3)
#define epochOf(w) (((w) >> 6) & 7)
#define withMode(w, mode) (((w) & ~12) | ((mode) << 2))
#define withProbes(w, probes) (((w) & ~48) | ((probes) << 4))
#define withEpoch(w, epoch) (((w) & ~448) | ((epoch) << 6))
#define wordOf(epoch, mode, state) (((epoch) << 6) | ((mode) << 2) | (state))
#define cycling(w) (modeOf(w) == Automatic || modeOf(w) == Shadow)
#define isProbe(w) (stateOf(w) == HalfOpen)
#define BYGONE 7

/* An instant is a byte: how far it is from the present, which is always NOW. The clock process moves
 * all instants at once, so time never ends and never overflows. What is long over is held at the
 * first number that compares in the same way for ever. */
#define NOW 8
#define FOREVER 99
#define OVER (NOW - LAG - HELD)        /* A deadline that is over by every clock. */
#define LONG_OVER (OVER - WAIT - 1)    /* A lease whose reopening's deadline is over, too. */
#define coarseNow (NOW - lag)
#define isOver(until, at) ((until) != FOREVER && (at) >= (until))
#define atLeast(instant, least) ((instant) < (least) -> (least) : (instant))
