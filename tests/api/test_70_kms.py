"""Keys by boto3 and the AWS CLI, and keys that live in another Berth."""

import base64
import json
import re
import subprocess
import time

import botocore.exceptions
import pytest

from harness.env import clean_env
from harness.server import BINARY

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def refused(code, call, **kw):
    """Calls, wants that error, returns its message."""
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


@pytest.fixture
def kms(berth):
    return berth.client("kms")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]


def test_a_new_key_is_described_as_aws_does(kms, berth):
    made = kms.create_key(Description="für Ebenen", Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
    assert made == kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert re.fullmatch(UUID, made["KeyId"])
    assert made["Arn"] == f"arn:aws:kms:{berth.region}:{berth.account}:key/{made['KeyId']}"
    assert abs(made.pop("CreationDate").timestamp() - time.time()) < 300
    want = {
        "AWSAccountId": berth.account, "Enabled": True, "Description": "für Ebenen", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
        "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False,
    }
    assert {k: v for k, v in made.items() if k not in ("KeyId", "Arn")} == want
    kms.update_key_description(KeyId=made["KeyId"], Description="")
    assert kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]["Description"] == ""


def test_what_keys_cannot_be_is_refused(kms):
    for member in ({"KeySpec": "RSA_2048"}, {"KeyUsage": "SIGN_VERIFY"}, {"Origin": "EXTERNAL"}, {"MultiRegion": True}, {"CustomerMasterKeySpec": "HMAC_256"}):
        refused("UnsupportedOperationException", kms.create_key, **member)
    assert "default policy" in refused("UnsupportedOperationException", kms.create_key, Policy="{}")
    assert kms.create_key(KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT", Origin="AWS_KMS", MultiRegion=False)
    assert len(kms.list_keys()["Keys"]) == 1


def test_aliases_name_keys_and_move(kms, key, berth):
    other = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    kms.create_alias(AliasName="alias/app/2", TargetKeyId=key["Arn"])
    arn = f"arn:aws:kms:{berth.region}:{berth.account}:alias/app"
    for text in ("alias/app", arn, "alias/app/2"):
        assert kms.describe_key(KeyId=text)["KeyMetadata"]["Arn"] == key["Arn"]
    assert refused("AlreadyExistsException", kms.create_alias, AliasName="alias/app", TargetKeyId=other["KeyId"]) == f"An alias with the name {arn} already exists"
    kms.update_alias(AliasName="alias/app", TargetKeyId=other["KeyId"])
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == other["Arn"]
    assert [a["AliasName"] for a in kms.list_aliases(KeyId=key["Arn"])["Aliases"]] == ["alias/app/2"]
    listed = kms.list_aliases()["Aliases"]
    assert [(a["AliasName"], a["TargetKeyId"]) for a in listed] == [("alias/app", other["KeyId"]), ("alias/app/2", key["KeyId"])]
    assert listed[0]["AliasArn"] == arn and listed[0]["LastUpdatedDate"] >= listed[0]["CreationDate"]
    kms.delete_alias(AliasName="alias/app")
    assert refused("NotFoundException", kms.describe_key, KeyId="alias/app") == f"Alias {arn} is not found."
    refused("NotFoundException", kms.delete_alias, AliasName="alias/app")
    refused("NotFoundException", kms.update_alias, AliasName="alias/app", TargetKeyId=key["KeyId"])
    refused("NotFoundException", kms.create_alias, AliasName="alias/app", TargetKeyId="0" * 8 + "-0000-0000-0000-" + "0" * 12)


@pytest.mark.parametrize("name,code", [
    ("app", "ValidationException"), ("alias/", "InvalidAliasNameException"), ("alias/aws/mine", "InvalidAliasNameException"),
    ("alias/a:b", "InvalidAliasNameException"), ("alias/a b", "ValidationException"), ("alias/" + "x" * 251, "ValidationException"),
])
def test_an_alias_has_a_proper_name(kms, key, name, code):
    refused(code, kms.create_alias, AliasName=name, TargetKeyId=key["KeyId"])


def test_the_managed_key_belongs_to_the_registry(kms):
    managed = kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]
    assert managed["KeyManager"] == "AWS" and managed["KeyState"] == "Enabled"
    assert kms.get_key_rotation_status(KeyId=managed["KeyId"])["RotationPeriodInDays"] == 365
    for call in (kms.disable_key, kms.schedule_key_deletion, kms.disable_key_rotation, kms.rotate_key_on_demand):
        refused("AccessDeniedException", call, KeyId=managed["KeyId"])
    assert [a["AliasName"] for a in kms.list_aliases()["Aliases"]] == ["alias/aws/ecr"]


