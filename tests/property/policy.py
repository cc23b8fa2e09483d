#!/usr/bin/env python3
"""IAM policy evaluation against a naive reading of the rules (naive_policy.py). policy.py PROGRAM [SEED [SECONDS]]

First every pair of values of each condition operator, then random sets of policies with twenty random requests each."""

import json
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import naive_policy  # noqa: E402

CLASSES = ["identity", "boundary", "session", "repository", "registry", "trust"]
MINE, OTHER = "111122223333", "444455556666"
ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken", "ecr:SetRepositoryPolicy",
           "ecr:DeleteRegistryPolicy", "ECR:putimage", "sts:AssumeRole"]
ACTION_PATTERNS = ["*", "ecr:*", "ecr:Put*", "ecr:*Image", "ecr:Get?ownload*", "ECR:BATCHGETIMAGE", "ecr:PutImage", "ecr:*e*a*e*", "*:*",
                   "ecr:GetAuthorizationToken", "ecr:?etRepositoryPolicy", "s3:*", "ecr:Put*Image*", "ecr:??tImage"]
TRUST_PATTERNS = ["sts:*", "sts:AssumeRole", "STS:assume*", "sts:AssumeRole?", "sts:TagSession"]
RESOURCES = ["*", f"arn:aws:ecr:eu-west-1:{MINE}:repository/team/app", f"arn:aws:ecr:us-east-1:{MINE}:repository/alice",
             f"arn:aws:ecr:eu-west-1:{MINE}:repository/Team/app", f"arn:aws:ecr:eu-west-1:{MINE}:repository/a*b",
             f"arn:aws:ecr:eu-west-1:{MINE}:repository/ünï/a", f"arn:aws:ecr:eu-west-1:{MINE}:repository/team/$x"]
RESOURCE_PATTERNS = ["*", "arn:aws:ecr", "arn:aws:ecr:eu-west-1", "arn:aws:ecr:*", f"arn:aws:ecr:*:{MINE}:repository/*",
                     f"arn:aws:ecr:eu-west-1:{MINE}:repository/team/app", f"arn:aws:ecr:eu-*-1:{MINE}:repository/team/?pp",
                     f"arn:aws:ecr:*:*:repository/${{aws:username}}", f"arn:aws:ecr:*:*:repository/${{aws:PrincipalTag/team, 'team'}}/*",
                     f"arn:aws:ecr:eu-west-1:{MINE}:repository/a${{*}}b", f"arn:aws:ecr:eu-west-1:{MINE}:repository/?n?/*",
                     f"arn:aws:ecr:${{aws:RequestedRegion}}", f"arn:aws:ecr:*:{OTHER}:*", f"arn:*:ecr:*:{MINE}:*a*p",
                     f"arn:aws:ecr:eu-west-1:{MINE}:repository/${{aws:TagKeys}}*", f"arn:aws:ecr:*:{MINE}:repository/*/${{$}}x",
                     f"arn:aws:ecr:eu-west-1:{MINE}:repository/**app", f"arn:aws:ecr:eu-west-1:{MINE}:repository/??*?/app"]
ROLE, SESSION = f"arn:aws:iam::{MINE}:role/ci/build", f"arn:aws:sts::{MINE}:assumed-role/build/run-7"
CALLERS = [
    ("user", f"arn:aws:iam::{MINE}:user/alice", "", MINE), ("user", f"arn:aws:iam::{MINE}:user/div/bob", "", MINE),
    ("user", f"arn:aws:iam::{OTHER}:user/alice", "", OTHER), ("role-session", SESSION, ROLE, MINE),
    ("role-session", f"arn:aws:sts::{OTHER}:assumed-role/pull/x", f"arn:aws:iam::{OTHER}:role/pull", OTHER),
    ("federated-user", f"arn:aws:sts::{MINE}:federated-user/carol", f"arn:aws:iam::{MINE}:user/alice", MINE),
    ("root", f"arn:aws:iam::{MINE}:root", "", MINE), ("root", f"arn:aws:iam::{OTHER}:root", "", OTHER),
    ("anonymous", "", "", ""), ("service", "replication.ecr.amazonaws.com", "", ""),
    ("web-identity", f"arn:aws:iam::{MINE}:oidc-provider/ci.example", "", ""),
]
AWS_MEMBERS = [MINE, OTHER, f"arn:aws:iam::{MINE}:root", f"arn:aws:iam::{OTHER}:root"] + [
    a for c in CALLERS for a in c[1:3] if a.startswith("arn:aws:") and ":oidc-provider/" not in a and not a.endswith(":root")]
