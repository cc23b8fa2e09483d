"""Every constraint of every operation that AWS's models state (by botocore's, not by the server's own tables): the value just inside
is not refused for it, the value just outside is, in the service's words."""

import json
import urllib.parse
import xml.etree.ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from harness import model

TARGETS = {"ecr": ("AmazonEC2ContainerRegistry_V20150921.", "x-amz-json-1.1"), "kms": ("TrentService.", "x-amz-json-1.1")}
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
REFUSAL = {"ecr": "InvalidParameterException", "kms": "ValidationException", "iam": "ValidationError", "sts": "ValidationError"}
# What is answered for an operation that is not there.
UNKNOWN = {"UnknownOperationException", "UnsupportedOperationException", "InvalidAction"}
# What Berth says is not available, and refuses with that rather than with a constraint (docs/user-guide.md).
NOT_HERE = {
    "kms": {"Policy", "XksKeyId", "Recipient.KeyEncryptionAlgorithm", "Recipient.AttestationDocument", "DryRunModifiers.1.member"},
    "iam": {"Status"},  # that a key is Expired is for AWS to say
}
# What an operation bounds more tightly than the model's type says, by its documentation.
TIGHTER = {("ListAliases", "Limit"): (1, 100), ("ListResourceTags", "Limit"): (1, 50), ("ScheduleKeyDeletion", "PendingWindowInDays"): (7, 30)}
# Members that the newest models leave out under conditions and that these operations need all the same.
ALWAYS = {("kms", "Decrypt"): {"CiphertextBlob": "eA=="}, ("kms", "ReEncrypt"): {"CiphertextBlob": "eA=="}}


class Api:
    """send(service, operation, input) answers (code, message) of the error; ("", "") when there is none."""

    def __init__(self, berth):
        self.berth, self.http, self.region = berth, berth.http(auth=False), berth.region
        self.credentials = botocore.credentials.Credentials(*berth.credentials)

    def send(self, service, operation, value):
        if service in TARGETS:
            target, kind = TARGETS[service]
            data = json.dumps(value).encode()
            headers = {"Content-Type": f"application/{kind}", "X-Amz-Target": target + operation}
        else:
            data = urllib.parse.urlencode([("Action", operation), ("Version", VERSIONS[service]), *model.form(value)]).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = botocore.awsrequest.AWSRequest("POST", self.berth.url + "/", data=data, headers={**headers, "Host": self.berth.host})
        botocore.auth.SigV4Auth(self.credentials, service, self.region).add_auth(request)
        answer = self.http.post("/", data, headers=dict(request.headers.items()))
        assert answer.status < 500, (operation, str(value)[:200], answer)
        if answer.status == 200:
            return "", ""
        if service in TARGETS:
            body = answer.json()
            return body["__type"], body["message"]
        error = xml.etree.ElementTree.fromstring(answer.body).find("{*}Error")
        return error.findtext("{*}Code"), error.findtext("{*}Message")


@pytest.mark.parametrize("service, operations, fewest", [("ecr", 45, 300), ("kms", 27, 160), ("iam", 87, 550), ("sts", 3, 60)])
def test_just_inside_and_just_outside_of_every_constraint(berth, service, operations, fewest):
    api = Api(berth)
    seen, counts, wrong = 0, {True: 0, False: 0}, []
    for operation in model.operations(service):
        if api.send(service, operation, {})[0] in UNKNOWN:
            continue
        seen += 1
        for case in model.cases(service, operation):
            if case.member in NOT_HERE.get(service, ()) or (case.operation, case.member) in TIGHTER:
                continue
            code, message = api.send(service, operation, {**ALWAYS.get((service, operation), {}), **case.input})
            is_refused = code == REFUSAL[service] and model.names(case, message)
            counts[case.inside] += 1
            if is_refused == case.inside:
                wrong.append(f"{case}: {code} {message[:200]}")
    assert not wrong, "\n".join(wrong)
    assert seen >= operations and min(counts.values()) >= fewest, (seen, counts)


def test_bounds_that_operations_have_of_their_own(berth):
    api = Api(berth)
    for (operation, member), (low, high) in TIGHTER.items():
        for value in (low - 1, low, high, high + 1):
            code, message = api.send("kms", operation, {"KeyId": "no-such", member: value})
            is_refused = code == "ValidationException" and "than or equal to" in message
            assert is_refused != (low <= value <= high), (operation, value, code, message)
