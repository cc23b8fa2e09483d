"""An owner of repositories, users, a KMS key and a registry's setting, who creates, sets up and deletes them by AWS's APIs, and knows what was
acknowledged. Some of the repositories are encrypted by the key; images come and go by ECR's own calls, too.

Each change is one call, and what it changes is one thing: after a power cut the thing is as it was acknowledged, or, if the answer
to the last call never came, as before or after that call; never in between.
"""

import json
import random

import botocore.exceptions as failure

from .http import Http
from .oci import IMAGE, Oci, Refused, blob, manifest, sha256
from .writer import Fresh, Gone

LAYER = blob("owner", 3000)
SETTING = "BLOB_MOUNTING"
WEIGHTS = {"repo": 3, "user": 1, "key": 3, "setting": 1}  # of each of the things


def lifecycle(n):
    return json.dumps({"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": n}, "action": {"type": "expire"}}]})


def policy(n):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": f"s{n}", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}]})


class Owner:
    """state: {("repo"|"user"|"key"|"setting", name): a value that says all of the thing, or None: it does not exist}; grace_s: the server's --collect-grace"""

    def __init__(self, server, prefix, seed, grace_s=24 * 3600):
        self.server, self.prefix, self.grace_s = server, prefix, grace_s
        self.random = random.Random(seed)
        self.state = {("repo", f"{prefix}/r{i}"): None for i in range(5)} | {("user", f"{prefix}-u{i}"): None for i in range(4)}
        self.in_flight = None  # (thing, value after the call)
        self.counts = {}
        self.did = None  # the name of the operation
        self.serial = 0
        self.ecr, self.iam, self.kms = (server.client(name) for name in ("ecr", "iam", "kms"))
        self.encryption_key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.alias = f"alias/{prefix}"
        self.state["key", self.kms.create_key(Description="")["KeyMetadata"]["KeyId"]] = {"description": "", "enabled": True, "alias": False}
        # The other clients mount; what does not in another Region is nobody's concern.
        self.elsewhere = server.client("ecr", region_name=f"us-west-{seed + 1}")
        self.state["setting", SETTING] = self.elsewhere.get_account_setting(name=SETTING)["value"]
        self.connect()

    def connect(self):
        self.ecr.close()  # its connections; it makes new ones
        self.iam.close()
        self.kms.close()
        self.elsewhere.close()
        self.http = Http(self.server.port, auth=("AWS", self.server.token), timeout=20)
        self.oci = Oci(self.http)

    # -- one operation ---------------------------------------------------------------------------------------------------

    def step(self):
        things = sorted(self.state)
        thing = self.random.choices(things, [WEIGHTS[kind] for kind, _ in things])[0]
        kind, name = thing
        if kind == "user":
            move = self.create_user if self.state[thing] is None else self.delete_user
        elif kind == "key":
            move = self.random.choice([self.describe_key, self.enable_key, self.alias_key])
        elif kind == "setting":
            move = self.setting
        elif self.state[thing] is None:
            move = self.create
        else:
            move = self.random.choices([self.delete, self.mutability, self.lifecycle, self.policy, self.labels, self.image, self.archive, self.remove_image], [1, 2, 2, 2, 2, 5, 2, 2])[0]
        self.did = move.__name__
        try:
            move(name)
        except (failure.ConnectionError, failure.HTTPClientError, OSError) as e:
            raise Gone from e
        self.counts[self.did] = self.counts.get(self.did, 0) + 1

    def change(self, kind, name, after, call):
        """call, after which the thing is `after`."""
        self.in_flight = ((kind, name), after)
        call()
        self.state[kind, name] = after
        self.in_flight = None

    def set(self, name, field, value, call, kind="repo"):
        self.change(kind, name, {**self.state[kind, name], field: value}, call)

    def number(self):
        self.serial += 1
        return self.serial

    def create_user(self, name):
        self.change("user", name, {}, lambda: self.iam.create_user(UserName=name))

    def delete_user(self, name):
        self.change("user", name, None, lambda: self.iam.delete_user(UserName=name))

    def describe_key(self, key):
        text = f"d{self.number()}"
        self.set(key, "description", text, lambda: self.kms.update_key_description(KeyId=key, Description=text), "key")

    def enable_key(self, key):
        enabled = not self.state["key", key]["enabled"]
        self.set(key, "enabled", enabled, lambda: (self.kms.enable_key if enabled else self.kms.disable_key)(KeyId=key), "key")

    def alias_key(self, key):
        if self.state["key", key]["alias"]:
            self.set(key, "alias", False, lambda: self.kms.delete_alias(AliasName=self.alias), "key")
        else:
            self.set(key, "alias", True, lambda: self.kms.create_alias(AliasName=self.alias, TargetKeyId=key), "key")

    def setting(self, name):
        value = "DISABLED" if self.state["setting", name] == "ENABLED" else "ENABLED"
        self.change("setting", name, value, lambda: self.elsewhere.put_account_setting(name=name, value=value))

    def create(self, name):
        n = str(self.number())
        by = self.random.choice(["AES256", "AES256", "KMS", "KMS_DSSE"])
        encryption = {"encryptionType": by, **({"kmsKey": self.encryption_key} if by != "AES256" else {})}
        self.change("repo", name, {"encryption": encryption, "mutability": "MUTABLE", "lifecycle": None, "policy": None, "labels": {"n": n}, "images": {}, "archived": {}},
                    lambda: self.ecr.create_repository(repositoryName=name, tags=[{"Key": "n", "Value": n}], encryptionConfiguration=encryption))

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
        self.did = "image"
        tag = f"i{self.number()}"
        config = json.dumps({"n": tag, "repo": name}).encode()
        fresh = Fresh(self.grace_s)
        by_ecr = self.random.random() < 0.5
        for data in (config, LAYER):
            fresh.begins(sha256(data))
            (self.push_layer if by_ecr else self.oci.push_blob)(name, data)
        body = manifest(config, [LAYER])

        def put():
            if by_ecr:
                self.ecr.put_image(repositoryName=name, imageTag=tag, imageManifest=body.decode(), imageManifestMediaType=IMAGE)
            else:
                self.oci.put_manifest(name, tag, body)

        try:
            self.set(name, "images", {**self.state["repo", name]["images"], tag: sha256(body)}, put)
        except Refused as e:
            if not fresh.excuses(e, fresh.since):
                raise
            self.in_flight = None
        except failure.ClientError as e:
            if e.response["Error"]["Code"] != "LayersNotFoundException" or not any(map(fresh.is_over, fresh.since)):
                raise
            self.in_flight = None

    def push_layer(self, name, data):
        upload = self.ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        self.ecr.upload_layer_part(repositoryName=name, uploadId=upload, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data)
        self.maybe(lambda: self.ecr.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[sha256(data)]), "LayerAlreadyExistsException")

    def archive(self, name):
        """Moves one image away, tag and all."""
        state = self.state["repo", name]
        if not state["images"]:
            self.image(name)
        else:
            tag = self.random.choice(sorted(state["images"]))
            left = {t: d for t, d in state["images"].items() if t != tag}
            self.change("repo", name, {**state, "images": left, "archived": {**state["archived"], tag: state["images"][tag]}},
                        lambda: self.ecr.update_image_storage_class(repositoryName=name, imageId={"imageTag": tag}, targetStorageClass="ARCHIVE"))

    def remove_image(self, name):
        """One of either kind, as ECR does it: with its last tag."""
        state = self.state["repo", name]
        kind = self.random.choice(["images", "archived"])
        if not state[kind]:
            self.image(name)
        else:
            tag = self.random.choice(sorted(state[kind]))
            self.set(name, kind, {t: d for t, d in state[kind].items() if t != tag},
                     lambda: self.done(self.ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": tag}])))

    def done(self, answer):
        assert not answer["failures"], answer

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

    def read_key(self, key):
        found = self.kms.describe_key(KeyId=key)["KeyMetadata"]
        aliases = [a["AliasName"] for a in self.kms.list_aliases(KeyId=key)["Aliases"]]
        assert aliases in ([], [self.alias]), aliases
        return {"description": found["Description"], "enabled": found["Enabled"], "alias": bool(aliases)}

    def read_setting(self, name):
        return self.elsewhere.get_account_setting(name=name)["value"]

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
        away = self.ecr.list_images(repositoryName=name, filter={"imageStatus": "ARCHIVED"})["imageIds"]
        return {
            "encryption": repo["encryptionConfiguration"],
            "mutability": repo["imageTagMutability"],
            "lifecycle": rules and rules["lifecyclePolicyText"],
            "policy": grants and json.dumps(json.loads(grants["policyText"])),
            "labels": {t["Key"]: t["Value"] for t in labels},
            "images": images,
            "archived": {i["imageTag"]: i["imageDigest"] for i in away},
        }

    def verify(self, whole=True):
        """whole: everything; else what was in flight and a few more."""
        self.connect()
        thing, after = self.in_flight or (None, None)
        for key in self.state if whole else {thing, *self.random.sample(sorted(self.state), 2)} - {None}:
            said = self.state[key]
            there = getattr(self, f"read_{key[0]}")(key[1])
            right = [said, after] if key == thing else [said]
            assert there in right, f"{' '.join(key)}: is {there}, acknowledged was {right}"
            self.state[key] = there
        self.in_flight = None