TEXTS = ["alice", "ALICE", "team", "Team", "a*c", "abc", "", "stage", "prod", "é", "x y", "$", "?", "a:b", "true", "7"]
TEXT_PATTERNS = TEXTS + ["*", "a*", "*c", "?bc", "a${*}c", "${aws:username}", "${aws:PrincipalTag/team, 'abc'}", "${nobody}", "*${?}*", "st?ge",
                         "${aws:TagKeys}", "t*m", "**", "${aws:username}*", "${AWS:UserName}", "A?I*", "*a*b*c*", "??", "?"]
NUMBERS = ["0", "1", "1.0", "-3", "2.5", "25e-1", "100", "+7", "007", "abc", "", "1e3"]
DATES = ["2026-11-24T03:00:00Z", "2026-11-24T03:00:00+01:00", "2026-11-24", "2026-11", "1795489200", "0", "2026-11-24T03:00Z", "2024-02-29",
         "2026-11-24T02:00:00.000Z", "2026-11-24T03:00:00.5Z", "2026-02-29T00:00:00Z", "yesterday", "2026-11-24T23:59:59-05:30", "20"]
BOOLS = ["true", "false", "True", "FALSE", "yes", ""]
ADDRESSES = ["203.0.113.7", "203.0.114.7", "10.1.2.3", "::ffff:203.0.113.7", "2001:db8::1", "2001:db9::1", "::1", "nowhere", "0.0.0.0"]
NETS = ["203.0.113.0/24", "203.0.113.7", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0", "203.0.113.200/25", "10.1.2.3/31", "::1", "2001:db8::1/127",
        "::ffff:203.0.113.0/120"]
ARNS = [SESSION, ROLE, f"arn:aws:ecr:eu-west-1:{MINE}:repository/a:b", "arn:aws:s3:::bucket", "arn:aws:sns:eu-west-1", "x", ""]
ARN_PATTERNS = ARNS + ["*", "arn:aws:*:*:*:*", f"arn:aws:iam::{MINE}:role/*", "arn:aws:sts::*:assumed-role/build/*", "arn:*", "arn:aws:s3:::?ucket",
                       "arn:aws:ecr:eu-*:*:repository/a*", "${aws:PrincipalArn}", f"arn:aws:iam::{MINE}:*", "arn:aws:s3*:bucket", "?rn:aws:s3:::b*"]
BYTES = ["AQID", "AQIE", "", "YQ==", "not base64"]
KEYS = {
    "aws:username": TEXTS, "aws:PrincipalTag/team": TEXTS, "aws:ResourceTag/stage": TEXTS, "aws:TagKeys": TEXTS, "aws:RequestedRegion": ["eu-west-1"],
    "n": NUMBERS, "aws:CurrentTime": DATES, "aws:SecureTransport": BOOLS, "aws:SourceIp": ADDRESSES, "aws:PrincipalArn": ARNS, "bytes": BYTES,
}


def valid(convert, texts):
    return [t for t in texts if convert(t) is not None]


def values_for(operator):
    name = operator.rpartition(":")[2].removesuffix("IfExists")
    for part, texts in (("String", TEXT_PATTERNS), ("Arn", ARN_PATTERNS), ("Numeric", valid(naive_policy.number, NUMBERS)),
                        ("Date", valid(naive_policy.date, DATES)), ("Bool", valid(naive_policy.boolean, BOOLS)), ("Null", ["true", "false"]),
                        ("Ip", NETS), ("Binary", BYTES[:4])):
        if part in name:
            return texts
    raise AssertionError(operator)