def test_states_follow_aws_table(kms, key):
    arn = key["Arn"]
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    assert not kms.describe_key(KeyId=arn)["KeyMetadata"]["Enabled"]
    for call, more in (
        (kms.encrypt, {"KeyId": arn, "Plaintext": b"x"}), (kms.decrypt, {"CiphertextBlob": blob}), (kms.generate_data_key, {"KeyId": arn, "KeySpec": "AES_256"}),
        (kms.rotate_key_on_demand, {"KeyId": arn}), (kms.enable_key_rotation, {"KeyId": arn}),
    ):
        assert refused("DisabledException", call, **more) == f"{arn} is disabled."
    assert refused("KMSInvalidStateException", kms.cancel_key_deletion, KeyId=arn) == f"{arn} is not pending deletion."
    kms.enable_key(KeyId=arn)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    gone = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert gone["KeyId"] == arn and gone["KeyState"] == "PendingDeletion" and gone["PendingWindowInDays"] == 7
    assert abs(gone["DeletionDate"].timestamp() - time.time() - 7 * 86400) < 300
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["DeletionDate"] == gone["DeletionDate"]
    for call, more in (
        (kms.decrypt, {"CiphertextBlob": blob}), (kms.enable_key, {"KeyId": arn}), (kms.create_alias, {"AliasName": "alias/l", "TargetKeyId": arn}),
        (kms.tag_resource, {"KeyId": arn, "Tags": [{"TagKey": "a", "TagValue": "b"}]}), (kms.schedule_key_deletion, {"KeyId": arn}),
    ):
        assert refused("KMSInvalidStateException", call, **more) == f"{arn} is pending deletion."
    assert kms.cancel_key_deletion(KeyId=arn)["KeyId"] == arn
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=arn)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_the_default_waiting_time_is_thirty_days(kms, key):
    assert kms.schedule_key_deletion(KeyId=key["KeyId"])["PendingWindowInDays"] == 30


def test_rotation_keeps_old_ciphertexts(kms, key):
    arn = key["Arn"]
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=arn, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=arn)
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 90 and status["KeyId"] == arn
    assert abs(status["NextRotationDate"].timestamp() - time.time() - 90 * 86400) < 300
    kms.enable_key_rotation(KeyId=arn)
    assert kms.get_key_rotation_status(KeyId=arn)["RotationPeriodInDays"] == 365
    kms.disable_key_rotation(KeyId=arn)
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"] is False
    blobs = []
    for i in range(4):
        blobs.append(kms.encrypt(KeyId=arn, Plaintext=b"%d" % i)["CiphertextBlob"])
        assert kms.rotate_key_on_demand(KeyId=arn)["KeyId"] == arn
    assert [kms.decrypt(CiphertextBlob=b)["Plaintext"] for b in blobs] == [b"0", b"1", b"2", b"3"]
    first = kms.list_key_rotations(KeyId=arn, Limit=3)
    assert first["Truncated"] and len(first["Rotations"]) == 3
    rest = kms.list_key_rotations(KeyId=arn, Limit=3, Marker=first["NextMarker"])
    assert not rest["Truncated"] and [r["KeyMaterialState"] for r in rest["Rotations"]] == ["CURRENT"]
    assert rest["Rotations"][0]["RotationType"] == "ON_DEMAND" and rest["Rotations"][0]["KeyId"] == arn


def test_encryption_binds_key_and_context(kms, key):
    other = kms.create_key()["KeyMetadata"]
    context = {"pool": "12", "größe": "\N{SNOWMAN}"}
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"\x00" * 4096, EncryptionContext=context)
    assert sealed["KeyId"] == key["Arn"] and sealed["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    blob = sealed["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(context.items())))
    assert opened["Plaintext"] == b"\x00" * 4096 and opened["KeyId"] == key["Arn"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, KeyId=key["Arn"])["Plaintext"]
    refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=context, KeyId=other["Arn"])
    for wrong in ({}, {"pool": "12"}, {**context, "more": ""}, {**context, "pool": "13"}):
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=wrong)
    for at in (0, 1, 16, 17, 20, 21, 33, len(blob) - 1):
        bad = bytearray(blob)
        bad[at] ^= 4
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=bytes(bad), EncryptionContext=context)
    for bad in (blob[:-1], blob + b"x", b"x", blob[:48]):
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=bad, EncryptionContext=context)
    moved = kms.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other["KeyId"], DestinationEncryptionContext={"a": "b"},
    )
    assert moved["SourceKeyId"] == key["Arn"] and moved["KeyId"] == other["Arn"]
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"a": "b"}, KeyId=other["KeyId"])["Plaintext"] == b"\x00" * 4096


