#!/usr/bin/env python3
"""Lifecycle evaluation against a naive reading of ECR's rules. lifecycle.py PROGRAM [SEED [SECONDS]]

The rules, from ECR's user guide: every rule selects as if it were alone; results are applied by priority; an image that meets the tag
requirements of a rule cannot be taken by a rule of lower priority; images that were taken still count as present; an image that an
index names waits for it. Standard and archive are separate."""

import fnmatch
import json
import random
import re
import subprocess
import sys
import time

DAY = 24 * 3600 * 1000
NOW = 1_790_000_000_000


def matches(pattern, tag):
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), tag, re.S) is not None


def satisfies(image, selection):
    """Whether an image meets the storage class and the tag requirements of a selection."""
    if image["archived"] != (selection.get("storageClass", "standard") == "archive"):
        return False
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return not image["tags"]
    prefixes = selection.get("tagPrefixList")
    if prefixes is not None:
        return all(any(tag.startswith(p) for tag in image["tags"]) for p in prefixes)
    return all(any(matches(p, tag) for tag in image["tags"]) for p in selection["tagPatternList"])


def reference(image, selection):
    return image["used" if selection["countType"] == "sinceImagePulled" else "since"]


def chosen(images, selection):
    mine = sorted((i for i in images if satisfies(i, selection)), key=lambda i: (i["since"], i["id"]))
    if selection["countType"] == "imageCountMoreThan":
        return mine[: max(0, len(mine) - selection["countNumber"])]
    return [i for i in mine if NOW - reference(i, selection) > selection["countNumber"] * DAY]


def naive(policy, images):
    marks, waiting, soon = [], 0, []
    rules = sorted(policy["rules"], key=lambda r: r["rulePriority"])
    for n, rule in enumerate(rules):
        taken = {i["id"] for i in chosen(images, rule["selection"])}
        for image in sorted(images, key=lambda i: (i["since"], i["id"])):
            if any(satisfies(image, higher["selection"]) for higher in rules[:n]):
                continue
            if image["id"] in taken:
                expires = rule["action"]["type"] == "expire"
                if image["parent" if expires else "activeParent"]:
                    waiting += 1
                else:
                    marks.append([image["id"], rule["rulePriority"], rule["action"]["type"]])
            elif satisfies(image, rule["selection"]) and rule["selection"]["countType"] != "imageCountMoreThan":
                soon.append(reference(image, rule["selection"]) + rule["selection"]["countNumber"] * DAY + 1)
    return {"marks": marks, "waiting": waiting, "next": min(soon, default=None)}


class Cases:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def tag(self):
        return self.r.choice(["v", "rc", "prod-", "dev-", "a", ""]) + self.r.choice(["1", "2", "1.0", "rc", "a", "b", "ab", "prod"])

    def pattern(self):
        tag = self.tag()
        for _ in range(self.r.randrange(3)):
            at = self.r.randrange(len(tag) + 1)
            tag = tag[:at] + "*" + tag[at + self.r.randrange(3):]
        return tag or "*"

    def days(self):
        return self.r.choice([1, 2, 3, 5, 10])

    def selection(self, tag_status, archived):
        s = {"tagStatus": tag_status}
        if tag_status == "tagged":
            kind = self.r.choice(["tagPatternList", "tagPrefixList"])
            make = self.pattern if kind == "tagPatternList" else self.tag
            s[kind] = [make() for _ in range(self.r.choice([1, 1, 1, 2, 3]))]
        if archived:
            return s | {"storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days",
                        "countNumber": 90 + self.r.randrange(5)}
        if self.r.random() < 0.3:
            s["storageClass"] = "standard"
        if self.r.random() < 0.5:
            return s | {"countType": "imageCountMoreThan", "countNumber": self.r.choice([1, 1, 2, 3, 7])}
        return s | {"countType": self.r.choice(["sinceImagePushed", "sinceImagePulled"]), "countUnit": "days", "countNumber": self.days()}

    def policy(self):
        rules = []
        for archived in (False, True):
            states = ["tagged"] * self.r.randrange(4)
            if self.r.random() < 0.5:
                states.insert(self.r.randrange(len(states) + 1), "untagged")
            if self.r.random() < 0.6:
                states.append("any")
            rules.append([self.selection(state, archived) for state in states])
        # The two classes' rules are shuffled into one another; each keeps its order.
        order = [0] * len(rules[0]) + [1] * len(rules[1])
        self.r.shuffle(order)
        out, priority = [], 0
        for archived in order:
            selection = rules[archived].pop(0)
            priority += self.r.randrange(1, 4)
            pulled = selection["countType"] == "sinceImagePulled"
            moves = pulled or (not archived and self.r.random() < 0.3)
            action = {"type": "transition", "targetStorageClass": "archive"} if moves else {"type": "expire"}
            out.append({"rulePriority": priority, "selection": selection, "action": action})
        self.r.shuffle(out)
        return {"rules": out}

    def image(self, number):
        archived = self.r.random() < 0.2
        ages = [88, 90, 91, 93, 100] if archived else [0, 1, 2, 3, 4, 6, 11]
        # Often exactly whole days, and often equal: borders and ties are where readings differ.
        since = NOW - self.r.choice(ages) * DAY + self.r.choice([0, 0, 0, -1, 1, 777])
        used = since if self.r.random() < 0.5 else min(NOW, since + self.r.randrange(4) * DAY)
        parent = self.r.random() < 0.15
        tags = {self.tag() for _ in range(self.r.choice([0, 1, 1, 1, 2, 3]))}
        return {"id": number, "archived": archived, "since": since, "used": used, "parent": parent,
                "activeParent": parent and self.r.random() < 0.6, "tags": sorted(tags)}

    def case(self):
        numbers = self.r.sample(range(1000), self.r.choice([0, 1, 3, 8, 20, 60]))
        return self.policy(), [self.image(n) for n in numbers]


def ask(program, policy, images):
    program.stdin.write(json.dumps({"policy": json.dumps(policy), "now": NOW, "images": images}) + "\n")
    program.stdin.flush()
    return json.loads(program.stdout.readline())


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    limit = time.monotonic() + (float(sys.argv[3]) if len(sys.argv) > 3 else 8)
    cases, evaluated, marked = Cases(seed), 0, 0
    refusals = {}
    print(f"1..1\n# seed {seed}", flush=True)
    with subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        while time.monotonic() < limit:
            policy, images = cases.case()
            got = ask(program, policy, images)
            if "error" in got:
                # Random policies may be empty or say a thing twice; nothing else may be wrong with them.
                why = got["error"].rsplit("failure: ", 1)[1]
                if not fnmatch.fnmatch(why, "Rules * select the same tags*") and policy["rules"]:
                    print(f"not ok 1 - a policy was refused\n# {why}\n# {json.dumps(policy)}")
                    return 1
                refusals[why.split(" ")[0]] = refusals.get(why.split(" ")[0], 0) + 1
                continue
            want = naive(policy, images)
            if got != want:
                print(f"not ok 1 - evaluation differs\n# policy {json.dumps(policy)}\n# images {json.dumps(images)}\n# got  {got}\n# want {want}")
                return 1
            evaluated, marked = evaluated + 1, marked + len(want["marks"])
        program.stdin.close()
    fine = evaluated > 100 and marked > 100
    print(f"# {evaluated} policies, {marked} images marked, refused: {refusals}")
    print(f"{'ok' if fine else 'not ok'} 1 - lifecycle evaluation agrees with the naive one")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