KEYS_FOR = {"Numeric": ["n"], "Date": ["aws:CurrentTime"], "Bool": ["aws:SecureTransport"], "Ip": ["aws:SourceIp"], "Arn": ["aws:PrincipalArn"],
            "Binary": ["bytes"], "String": ["aws:username", "aws:PrincipalTag/team", "aws:ResourceTag/stage", "aws:TagKeys"]}


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, pool, most=3):
        chosen = self.r.sample(pool, self.r.randint(1, min(most, len(pool))))
        return chosen[0] if len(chosen) == 1 and self.r.random() < 0.5 else chosen

    def condition(self):
        block = {}
        for _ in range(self.r.choice([1, 1, 2])):
            operator = self.r.choice(["", "", "", "ForAllValues:", "ForAnyValue:"]) + self.r.choice(naive_policy.OPERATORS + ["Null"])
            if not operator.endswith("Null") and self.r.random() < 0.25:
                operator += "IfExists"
            pool = list(KEYS) + ["absent"]
            for part, keys in KEYS_FOR.items():
                if part in operator and self.r.random() < 0.85:
                    pool = keys
            key = self.r.choice(pool)
            key = key.upper() if self.r.random() < 0.1 else key
            block.setdefault(operator, {})[key] = self.some(values_for(operator))
        return block

    def principal(self, positive):
        kind = self.r.random()
        if kind < 0.2:
            return "*" if self.r.random() < 0.7 else {"AWS": "*"}
        members = {"AWS": self.some(AWS_MEMBERS, 8 if not positive else 3)}
        if kind > 0.7:
            members["Service"] = "replication.ecr.amazonaws.com"
        if kind > 0.8:
            members["Federated"] = CALLERS[-1][1]
        return members

    def statement(self, cls):
        s = {"Effect": "Allow" if self.r.random() < 0.75 else "Deny"}
        patterns = TRUST_PATTERNS if cls == "trust" else ACTION_PATTERNS
        negative = cls != "trust" and self.r.random() < 0.15
        s["NotAction" if negative else "Action"] = self.some(patterns)
        if cls == "trust" or (cls == "repository" and self.r.random() < 0.6):
            pass
        else:
            s["NotResource" if self.r.random() < 0.15 else "Resource"] = self.some(RESOURCE_PATTERNS)
        if cls in ("repository", "registry", "trust"):
            negative = cls != "trust" and s["Effect"] == "Deny" and self.r.random() < 0.5
            s["NotPrincipal" if negative else "Principal"] = self.principal(not negative)
        if self.r.random() < 0.5:
            s["Condition"] = self.condition()
        return s

    def document(self, cls):
        statements = [self.statement(cls) for _ in range(self.r.choice([1, 1, 2, 3]))]
        document = {"Version": "2012-10-17", "Statement": statements}
        if cls in ("repository", "registry", "session", "trust") and self.r.random() < 0.15:
            document["Version"] = "2008-10-17"
        if len(statements) == 1 and self.r.random() < 0.5:
            document["Statement"] = statements[0]
        return document

    def policies(self):
        counts = {"identity": [0, 1, 1, 2], "boundary": [0, 0, 0, 1], "session": [0, 0, 0, 1], "repository": [0, 1, 1], "registry": [0, 0, 1],
                  "trust": [0]}
        if self.r.random() < 0.15:
            counts |= {"trust": [1], "repository": [0], "registry": [0]}
        return {cls: [self.document(cls) for _ in range(self.r.choice(counts[cls]))] for cls in CLASSES}

    def context(self):
        context = {}
        for key, pool in KEYS.items():
            if self.r.random() < 0.75:
                many = self.r.random() < (0.6 if key == "aws:TagKeys" else 0.1)
                count = self.r.choice([0, 2, 3]) if many else 1
                context[key] = [self.r.choice(pool) for _ in range(count)]
        return context

    def request(self, is_trust):
        kind, arn, issuer, account = self.r.choice(CALLERS)
        action = "sts:AssumeRole" if is_trust and self.r.random() < 0.9 else self.r.choice(ACTIONS)
        return {"kind": kind, "arn": arn, "issuer": issuer, "account": account, "action": action, "resource": self.r.choice(RESOURCES),
                "owner": MINE, "delegates": self.r.random() < 0.3, "context": self.context()}