def test_data_keys(kms, key):
    made = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext={"a": "b"})
    assert len(made["Plaintext"]) == 32 and made["KeyId"] == key["Arn"]
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})["Plaintext"] == made["Plaintext"]
    assert len(kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_128")["Plaintext"]) == 16
    assert len(kms.generate_data_key(KeyId=key["KeyId"], NumberOfBytes=1024)["Plaintext"]) == 1024
    blind = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], KeySpec="AES_256")
    assert "Plaintext" not in blind and len(kms.decrypt(CiphertextBlob=blind["CiphertextBlob"])["Plaintext"]) == 32
    refused("ValidationException", kms.generate_data_key, KeyId=key["KeyId"])
    refused("ValidationException", kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256", NumberOfBytes=32)
    refused("DryRunOperationException", kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256", DryRun=True)
    refused("InvalidKeyUsageException", kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_tags(kms):
    key = kms.create_key(Tags=[{"TagKey": "b", "TagValue": "1"}, {"TagKey": "a", "TagValue": ""}])["KeyMetadata"]["KeyId"]
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "b", "TagValue": "2"}, {"TagKey": "c", "TagValue": "3"}])
    kms.untag_resource(KeyId=key, TagKeys=["a", "z"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "b", "TagValue": "2"}, {"TagKey": "c", "TagValue": "3"}]
    page = kms.list_resource_tags(KeyId=key, Limit=1)
    assert page["Truncated"] and kms.list_resource_tags(KeyId=key, Limit=1, Marker=page["NextMarker"])["Tags"] == [{"TagKey": "c", "TagValue": "3"}]
    refused("TagException", kms.tag_resource, KeyId=key, Tags=[{"TagKey": "aws:x", "TagValue": ""}])
    refused("TagException", kms.create_key, Tags=[{"TagKey": "x", "TagValue": ""}] * 2)
    refused("LimitExceededException", kms.tag_resource, KeyId=key, Tags=[{"TagKey": f"n{i}", "TagValue": ""} for i in range(49)])
    assert len(kms.list_resource_tags(KeyId=key)["Tags"]) == 2


def test_lists_come_in_pages(kms):
    made = sorted(kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(7))
    for i, key in enumerate(made):
        kms.create_alias(AliasName=f"alias/n{i}", TargetKeyId=key)
    listed = [k for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}) for k in page["Keys"]]
    assert [k["KeyId"] for k in listed] == made and all(k["KeyArn"].endswith(k["KeyId"]) for k in listed)
    aliases = [a for page in kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 2}) for a in page["Aliases"]]
    assert [a["TargetKeyId"] for a in aliases] == made
    for marker in ("x", "AAAA", "!!", base64.b64encode(b"no id").decode()):
        refused("InvalidMarkerException", kms.list_keys, Marker=marker)


def test_the_default_policy_is_the_only_one(kms, key, berth):
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    [statement] = policy["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{berth.account}:root"} and statement["Action"] == "kms:*"
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]


def test_errors_are_those_of_aws(kms, berth):
    region = berth.region
    arn = f"arn:aws:kms:{region}:{berth.account}:key/12345678-1234-1234-1234-123456789012"
    assert refused("NotFoundException", kms.describe_key, KeyId=arn) == f"Key '{arn}' does not exist"
    assert refused("NotFoundException", kms.describe_key, KeyId="none") == "Invalid keyId 'none'"
    elsewhere = arn.replace(region, "ap-south-2")
    assert refused("NotFoundException", kms.describe_key, KeyId=elsewhere) == "Invalid arn ap-south-2"
    stranger = arn.replace(berth.account, "999999999999" if berth.account != "999999999999" else "999999999998")
    assert "kms:DescribeKey" in refused("AccessDeniedException", kms.describe_key, KeyId=stranger)
    wire = berth.client("kms", config=botocore.config.Config(parameter_validation=False))
    assert refused("ValidationException", wire.describe_key) == (
        "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"
    )
    assert "'pendingWindowInDays'" in refused("ValidationException", wire.schedule_key_deletion, KeyId=arn, PendingWindowInDays=6)
    assert "'tags.1.member.tagKey'" in refused("ValidationException", wire.tag_resource, KeyId=arn, Tags=[{"TagKey": "", "TagValue": ""}])
    refused("SerializationException", wire.describe_key, KeyId=7)
    refused("UnrecognizedClientException", berth.client("kms", aws_access_key_id="AKIANOBODY").list_keys)
    assert refused("InvalidSignatureException", berth.client("kms", aws_secret_access_key="wrong").list_keys)
    refused("UnknownOperationException", kms.generate_random, NumberOfBytes=1)


