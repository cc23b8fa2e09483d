"""An owner of repositories and users, who creates, sets up and deletes them by AWS's APIs, and knows what was acknowledged.

Each change is one call, and what it changes is one thing: after a power cut the thing is as it was acknowledged, or, if the answer
to the last call never came, as before or after that call; never in between.
"""

import json
import random

import botocore.exceptions as failure

from .http import Http
from .oci import Oci, Refused, blob, manifest, sha256
from .writer import Fresh, Gone

LAYER = blob("owner", 3000)


def lifecycle(n):
    return json.dumps({"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": n}, "action": {"type": "expire"}}]})


def policy(n):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": f"s{n}", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}]})


class Owner:
    """state: {("repo"|"user", name): a value that says all of the thing, or None: it does not exist}; grace_s: the server's --collect-grace"""

    def __init__(self, server, prefix, seed, grace_s=24 * 3600):
        self.server, self.prefix, self.grace_s = server, prefix, grace_s
        self.random = random.Random(seed)
        self.state = {("repo", f"{prefix}/r{i}"): None for i in range(5)} | {("user", f"{prefix}-u{i}"): None for i in range(4)}
        self.in_flight = None  # (thing, value after the call)
        self.counts = {}
        self.serial = 0
        self.ecr, self.iam = server.client("ecr"), server.client("iam")
        self.connect()

    def connect(self):
        self.ecr.close()  # its connections; it makes new ones
        self.iam.close()
        self.http = Http(self.server.port, auth=("AWS", self.server.token), timeout=20)
        self.oci = Oci(self.http)

    # -- one operation ---------------------------------------------------------------------------------------------------

    def step(self):
        thing = self.random.choice(sorted(self.state))
        kind, name = thing
        if kind == "user":
            move = self.create_user if self.state[thing] is None else self.delete_user
        elif self.state[thing] is None:
            move = self.create
        else:
            move = self.random.choices([self.delete, self.mutability, self.lifecycle, self.policy, self.labels, self.image], [1, 2, 2, 2, 2, 3])[0]
        try:
            move(name)
        except (failure.ConnectionError, failure.HTTPClientError, OSError) as e:
            raise Gone from e
        self.counts[move.__name__] = self.counts.get(move.__name__, 0) + 1

    def change(self, kind, name, after, call):
        """call, after which the thing is `after`."""
        self.in_flight = ((kind, name), after)
        call()
        self.state[kind, name] = after
        self.in_flight = None

    def set(self, name, field, value, call):
        self.change("repo", name, {**self.state["repo", name], field: value}, call)

    def number(self):
        self.serial += 1
        return self.serial

    def create_user(self, name):
        self.change("user", name, {}, lambda: self.iam.create_user(UserName=name))

    def delete_user(self, name):
        self.change("user", name, None, lambda: self.iam.delete_user(UserName=name))

    def create(self, name):
        n = str(self.number())
        self.change("repo", name, {"mutability": "MUTABLE", "lifecycle": None, "policy": None, "labels": {"n": n}, "images": {}},
                    lambda: self.ecr.create_repository(repositoryName=name, tags=[{"Key": "n", "Value": n}]))

    def delete(self, name):
        self.change("repo", name, None, lambda: self.ecr.delete_repository(repositoryName=name, force=True))

    def mutability(self, name):
        value = self.random.choice(["MUTABLE", "IMMUTABLE"])
        self.set(name, "mutability", value, lambda: self.ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability=value))

    def lifecycle(self, name):
        if self.state["repo", name]["lifecycle"] and self.random.random() < 0.3:
            self.set(name, "lifecycle", None, lambda: self.ecr.delete_lifecycle_policy(repositoryName=name))
        else:
            text = lifecycle(100_000 + self.number())  # more than there will be: it changes nothing
            self.set(name, "lifecycle", text, lambda: self.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text))

    def policy(self, name):
        text = policy(self.number())
        self.set(name, "policy", text, lambda: self.ecr.set_repository_policy(repositoryName=name, policyText=text))

    def labels(self, name):
        n = str(self.number())
        arn = self.ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]
        self.set(name, "labels", {"n": n}, lambda: self.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "n", "Value": n}]))

    def image(self, name):
        tag = f"i{self.number()}"
        config = json.dumps({"n": tag, "repo": name}).encode()
        fresh = Fresh(self.grace_s)
        for data in (config, LAYER):
            fresh.begins(sha256(data))
            self.oci.push_blob(name, data)
        body = manifest(config, [LAYER])
        try:
            self.set(name, "images", {**self.state["repo", name]["images"], tag: sha256(body)}, lambda: self.oci.put_manifest(name, tag, body))
        except Refused as e:
            if not fresh.excuses(e, fresh.since):
                raise
            self.in_flight = None

    # -- afterwards ------------------------------------------------------------------------------------------------------

    def maybe(self, call, *absent):
        try:
            return call()
        except failure.ClientError as e:
            if e.response["Error"]["Code"] not in absent:
                raise
            return None

    def read_user(self, name):
        return None if self.maybe(lambda: self.iam.get_user(UserName=name), "NoSuchEntity") is None else {}

    def read_repo(self, name):
        found = self.maybe(lambda: self.ecr.describe_repositories(repositoryNames=[name]), "RepositoryNotFoundException")
        if found is None:
            return None
        repo = found["repositories"][0]
        rules = self.maybe(lambda: self.ecr.get_lifecycle_policy(repositoryName=name), "LifecyclePolicyNotFoundException")
        grants = self.maybe(lambda: self.ecr.get_repository_policy(repositoryName=name), "RepositoryPolicyNotFoundException")
        labels = self.ecr.list_tags_for_resource(resourceArn=repo["repositoryArn"])["tags"]
        images = {}
        for tag in self.oci.tags(name) or []:
            self.oci.check_image(name, tag)
            images[tag] = sha256(self.oci.get_manifest(name, tag))
        return {
            "mutability": repo["imageTagMutability"],
            "lifecycle": rules and rules["lifecyclePolicyText"],
            "policy": grants and json.dumps(json.loads(grants["policyText"])),
            "labels": {t["Key"]: t["Value"] for t in labels},
            "images": images,
        }

    def verify(self, whole=True):
        """whole: everything; else what was in flight and a few more."""
        self.connect()
        thing, after = self.in_flight or (None, None)
        for key in self.state if whole else {thing, *self.random.sample(sorted(self.state), 2)} - {None}:
            said = self.state[key]
            there = self.read_user(key[1]) if key[0] == "user" else self.read_repo(key[1])
            right = [said, after] if key == thing else [said]
            assert there in right, f"{' '.join(key)}: is {there}, acknowledged was {right}"
            self.state[key] = there
        self.in_flight = None
