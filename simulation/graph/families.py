"""The vocabulary of edges: which family, by which rule, how sure.

A family is a module of this package. To add one: a `Family` here, its rules below, a module whose
`edges(...)` returns an `Edges`, and one line in `build.py`.
"""

from __future__ import annotations

from enum import IntEnum


class Family(IntEnum):
    """What kind of dependency an edge is; stored per edge, reported by lower-case name."""

    THREAD_ORDER = 0
    DEVICE_WORK = 1
    LAUNCH = 2
    STREAM_ORDER = 3
    HOST_SYNC = 4
    VIRTUAL_START = 5
    THREAD_HANDOVER = 6
    EVENT_WAIT = 7
    LAUNCH_QUEUE = 8
    COLLECTIVE = 9
    SEND_RECV = 10
    DEVICE_ROOM = 11


class Rule(IntEnum):
    """Which rule of its family made an edge; stored per edge."""

    THREAD_WORK = 0  # inside at least one slice: self time
    THREAD_GAP = 1  # no slice is open: kept host gap
    THREAD_BEGIN = 2  # root to the first boundary of a thread: kept like a gap
    DURATION = 3  # start to end of a device event
    CORRELATION = 4  # one call, one device event
    GRAPH_LAUNCH = 5  # one call, many device events
    AFTER = 6  # end of an earlier event of the stream to the start of a later one
    OVERLAP = 7  # start to start: the two overlap in the measurement
    SYNC_NAMED = 8  # a call that waits by its name, for what it was seen to wait for
    SYNC_TOLD = 9  # a call that the trace itself says what it waits for (`syncs`)
    SYNC_COPY = 10  # a call that returned after its own copy had ended
    SYNC_BEHAVIOUR = 11  # a call that was held up and let go when a device event ended
    SYNC_PASSED = 12  # a call that waits by its name and had nothing to wait for in the measurement
    PINNED = 13  # nothing explains when the event starts: its measured start
    EVENT_TOLD = 14  # the trace itself says which streams (`syncs`)
    EVENT_HELD = 15  # behind a wait, and seen to be held up until the awaited event had ended
    EVENT_ORDER = 16  # by the launches of the waiting thread around the wait
    STREAM_HELD = 17  # no wait is seen, but the event was held up until one of another stream had ended
    ROOM_KERNEL = 18  # seen to start when a kernel that fills the device let it in
    ROOM_COPY = 19  # seen to start when a copy of another stream had left the engine
    QUEUE_HELD = 20  # a launch that was held up by a full queue until an event of its stream ended
    QUEUE_LIMIT = 21  # a launch on a stream whose queue was seen to be full, so many launches later
    HANDOVER_TOLD = 22  # autograd ties the two threads (sequence numbers, arrows)
    HANDOVER_GAP = 23  # one thread came to rest as the other went on
    HANDOVER_ASKED = 24  # a thread that waits for its helper went on while that one worked

    ARRIVAL = 30  # a member comes to its collective
    TRANSFER = 31  # the last member has come, to the end of a member
    PAIR_ARRIVAL = 32  # a sender or a receiver comes to the other
    PAIR_TRANSFER = 33  # both have come, to the end of one
    PAIR_SENT = 34  # a sender that does not wait has begun, to the end of its receiver


TRANSFERS = (Rule.TRANSFER, Rule.PAIR_TRANSFER, Rule.PAIR_SENT)
"""Edges that last as long as what their target ends: beside DEVICE_WORK, what a scenario replaces."""


class Certainty(IntEnum):
    """How sure an edge is; in a contradiction the least certain goes first."""

    GUESSED = 1
    INFERRED = 2
    RECORDED = 3  # an id in the trace says so
    STRUCTURAL = 4  # true of any execution; never dropped
