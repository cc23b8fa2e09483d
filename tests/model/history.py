"""What many clients saw, and whether one registry that does one thing at a time could have shown it to them.

Every operation is an event with the time before it was sent and the time after it was answered, on one clock. A history is right if each
event can be given a moment between the two such that, done one after the other at these moments, all of them give the answers that they
gave. Each repository is judged as a whole, its tags and images together: a deletion by digest takes all tags at once, a list is of one moment.

How: times are gone through from first to last, with all states that the repository may be in, each with those of the events under way that
it contains already. When an event ends, only states remain that contain it (Wing and Gong; Lowe, "Testing for linearizability", 2017).
"""

import dataclasses

PURE = {"read", "list", "see"}  # they change nothing, so the earliest moment that explains one is as good as any


@dataclasses.dataclass(slots=True)
class Event:
    begin: int
    end: int
    kind: str
    repository: str
    tag: str | None = None
    image: int | None = None
    found: tuple = ()  # of list: the tags; of snapshot: (tag, image) pairs, and images

    # put: the tag is the image's; remove: the tag was there and goes; read: the tag is the image's, or (None) nothing's; drop: the image was
    # there and goes, with its tags; last: the tag was the image's and goes, and with its last tag the image; see, miss: the image is, is not
    # there; list: these are the tags; snapshot: these are the tags and their images, and the images


class Repository:
    """States are (tags, images): pairs of tag and image, and images. expiring: an image without tags may go by itself, so that `images` are
    those that may be there."""

    def __init__(self, expiring):
        self.expiring = expiring

    def after(self, event, state):
        """The state after the event, or None: it cannot happen in this one."""
        return getattr(self, event.kind)(event, *state)

    def tagged(self, image, tags):
        return any(i == image for _, i in tags)

    def put(self, e, tags, images):
        return without(tags, e.tag) | {(e.tag, e.image)}, images | {e.image}

    def remove(self, e, tags, images):
        left = without(tags, e.tag)
        return (left, images) if left != tags else None

    def read(self, e, tags, images):
        right = (e.tag, e.image) in tags if e.image is not None else without(tags, e.tag) == tags
        return (tags, images) if right else None

    def drop(self, e, tags, images):
        return (frozenset(p for p in tags if p[1] != e.image), images - {e.image}) if e.image in images else None

    def last(self, e, tags, images):
        if (e.tag, e.image) not in tags:
            return None
        left = without(tags, e.tag)
        return left, images if self.tagged(e.image, left) else images - {e.image}

    def see(self, e, tags, images):
        return (tags, images) if e.image in images else None

    def miss(self, e, tags, images):
        if e.image in images and (not self.expiring or self.tagged(e.image, tags)):
            return None
        return tags, images - {e.image}

    def list(self, e, tags, images):
        return (tags, images) if sorted(t for t, _ in tags) == sorted(e.found) else None

    def snapshot(self, e, tags, images):
        found_tags, found_images = map(frozenset, e.found)
        lost = images - found_images
        right = found_tags == tags and found_images <= images and (not lost or self.expiring) and not any(self.tagged(i, tags) for i in lost)
        return (tags, found_images) if right else None


def without(tags, tag):
    return frozenset(p for p in tags if p[0] != tag)


def judge(events, expiring=False):
    """Of one repository, from when it was empty. None: right; else (the first event after which no order is left, what was before it)."""
    repository = Repository(expiring)
    times = sorted([(e.begin, 0, n) for n, e in enumerate(events)] + [(e.end, 1, n) for n, e in enumerate(events)])
    under_way = {}
    possible = {((frozenset(), frozenset()), frozenset())}  # (state, events under way that it contains)
    for _, is_end, n in times:
        if not is_end:
            under_way[n] = events[n]
            continue
        left = with_event(repository, possible, under_way, n)
        if not left:
            return events[n], [(state, [events[k] for k in done]) for state, done in possible], list(under_way.values())
        possible = left
        del under_way[n]
    return None


def with_event(repository, possible, under_way, n):
    """The states that contain event n, by every order of what is under way."""
    left, seen, todo = set(), set(), list(possible)
    while todo:
        state, done = todo.pop()
        done |= {k for k, e in under_way.items() if e.kind in PURE and k not in done and repository.after(e, state) is not None}
        if (state, done) in seen:
            continue
        seen.add((state, done))
        if n in done:
            left.add((state, done - {n}))
            continue
        for k, e in under_way.items():
            after = repository.after(e, state) if k not in done else None
            if after is not None:
                todo.append((after, done | {k}))
    return left


def wrong(events, expiring=()):
    """{repository: what judge says} of those that are wrong; expiring: repositories in which images without tags go by themselves."""
    of = {}
    for e in events:
        of.setdefault(e.repository, []).append(e)
    found = {name: judge(own, name in expiring) for name, own in of.items()}
    return {name: f for name, f in found.items() if f}