def test_keys_belong_to_their_region(kms, key, berth):
    other = berth.client("kms", region_name="ap-south-2")
    refused("NotFoundException", other.describe_key, KeyId=key["KeyId"])
    assert other.list_keys()["Keys"] == []
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    refused("InvalidCiphertextException", other.decrypt, CiphertextBlob=blob)


def test_keys_outlive_the_server(kms, key, berth):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"still there")["CiphertextBlob"]
    kms.create_alias(AliasName="alias/x", TargetKeyId=key["KeyId"])
    berth.kill()
    berth.start()
    kms = berth.client("kms")
    assert kms.decrypt(CiphertextBlob=blob, KeyId="alias/x")["Plaintext"] == b"still there"


def test_plaintext_and_key_material_are_not_in_the_data_folder(kms, key, berth):
    planted = b"planted-plaintext-of-the-test"
    kms.encrypt(KeyId=key["KeyId"], Plaintext=planted)
    data_key = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["Plaintext"]
    kms.create_alias(AliasName="alias/planted-name", TargetKeyId=key["KeyId"])
    stored = b"".join(p.read_bytes() for p in berth.data.rglob("*") if p.is_file())
    assert b"alias/planted-name" in stored  # what the search must find
    assert planted not in stored and data_key not in stored and base64.b64encode(data_key) not in stored


def test_the_aws_cli(kms, berth, aws, scratch):
    kms_cli = lambda *args: aws("kms", *args)
    key = kms_cli("create-key", "--description", "by hand", "--tags", "TagKey=a,TagValue=b")["KeyMetadata"]["KeyId"]
    kms_cli("create-alias", "--alias-name", "alias/cli", "--target-key-id", key)
    assert kms_cli("describe-key", "--key-id", "alias/cli")["KeyMetadata"]["Description"] == "by hand"
    assert [k["KeyId"] for k in kms_cli("list-keys")["Keys"]] == [key]
    assert kms_cli("list-aliases", "--key-id", key)["Aliases"][0]["AliasName"] == "alias/cli"
    kms_cli("enable-key-rotation", "--key-id", key, "--rotation-period-in-days", "100")
    assert kms_cli("get-key-rotation-status", "--key-id", key)["RotationPeriodInDays"] == 100
    kms_cli("rotate-key-on-demand", "--key-id", key)
    kms_cli("disable-key-rotation", "--key-id", key)
    (scratch / "plain").write_bytes(b"\x00secret\xff")
    blob = kms_cli("encrypt", "--key-id", "alias/cli", "--plaintext", f"fileb://{scratch / 'plain'}", "--encryption-context", "a=b")["CiphertextBlob"]
    (scratch / "sealed").write_bytes(base64.b64decode(blob))
    got = kms_cli("decrypt", "--ciphertext-blob", f"fileb://{scratch / 'sealed'}", "--encryption-context", "a=b")
    assert base64.b64decode(got["Plaintext"]) == b"\x00secret\xff"
    kms_cli("disable-key", "--key-id", key)
    bad = aws("kms", "generate-data-key", "--key-id", key, "--key-spec", "AES_256", check=False)
    assert bad.returncode and "An error occurred (DisabledException) when calling the GenerateDataKey operation: arn:aws:kms:" in bad.stdout
    kms_cli("enable-key", "--key-id", key)
    kms_cli("tag-resource", "--key-id", key, "--tags", "TagKey=c,TagValue=d")
    kms_cli("untag-resource", "--key-id", key, "--tag-keys", "a")
    assert kms_cli("list-resource-tags", "--key-id", key)["Tags"] == [{"TagKey": "c", "TagValue": "d"}]
    kms_cli("schedule-key-deletion", "--key-id", key, "--pending-window-in-days", "7")
    kms_cli("cancel-key-deletion", "--key-id", key)
    kms_cli("update-alias", "--alias-name", "alias/cli", "--target-key-id", key)
    kms_cli("delete-alias", "--alias-name", "alias/cli")


