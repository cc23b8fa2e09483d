"""What many clients saw, and whether one registry that does one thing at a time could have shown it to them.

Every operation is an event with the time before it was sent and the time after it was answered, on one clock. A tag is a register:
it was set to an image, removed, or lost its image (a deletion by digest, which empties it if it holds that image). A read is
explained when some write that could be the last one before it gives its value; that no explanation exists is proof that the
registry went back in time, lost a write or made one up.
"""

import bisect
import dataclasses


@dataclasses.dataclass(slots=True)
class Event:
    begin: int
    end: int
    kind: str  # put, remove, drop (image gone by digest), read
    key: str  # repository:tag; of a drop: repository
    image: int | None  # what was set, dropped or read; None: nothing was there


def overwritten(writes, write, read):
    """Some write lies wholly between the end of `write` and the begin of `read`, and leaves another value for sure."""
    return any(w is not write and w.begin > write.end and w.end < read.begin and (w.kind != "drop" or w.image == write.image) and
               not (w.kind == "put" and w.image == write.image) for w in writes)


def explained(read, writes):
    """writes: puts and removals of the tag, drops in its repository; none of them begins after the read has ended."""
    if read.image is not None:
        return any(w.kind == "put" and w.image == read.image and not overwritten(writes, w, read) for w in writes)
    # Nothing there: as in the beginning, or after what emptied it.
    puts = [w for w in writes if w.kind == "put"]
    if not any(p.end < read.begin for p in puts):
        return True
    for w in writes:
        if w.kind == "put":
            continue
        # A put that ends before the emptying begins may have come before it; one after it, and before the read, fills the tag again.
        after = [p for p in puts if p.begin > w.end and p.end < read.begin]
        if w.kind == "drop" and not any(p.image == w.image and p.begin < w.end for p in puts):
            continue
        if not after:
            return True
        # Filled again, but perhaps emptied by another one that comes later: that one is looked at itself.
    return False


def unexplained(events):
    """The reads that nothing explains."""
    tags, drops = {}, {}
    for e in events:
        (drops if e.kind == "drop" else tags).setdefault(e.key, []).append(e)
    wrong = []
    for key, own in tags.items():
        writes = sorted([e for e in own if e.kind != "read"] + drops.get(key.partition(":")[0], []), key=lambda e: e.begin)
        recent = Window(writes)
        for read in sorted((e for e in own if e.kind == "read"), key=lambda e: e.begin):
            if not explained(read, recent.around(read)):
                wrong.append(read)
    return wrong


class Window:
    """The writes that can matter for a read: those that overlap it, and before them back to a put or removal that was surely over."""

    def __init__(self, writes):
        self.writes = writes
        self.latest_end = []  # of the writes before each
        latest = 0
        for w in writes:
            self.latest_end.append(latest)
            latest = max(latest, w.end)

    def around(self, read):
        last = bisect.bisect_right(self.writes, read.end, key=lambda w: w.begin)
        # Back to the newest certain write before the read, and on through all that might come after that one.
        first, barrier = last, None
        while first > 0:
            first -= 1
            w = self.writes[first]
            if barrier is None and w.end < read.begin and w.kind != "drop":
                barrier = w.begin
            if barrier is not None and self.latest_end[first] < barrier:
                break
        return self.writes[first:last]
