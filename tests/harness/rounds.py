"""The rounds of a test that tries its luck. Each has a seed of its own, and a failure says which.

    BERTH_SEED=S          makes the choices of an earlier run again
    BERTH_ROUNDS=200      so many rounds, whatever the test says
    BERTH_SECONDS=200     as many as begin within that time, at most
    BERTH_ROUNDS=137-139  these only: what the clients try in a round depends on its seed and on what is there, not on how far they came before
"""

import contextlib
import os
import random
import time

LONG = os.environ.get("BERTH_LONG") == "1"


class Rounds:
    """The numbers of the rounds; made: how many there were. seconds_each: for the time limit."""

    def __init__(self, usual, seconds_each):
        first, _, last = os.environ.get("BERTH_ROUNDS", str(usual)).partition("-")
        self.numbers = range(int(first), int(last) + 1) if last else range(int(first))
        self.timeout = 100 + len(self.numbers) * seconds_each
        self.seed = int(os.environ.get("BERTH_SEED", random.randrange(1 << 30)))
        self.random = random.Random(self.seed)
        self.made = 0

    def __iter__(self):
        print(f"BERTH_SEED={self.seed}")
        end = time.monotonic() + float(os.environ.get("BERTH_SECONDS", "inf"))
        for number in self.numbers:
            if time.monotonic() > end:
                break
            self.made += 1
            yield number
        print(f"{self.made} rounds")

    @contextlib.contextmanager
    def round(self, number, clients):
        """Gives the round's source of chance, and the clients theirs. What goes wrong within is told with the way to try it again."""
        self.random.seed(f"{self.seed}/{number}")
        for i, client in enumerate(clients):
            client.random.seed(f"{self.seed}/{number}/{i}")
        try:
            yield self.random
        except Exception as e:
            raise AssertionError(f"in round {number} of BERTH_SEED={self.seed}: {e}") from e
