"""The sharing API: ECR's way of calling with Berth's own target prefix, for which no SDK has a model."""

import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials

PREFIX = "Berth_20261124."
TYPE = "application/x-amz-json-1.1"


class SharingFault(Exception):
    def __init__(self, response):
        body = response.json()
        self.status, self.code, self.message = response.status, body["__type"], body["message"]
        super().__init__(f"{self.status} {self.code}: {self.message}")


class Sharing:
    """berth's operations as methods: Sharing(berth).GetSharingSummary() -> dict. keys: (id, secret[, session token])."""

    def __init__(self, berth, keys=None, region=None):
        self.berth, self.region = berth, region or berth.region
        self.credentials = botocore.credentials.Credentials(*(keys or berth.credentials))
        self.http = berth.http(auth=False)

    def call(self, operation, **members):
        data = json.dumps(members).encode()
        headers = {"Content-Type": TYPE, "X-Amz-Target": PREFIX + operation, "Host": self.berth.host}
        request = botocore.awsrequest.AWSRequest("POST", self.berth.url + "/", data=data, headers=headers)
        botocore.auth.SigV4Auth(self.credentials, "ecr", self.region).add_auth(request)
        response = self.http.post("/", data, headers=dict(request.headers.items()))
        if response.status != 200:
            raise SharingFault(response)
        assert response["Content-Type"] == TYPE
        return response.json()

    def __getattr__(self, operation):
        return lambda **members: self.call(operation, **members)

    def pages(self, operation, member, **members):
        """All pages, one after another; each page as a list."""
        while True:
            page = self.call(operation, **members)
            yield page[member]
            if "nextToken" not in page:
                return
            members["nextToken"] = page["nextToken"]

    def all(self, operation, member, **members):
        return [item for page in self.pages(operation, member, **members) for item in page]
