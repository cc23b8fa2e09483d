"""The judge itself: histories that one registry can show, and such that it cannot."""

import pytest

from .history import Event, judge


def history(*lines):
    """Each: (begin, end, kind, what): what of a tag's event is (tag, image) or an image of the tag `t`."""
    events = []
    for begin, end, kind, what in lines:
        e = Event(begin, end, kind, "repo")
        if kind in ("list", "snapshot"):
            e.found = what
        elif kind in ("drop", "see", "miss"):
            e.image = what
        else:
            e.tag, e.image = what if isinstance(what, tuple) else ("t", what)
        events.append(e)
    return events


RIGHT = [
    [(0, 1, "read", None)],
    [(0, 1, "put", 7), (2, 3, "read", 7)],
    [(0, 5, "put", 7), (1, 2, "read", None), (3, 4, "read", 7)],  # not over: either is right
    [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "read", 8)],
    [(0, 1, "put", 7), (2, 9, "put", 8), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "read", None)],
    [(0, 1, "put", 7), (2, 3, "drop", 7), (4, 5, "read", None)],
    [(0, 1, "put", 7), (2, 3, "put", ("u", 8)), (4, 5, "drop", 8), (6, 7, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 9, "put", 8), (5, 6, "read", None), (7, 8, "read", 8)],
    [(0, 9, "put", 7), (1, 8, "put", 8), (10, 11, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "put", 7), (4, 5, "read", 7)],
    [(0, 9, "put", 7), (1, 8, "put", 8), (2, 3, "read", 8), (4, 5, "read", 7), (6, 7, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "see", 7), (6, 7, "drop", 7), (8, 9, "miss", 7)],
    [(0, 1, "put", 7), (2, 3, "put", ("u", 7)), (4, 5, "last", 7), (6, 7, "see", 7), (8, 9, "last", ("u", 7)), (10, 11, "miss", 7)],
    [(0, 1, "put", 7), (2, 5, "put", ("u", 8)), (3, 4, "list", ["t"]), (6, 7, "list", ["u", "t"])],
    [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "snapshot", ([("t", 8)], [7, 8]))],
    [(0, 1, "put", 7), (1, 2, "read", None), (3, 4, "read", 7)],  # at one moment: either order
]

WRONG = [
    [(0, 1, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "read", None)],  # a lost write
    [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "read", 7)],  # back in time
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "drop", 7), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "put", ("u", 8)), (4, 5, "drop", 8), (6, 7, "read", None)],  # another image's deletion
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "put", 8), (6, 7, "read", None)],
    [(0, 1, "read", 7), (2, 3, "put", 7)],  # from the future
    [(0, 1, "put", 7), (2, 9, "put", 8), (3, 4, "read", 8), (5, 6, "read", 7)],  # new, then old again, while the write is under way
    [(0, 1, "put", 6), (2, 9, "put", 7), (2, 9, "put", 8), (3, 4, "read", 7), (5, 6, "read", 8), (7, 8, "read", 7)],  # two writes, three values
    [(0, 1, "put", 7), (2, 9, "remove", None), (3, 4, "read", None), (5, 6, "read", 7)],
    [(0, 1, "put", 7), (2, 9, "remove", None), (2, 9, "remove", None)],  # who did remove it?
    [(0, 1, "put", 7), (1.5, 1.6, "put", ("u", 7)), (2, 9, "drop", 7), (3, 4, "read", None), (5, 6, "read", ("u", 7))],  # one tag of two is gone
    [(0, 9, "put", 7), (0, 9, "put", ("u", 8)), (1, 2, "list", ["t"]), (3, 4, "list", ["u"])],  # two readers, two orders
    [(0, 1, "put", 7), (2, 5, "put", ("u", 8)), (3, 4, "list", [])],
    [(0, 1, "put", 7), (2, 3, "miss", 7)],
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "miss", 7)],  # nothing expires here
    [(0, 1, "see", 7)],
    [(0, 1, "put", 7), (2, 3, "drop", 7), (4, 5, "drop", 7)],
    [(0, 1, "put", 7), (2, 3, "last", 8)],
    [(0, 1, "put", 7), (2, 3, "last", 7), (4, 5, "see", 7)],
    [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "snapshot", ([("t", 8)], [8]))],
    [(0, 1, "put", 7), (2, 3, "snapshot", ([], [7]))],
]


@pytest.mark.parametrize("lines", RIGHT)
def test_what_can_be_is_accepted(lines):
    assert judge(history(*lines)) is None


@pytest.mark.parametrize("lines", WRONG)
def test_what_cannot_be_is_found(lines):
    assert judge(history(*lines)) is not None


def test_where_images_without_tags_expire_they_may_be_missing_and_no_others():
    gone = [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "miss", 7), (6, 7, "snapshot", ([("t", 8)], [8]))]
    assert judge(history(*gone), expiring=True) is None
    assert judge(history(*gone, (8, 9, "see", 7)), expiring=True) is not None
    assert judge(history((0, 1, "put", 7), (2, 3, "miss", 7)), expiring=True) is not None
    assert judge(history((0, 1, "put", 7), (2, 3, "snapshot", ([("t", 7)], []))), expiring=True) is not None
