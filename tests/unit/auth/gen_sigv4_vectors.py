#!/usr/bin/env python3
"""Writes sigv4_vectors.h: requests signed by botocore, the signer that the AWS CLI and boto3 use.

    pip install botocore && ./gen_sigv4_vectors.py > sigv4_vectors.h
"""

import datetime
import unittest.mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.timezone.utc)
HOST = "example.amazonaws.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
STS = "Action=GetCallerIdentity&Version=2011-06-15"


def c_string(data):
    """A C literal; octal escapes cannot swallow what follows them."""
    if isinstance(data, str):
        data = data.encode()
    out = "".join(
        chr(b) if 32 <= b < 127 and b not in b'"\\?' else "\\%03o" % b for b in data
    )
    return '"' + out + '"'


def emit(name, request, service, region, form):
    head, _, query = request.url.partition(HOST)[2].partition("?")
    headers = [("Host", HOST)] + [(k, v) for k, v in request.headers.items() if k.lower() != "host"]
    text = "".join("%s: %s\n" % h for h in headers)
    body = request.body or b""
    fields = [name, service, region, request.method, head or "/", query, text, body]
    print("\t{ " + ",\n\t\t".join(c_string(f) for f in fields) + ", %d, " % len(body) + form + " },")


def header(name, method="GET", path="/", headers=None, body=b"", service="ecr", region="us-east-1"):
    request = AWSRequest(method, "https://" + HOST + path, dict(headers or {}), body)
    botocore.auth.SigV4Auth(KEY, service, region).add_auth(request)
    emit("header: " + name, request, service, region, "false")


def presigned(name, method="GET", path="/", headers=None, body=b"", expires=60, service="sts",
              signer=botocore.auth.SigV4QueryAuth):
    request = AWSRequest(method, "https://" + HOST + path, dict(headers or {}))
    signer(KEY, service, "us-east-1", expires).add_auth(request)
    request.data = body
    emit("presigned: " + name, request, service, "us-east-1", "true")


def main():
    print("/* Written by gen_sigv4_vectors.py with botocore; do not edit. */")
    print("/* clang-format off */")
    header("nothing but a host")
    header(
        "an ECR call",
        "POST",
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
        },
        body=b'{"maxResults":10}',
    )
    header("an STS call", "POST", headers=FORM, body=STS.encode(), service="sts")
    header("an STS call by query", path="/?" + STS, service="sts")
    header("another Region", region="ap-southeast-7")
    header("binary body", "POST", body=bytes(range(256)))
    header("query sorted by name, then value", path="/?b=2&a=2&a=1&B=0")
    header("query names that share a head", path="/?ab=1&a=2&a-b=3")
    header("query escapes", path="/?a=%20%2F%3D&%C3%A9=%E1%88%B4&t=~x")
    header("query without value", path="/?a=&b=1")
    header("path with a space", path="/example%20space/")
    header("path with UTF-8", path="/%E1%88%B4")
    header("path with dots", path="/a/./b/../c")
    header("path that climbs out", path="/../../a")
    header("path with slashes", path="//a//b//")
    header("path ending in a parent", path="/a/b/../")
    header("path with reserved characters", path="/a:b@c,d;e+f=g/(h)'*!$")
    header("value with spaces", headers={"My-Header": "  a   b  c "})
    header("value in quotes", headers={"My-Header": '"a   b"'})
    header("empty value", headers={"My-Header": ""})
    header("header names in any case", headers={"mY-hEADER-b": "2", "MY-HEADER-A": "1"})
    header("payload hash given", "POST", body=b"x", headers={
        "X-Amz-Content-SHA256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"})
    presigned("a caller's identity", path="/?" + STS)
    presigned("an extra header", path="/?" + STS, headers={"X-K8s-Aws-Id": "cluster"})
    presigned("escapes", path="/?a=%20%2F&b=%C3%A9")
    presigned("a week", expires=604800, path="/?" + STS)
    presigned("any body", body=b"payload", signer=botocore.auth.S3SigV4QueryAuth,
              headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})


with unittest.mock.patch.object(botocore.auth, "get_current_datetime", lambda *a, **k: NOW):
    main()