# -- keys in another Berth ---------------------------------------------------------------------------------------------------


@pytest.fixture
def outside(make_berth):
    """A Berth that serves as the external KMS."""
    return make_berth()


@pytest.fixture
def inside(make_berth, outside, scratch):
    """A Berth whose named keys live in `outside`, which remembers data keys for a second."""
    return make_inside(make_berth, outside, scratch, "--kms-cache", "1s")


def make_inside(make_berth, outside, scratch, *args):
    key_id, secret = outside.credentials
    (scratch / "kms-secret").write_text(secret + "\n")
    # In the environment, so that the program's other commands on that folder find the KMS too.
    return make_berth(*args, env={
        "BERTH_KMS_ENDPOINT": outside.url, "BERTH_KMS_REGION": outside.region, "BERTH_KMS_ACCESS_KEY": key_id, "BERTH_KMS_SECRET_FILE": str(scratch / "kms-secret"),
    })


def test_a_repository_is_encrypted_by_a_key_in_another_berth(outside, inside):
    keys = outside.client("kms")
    key = keys.create_key()["KeyMetadata"]["Arn"]
    keys.create_alias(AliasName="alias/layers", TargetKeyId=key)
    [a, b] = inside.create("aa", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/layers"}) + inside.create(
        "bb", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key},
    )
    assert a["encryptionConfiguration"]["kmsKey"] == b["encryptionConfiguration"]["kmsKey"] == key
    oci = inside.oci()
    data = b"layer in the clear " * 1000
    digest = oci.push_blob("aa", data)
    assert oci.http.get(f"/v2/aa/blobs/{digest}").body == data
    assert oci.http.post(f"/v2/bb/blobs/uploads/?mount={digest}&from=aa").status == 201  # one key, one pool

    keys.disable_key(KeyId=key)
    time.sleep(1.5)
    answer = oci.http.get(f"/v2/aa/blobs/{digest}")
    assert answer.status == 403 and answer.codes() == ["DENIED"] and "is disabled" in answer.body.decode()
    assert refused("KmsException", inside.client("ecr").initiate_layer_upload, repositoryName="aa")
    inside.create("plain")
    plain = oci.push_blob("plain", data)
    assert oci.http.get(f"/v2/plain/blobs/{plain}").body == data
    keys.enable_key(KeyId=key)
    assert oci.http.get(f"/v2/aa/blobs/{digest}").body == data


def test_what_another_berth_does_not_know_is_a_kms_exception(outside, inside):
    ecr = inside.client("ecr")
    with pytest.raises(ecr.exceptions.KmsException) as e:
        ecr.create_repository(repositoryName="xx", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/none"})
    assert e.value.response["kmsError"] == "NotFoundException"


@pytest.mark.log_errors("KMS_UNAVAILABLE")
def test_while_another_berth_is_down_only_its_pools_wait(outside, inside):
    key = outside.client("kms").create_key()["KeyMetadata"]["Arn"]
    inside.create("aa", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})
    oci = inside.oci()
    digest = oci.push_blob("aa", b"x" * 1000)
    outside.stop()
    time.sleep(1.5)
    assert oci.http.get(f"/v2/aa/blobs/{digest}").status == 503
    began = time.monotonic()
    inside.create("plain")
    plain = oci.push_blob("plain", b"y" * 1000)
    assert oci.http.get(f"/v2/plain/blobs/{plain}").status == 200 and time.monotonic() - began < 2
    outside.start()
    time.sleep(1.5)
    assert oci.http.get(f"/v2/aa/blobs/{digest}").body == b"x" * 1000


def calls(outside):
    """{operation: how often} of what was asked of the KMS so far."""
    outside.client("kms").list_keys()
    counts = {}
    for e in outside.access_log(lambda e: e.get("operation") == "ListKeys"):  # the log is written behind the answers, in their order
        counts[e.get("operation")] = counts.get(e.get("operation"), 0) + 1
    return counts