def ask(program, policies, requests):
    named = [{"class": cls, "text": json.dumps(d, ensure_ascii=False)} for cls in CLASSES for d in policies[cls]]
    program.stdin.write(json.dumps({"policies": named, "requests": requests}) + "\n")
    program.stdin.flush()
    return json.loads(program.stdout.readline())


def differs(program, policies, requests, seen):
    """What is wrong, as lines; None when the program decides like the naive evaluator."""
    answer = ask(program, policies, requests)
    if any(answer["errors"]):
        return f"refused: {answer['errors']}\n# {json.dumps(policies)}"
    for request, decision in zip(requests, answer["decisions"], strict=True):
        want = naive_policy.evaluate(policies, request)
        if decision.split()[0] != want:
            return f"got {decision}, want {want}\n# {json.dumps(request)}\n# {json.dumps(policies)}"
        seen[want] = seen.get(want, 0) + 1
    return None


def requests_for(key):
    """All values of the key, one at a time; missing, empty and several."""
    texts = KEYS[key]
    more = {"aws:PrincipalTag/team": ["abc"], "aws:TagKeys": ["team", "stage"]}
    contexts = [{**more, key: [t]} for t in texts] + [more, {**more, key: []}, {**more, key: texts[:2]}, {**more, key: texts[1:4]}]
    kind, arn, issuer, account = CALLERS[0]
    return [{"kind": kind, "arn": arn, "issuer": issuer, "account": account, "action": "ecr:PutImage", "resource": "*", "owner": MINE,
             "delegates": False, "context": c} for c in contexts]


def every_pair(program, seen):
    for name in [*naive_policy.OPERATORS, "Null"]:
        key = next((keys for part, keys in KEYS_FOR.items() if part in name), ["aws:username"])[0]
        requests = requests_for(key)
        for operator in [p + name + s for p in ("", "ForAllValues:", "ForAnyValue:") for s in ("", "IfExists") if s == "" or name != "Null"]:
            for value in [*values_for(operator), values_for(operator)[:3]]:
                statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}
                policies = {cls: [] for cls in CLASSES} | {"identity": [{"Version": "2012-10-17", "Statement": statement}]}
                wrong = differs(program, policies, requests, seen)
                if wrong:
                    return wrong
    return None


def random_cases(program, seen, seed, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end or sum(seen.values()) < 2000:
        maker = Maker(seed)
        policies = maker.policies()
        wrong = differs(program, policies, [maker.request(bool(policies["trust"])) for _ in range(20)], seen)
        if wrong:
            return f"seed {seed}: {wrong}"
        seed += 1
    # Cases that are nearly all alike would prove nothing.
    least = min(seen.get(d, 0) for d in ("allow", "explicit", "implicit"))
    return None if least > sum(seen.values()) / 50 else f"lopsided: {seen}"


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 8
    print(f"1..2\n# seed {seed}", flush=True)
    failed = 0
    with subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as program:
        for number, (what, run) in enumerate([
            ("every pair of values of each operator compares alike", lambda seen: every_pair(program, seen)),
            ("random policies decide like the naive evaluator", lambda seen: random_cases(program, seen, seed, seconds)),
        ], 1):
            seen = {}
            wrong = run(seen)
            failed += bool(wrong)
            print(f"# {seen}\n{'not ok' if wrong else 'ok'} {number} - {what}" + (f"\n# {wrong}" if wrong else ""), flush=True)
        program.stdin.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
