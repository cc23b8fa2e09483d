"""The shortest ways to IAM's documents and credentials."""

import json


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny(actions, resource="*", **more):
    return {**allow(actions, resource, **more), "Effect": "Deny"}


def trust(principal, action="sts:AssumeRole", **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def keys(credentials):
    """What boto3 clients take, of an access key or of STS's Credentials."""
    got = {"aws_access_key_id": credentials["AccessKeyId"], "aws_secret_access_key": credentials["SecretAccessKey"]}
    if "SessionToken" in credentials:
        got["aws_session_token"] = credentials["SessionToken"]
    return got


def make_user(berth, name="bob", *statements):
    """A user with these permissions; its keys for boto3."""
    iam = berth.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    return keys(iam.create_access_key(UserName=name)["AccessKey"])
