"""The judge itself: histories that one registry can show, and such that it cannot."""

import pytest

from .history import Event, unexplained


def history(*lines):
    """Each: (begin, end, kind, image)."""
    return [Event(b, e, kind, "repo" if kind == "drop" else "repo:tag", image) for b, e, kind, image in lines]


@pytest.mark.parametrize("events", [
    [(0, 1, "read", None)],
    [(0, 1, "put", 7), (2, 3, "read", 7)],
    [(0, 5, "put", 7), (1, 2, "read", 7), (3, 4, "read", None)],  # not over: either is right
    [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "read", 8)],
    [(0, 1, "put", 7), (2, 9, "put", 8), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "read", None)],
    [(0, 1, "put", 7), (2, 3, "drop", 7), (4, 5, "read", None)],
    [(0, 1, "put", 7), (2, 3, "drop", 8), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 9, "put", 8), (5, 6, "read", None), (7, 8, "read", 8)],
    [(0, 9, "put", 7), (1, 8, "put", 8), (10, 11, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "put", 7), (4, 5, "read", 7)],
])
def test_what_can_be_is_accepted(events):
    assert not unexplained(history(*events))


@pytest.mark.parametrize("events", [
    [(0, 1, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "read", None)],  # a lost write
    [(0, 1, "put", 7), (2, 3, "put", 8), (4, 5, "read", 7)],  # back in time
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "drop", 7), (4, 5, "read", 7)],
    [(0, 1, "put", 7), (2, 3, "drop", 8), (4, 5, "read", None)],  # another image's deletion
    [(0, 1, "put", 7), (2, 3, "remove", None), (4, 5, "put", 8), (6, 7, "read", None)],
    [(0, 1, "read", 7), (2, 3, "put", 7)],  # from the future
])
def test_what_cannot_be_is_found(events):
    assert len(unexplained(history(*events))) == 1