def test_data_keys_of_an_external_kms_are_asked_for_by_pools_and_not_by_layers(make_berth, outside, scratch):
    inside = make_inside(make_berth, outside, scratch, "--kms-cache", "4s")
    key = outside.client("kms").create_key()["KeyMetadata"]["Arn"]
    for kind in ("KMS", "KMS_DSSE"):
        inside.create(kind.lower().replace("_", "-"), encryptionConfiguration={"encryptionType": kind, "kmsKey": key})
    oci, pushed = inside.oci(), {}
    began = time.monotonic()
    for i in range(10):
        for repo in ("kms", "kms-dsse"):
            data = b"%d of %s" % (i, repo.encode()) * 9999
            pushed[repo, oci.push_blob(repo, data)] = data
    for (repo, digest), data in pushed.items():
        assert oci.get_blob(repo, digest) == data
    told = calls(outside)
    assert told["GenerateDataKey"] == 2 and told.get("Decrypt", 0) <= 2 * (1 + (time.monotonic() - began) // 4), told

    # What is remembered serves while the KMS is away, and no longer than was said.
    inside.restart()
    oci = inside.oci()
    [(repo, digest), *_] = pushed
    assert oci.get_blob(repo, digest) == pushed[repo, digest]
    outside.kill()
    assert oci.get_blob(repo, digest) == pushed[repo, digest]
    time.sleep(4.2)
    inside.expected_errors.append("KMS_UNAVAILABLE")
    answer = oci.http.get(f"/v2/{repo}/blobs/{digest}")
    assert answer.status == 503 and "The external KMS does not answer" in answer.body.decode(), answer
    ecr = inside.client("ecr")
    for call, more in (
        (ecr.initiate_layer_upload, {"repositoryName": "kms"}),
        (ecr.create_repository, {"repositoryName": "new", "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": key}}),
    ):
        with pytest.raises(ecr.exceptions.KmsException) as e:
            call(**more)
        assert e.value.response["kmsError"] and "does not answer" in str(e.value)
    assert [r["repositoryName"] for r in ecr.describe_repositories()["repositories"]] == ["kms", "kms-dsse"]
    checked = inside.berth("check", "--deep", check=False)
    assert checked.stdout.count("locked: pool ") == 2 and checked.stdout.count(" so 10 layers and 0 manifests were not read: ") == 2, checked.stdout
    assert checked.returncode == 0 and "nothing is wrong, but 2 pools are locked" in checked.stdout, checked.stdout
    outside.start()
    time.sleep(1.1)
    for (repo, digest), data in pushed.items():
        assert oci.get_blob(repo, digest) == data


@pytest.mark.log_errors("KMS_UNAVAILABLE")
def test_a_kms_that_refuses_the_registry_says_so_without_its_secrets(make_berth, outside, scratch):
    (scratch / "wrong").write_text("not-the-secret\n")
    inside = make_berth(env={
        "BERTH_KMS_ENDPOINT": outside.url, "BERTH_KMS_REGION": outside.region, "BERTH_KMS_ACCESS_KEY": outside.credentials[0], "BERTH_KMS_SECRET_FILE": str(scratch / "wrong"),
    })
    message = refused("KmsException", inside.client("ecr").create_repository, repositoryName="aa", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/x"})
    assert "The external KMS refuses the registry's request" in message
    assert inside.client("ecr").describe_repositories()["repositories"] == []
    end = time.monotonic() + 3
    while "InvalidSignatureException" not in inside.log_text():  # written behind the answer
        assert time.monotonic() < end, inside.log_tail()
        time.sleep(0.02)
    assert "not-the-secret" not in inside.log_text()
    inside.create("plain")  # alias/aws/ecr and AES256 need no other KMS
    inside.create("managed", encryptionConfiguration={"encryptionType": "KMS"})
    assert inside.oci().push_image("managed", "1", [b"layer"])


def test_rotation_in_the_external_kms_needs_nothing_of_the_registry(outside, inside):
    keys = outside.client("kms")
    key = keys.create_key()["KeyMetadata"]["Arn"]
    inside.create("aa", encryptionConfiguration={"encryptionType": "KMS_DSSE", "kmsKey": key})
    digest = inside.oci().push_blob("aa", b"x" * 100000)
    for _ in range(3):
        keys.rotate_key_on_demand(KeyId=key)
    inside.restart()
    assert inside.oci().get_blob("aa", digest) == b"x" * 100000
