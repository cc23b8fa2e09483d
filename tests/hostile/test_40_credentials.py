"""Forged, altered, old and foreign credentials; the signer is harness/hostile.py, which shares nothing with Berth or an SDK."""

import base64
import hashlib
import hmac
import time

import pytest

from harness.hostile import Client, attack, basic, sign

BODY = b'{"maxResults": 5}'


@pytest.fixture
def call(berth):
    """(status, error) of a signed call."""
    http = berth.http(auth=False)

    def call(body=BODY, send=None, **kw):
        r = http.post("/", body if send is None else send, headers=sign(berth, body, **kw))
        return r.status, r["x-amzn-ErrorType"] or ""

    return call


def test_the_signer_is_right(call):
    assert call() == (200, "")


def flipped(text, at):
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]


def test_a_signature_holds_for_what_was_signed_only(berth, call):
    key, secret = berth.credentials
    with attack(berth):
        def told(change):
            def tell(parts):
                change(parts)
            return tell

        forged = {
            "another body": {"send": b'{"maxResults": 6}'}, "a longer body": {"send": BODY + b" "}, "no body": {"send": b""},
            "another secret": {"secret": secret[:-1] + ("a" if secret[-1] != "a" else "b")}, "an empty secret": {"secret": "\0"},
            "an unknown key": {"key": key[:-1] + ("A" if key[-1] != "A" else "B")}, "a key that is a pattern": {"key": "%"},
            "another operation": {"tell": told(lambda p: p["headers"].update({"x-amz-target": "AmazonEC2ContainerRegistry_V20150921.DescribeRegistry"}))},
            "another date": {"tell": told(lambda p: p["headers"].update({"x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 60))}))},
            "another Region": {"tell": told(lambda p: p.update(scope=p["scope"].replace(berth.region, "eu-west-9")))},
            "another service": {"service": "sts"}, "another day": {"tell": told(lambda p: p.update(scope="20200101" + p["scope"][8:]))},
            "the operation unsigned": {"tell": told(lambda p: p.update(names=p["names"].replace(";x-amz-target", "")))},
            "the host unsigned": {"tell": told(lambda p: p.update(names=p["names"].replace("host;", "")))},
            "a signed header that is not there": {"tell": told(lambda p: p.update(names=p["names"] + ";x-b"))},
            "an empty signature": {"tell": told(lambda p: p.update(signature=""))}, "zeroes": {"tell": told(lambda p: p.update(signature="0" * 64))},
            "a short signature": {"tell": told(lambda p: p.update(signature=p["signature"][:-2]))},
            "a long signature": {"tell": told(lambda p: p.update(signature=p["signature"] + "00"))},
            "upper case": {"tell": told(lambda p: p.update(signature=p["signature"].upper() + "Z"))},
            **{f"digit {i}": {"tell": told(lambda p, i=i: p.update(signature=flipped(p["signature"], i)))} for i in range(0, 64, 7)},
        }
        for what, how in forged.items():
            status, error = call(**how)
            assert status in (400, 403) and error, f"{what}: {status} {error}"
        assert call() == (200, "")


def test_a_call_is_good_for_five_minutes(berth, call):
    """Replay: a recorded call is worth nothing once it is five minutes old, nor one made in advance."""
    with attack(berth):
        assert call(at=-280)[0] == 200 and call(at=280)[0] == 200
        for at in (-310, 310, -3600, 86400, -86400 * 365):
            status, error = call(at=at)
            assert status in (400, 403) and "InvalidSignature" in error, f"{at} s: {status} {error}"


def test_a_token_is_good_as_it_was_made_only(berth, make_berth):
    token = berth.token
    with attack(berth):
        def status(value):
            c = Client(berth)
            c.ask("GET", "/v2/", f"Authorization: {value}", "Connection: close")
            try:
                return c.status()
            finally:
                c.close()

        assert status(basic(token)) == 200
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_") if not token.startswith("ey") else token.encode()
        for i in range(0, len(token), 3):
            other = "A" if token[i] != "A" else "B"
            assert status(basic(token[:i] + other + token[i + 1:])) in (400, 401), f"character {i} of {len(raw)}"
        for bad in ("", token[:-1], token[1:], token + "A", token * 2, token.swapcase(), "null", "A" * 20000, token.replace(token[:10], "A" * 10)):
            assert status(basic(bad)) in (400, 401), bad[:50]
        for scheme in ("Bearer " + token, "Basic " + token, "basic", "Basic", "Basic =", "Digest username=AWS", "AWS4-HMAC-SHA256 Credential=x", "Basic " + "QVdT" * 4000):
            assert status(scheme) in (400, 401), scheme[:50]
        assert status("Basic " + base64.b64encode(f"aws:{token}".encode()).decode()) == 401
        other = make_berth("--account", "123456789012")
        assert status(basic(other.token)) == 401, "the token of another server"


def test_keys_that_are_gone_are_gone(berth, call):
    iam = berth.client("iam")
    iam.create_user(UserName="mallory")
    iam.attach_user_policy(UserName="mallory", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess")
    made = iam.create_access_key(UserName="mallory")["AccessKey"]
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    with attack(berth):
        assert call(key=key, secret=secret)[0] == 200
        iam.update_access_key(UserName="mallory", AccessKeyId=key, Status="Inactive")
        assert call(key=key, secret=secret)[0] in (400, 403)
        iam.update_access_key(UserName="mallory", AccessKeyId=key, Status="Active")
        assert call(key=key, secret=secret)[0] == 200
        iam.delete_access_key(UserName="mallory", AccessKeyId=key)
        assert call(key=key, secret=secret)[0] in (400, 403)


def test_guesses_by_the_thousand_hold_nothing_up(berth, call):
    with attack(berth, memory=16 << 20):
        for i in range(300):
            status, _ = call(key=f"AKIA{i:016d}", secret=hashlib.sha256(b"%d" % i).hexdigest())
            assert status in (400, 403)
        for i in range(300):
            c = Client(berth)
            forged = hmac.new(b"guess", b"%d" % i, hashlib.sha256).hexdigest() * 3
            c.ask("GET", "/v2/", f"Authorization: {basic(forged)}", "Connection: close")
            assert c.status() == 401
            c.close()
