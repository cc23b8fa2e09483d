"""A second evaluator of IAM policies, written from the documented rules to be obviously right: regular expressions, sets and
lists, no compiled form, nothing clever.
"""

import base64
import datetime
import decimal
import ipaddress
import re

ACCOUNT = re.compile(r"\d{12}")


class Null(Exception):
    """A policy variable has no value."""


def as_list(x):
    return x if isinstance(x, list) else [x]


def context_values(request, key):
    for name, values in request["context"].items():
        if name.lower() == key.lower():
            return values
    return []


# ---------------------------------------------------------------- text with wildcards and variables

VARIABLE = re.compile(r"\$\{([^},]+)(?:, *'([^']*)' *)?\}", re.S)


def tokens(text, request, variables):
    """[(character, whether it is syntax)]"""
    out = []
    at = 0
    while at < len(text):
        found = VARIABLE.match(text, at) if variables else None
        if not found:
            out.append((text[at], True))
            at += 1
            continue
        name, otherwise = found.group(1), found.group(2)
        if name in ("*", "?", "$") and otherwise is None:
            value = name
        else:
            values = context_values(request, name)
            value = values[0] if len(values) == 1 and values[0] != "" else otherwise
            if value is None:
                raise Null
        out += [(c, False) for c in value]
        at = found.end()
    return out


def plain(toks):
    return "".join(c for c, _ in toks)


def regex(toks):
    parts = []
    for c, is_syntax in toks:
        parts.append(".*" if is_syntax and c == "*" else "." if is_syntax and c == "?" else re.escape(c))
    return re.compile("".join(parts), re.S)


def like(toks, text):
    return regex(toks).fullmatch(text) is not None


def like_arn(toks, text):
    if toks == [("*", True)]:
        return True
    fields = [[]]
    for token in toks:
        if token[0] == ":" and len(fields) < 6:
            fields.append([])
        else:
            fields[-1].append(token)
    parts = text.split(":", 5)
    return len(fields) == 6 and len(parts) == 6 and all(like(f, p) for f, p in zip(fields, parts))


# ---------------------------------------------------------------- statements


def action_matches(pattern, action):
    return like([(c, True) for c in pattern.lower()], action.lower())


def resource_matches(pattern, request, variables):
    missing = 5 - (VARIABLE.sub("", pattern) if variables else pattern).count(":")
    if pattern != "*" and missing > 0:
        pattern += ":*" * missing
    try:
        return like(tokens(pattern, request, variables), request["resource"])
    except Null:
        return False


NONE, ACCOUNT_WIDE, ISSUER, DIRECT = range(4)


def members(principal, kind):
    return as_list(principal.get(kind, []))


def principal_level(statement, request, has_boundary):
    kind, arn, issuer, account = request["kind"], request["arn"], request["issuer"], request["account"]
    if "Principal" in statement:
        p = statement["Principal"]
        everyone = p == "*" or "*" in members(p, "AWS")
        if everyone and (kind != "web-identity" or statement["Effect"] == "Deny"):
            return DIRECT
        if p == "*":
            return NONE
        aws = members(p, "AWS")
        if kind == "service":
            return DIRECT if arn in members(p, "Service") else NONE
        if kind == "web-identity":
            return DIRECT if arn in members(p, "Federated") else NONE
        if kind == "anonymous":
            return NONE
        whole = account in aws or f"arn:aws:iam::{account}:root" in aws
        if kind == "root":
            return DIRECT if whole else NONE
        if arn in aws:
            return DIRECT
        if kind in ("role-session", "federated-user") and issuer in aws:
            return ISSUER
        return ACCOUNT_WIDE if whole else NONE
    if "NotPrincipal" in statement:
        p = statement["NotPrincipal"]
        if has_boundary:
            return DIRECT
        if p == "*" or "*" in members(p, "AWS"):
            return NONE
        aws = members(p, "AWS")
        whole = account != "" and (account in aws or f"arn:aws:iam::{account}:root" in aws)
        if kind == "service":
            spared = arn in members(p, "Service")
        elif kind == "web-identity":
            spared = arn in members(p, "Federated")
        elif kind == "anonymous":
            spared = False
        elif kind == "root":
            spared = whole
        elif kind == "role-session":
            spared = whole and issuer in aws and arn in aws
        else:
            spared = whole and arn in aws
        return NONE if spared else DIRECT
    return DIRECT


# ---------------------------------------------------------------- conditions


def number(text):
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.A):
        return None
    return decimal.Decimal(text)


def date(text):
    if re.fullmatch(r"\d+", text, re.A):
        return datetime.datetime.fromtimestamp(int(text), datetime.timezone.utc)
    m = re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:\d\d)?)?)?", text, re.A)
    if not m:
        return None
    zone = m.group(8) or "Z"
    offset = datetime.timedelta()
    if zone not in "Zz":
        offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        if int(zone[1:3]) > 23 or int(zone[4:]) > 59:
            return None
        offset = -offset if zone[0] == "-" else offset
    try:
        moment = datetime.datetime(
            int(m.group(1)), int(m.group(2)), int(m.group(3) or 1), int(m.group(4) or 0), int(m.group(5) or 0), int(m.group(6) or 0),
            int((m.group(7) or "0").ljust(3, "0")[:3]) * 1000, datetime.timezone.utc)
    except ValueError:
        return None
    return moment - offset


def boolean(text):
    return {"true": True, "false": False}.get(text.lower())


def network(text):
    try:
        net = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if net.version == 6 and net.network_address.ipv4_mapped and net.prefixlen >= 96:
        return ipaddress.ip_network((net.network_address.ipv4_mapped, net.prefixlen - 96))
    return net


def compare(convert, relation):
    def test(value, wanted, request, variables):
        a, b = convert(value), convert(wanted)
        return a is not None and b is not None and relation(a, b)
    return test


def text_test(matches):
    def test(value, wanted, request, variables):
        try:
            return matches(tokens(wanted, request, variables), value)
        except Null:
            return False
    return test


def inside(a, b):
    return a.version == b.version and a.subnet_of(b)


def same_bytes(value, wanted, request, variables):
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(wanted, validate=True)
    except ValueError:
        return False


def ascii_lower(s):
    return "".join(c.lower() if c.isascii() else c for c in s)


TESTS = {
    "StringEquals": text_test(lambda t, v: plain(t) == v),
    "StringEqualsIgnoreCase": text_test(lambda t, v: ascii_lower(plain(t)) == ascii_lower(v)),
    "StringLike": text_test(like),
    "ArnEquals": text_test(like_arn),
    "ArnLike": text_test(like_arn),
    "Bool": compare(boolean, lambda a, b: a == b),
    "IpAddress": compare(network, inside),
    "BinaryEquals": same_bytes,
}
for prefix, convert in (("Numeric", number), ("Date", date)):
    TESTS[prefix + "Equals"] = compare(convert, lambda a, b: a == b)
    TESTS[prefix + "LessThan"] = compare(convert, lambda a, b: a < b)
    TESTS[prefix + "LessThanEquals"] = compare(convert, lambda a, b: a <= b)
    TESTS[prefix + "GreaterThan"] = compare(convert, lambda a, b: a > b)
    TESTS[prefix + "GreaterThanEquals"] = compare(convert, lambda a, b: a >= b)
NEGATED = {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase", "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals", "NotIpAddress": "IpAddress", "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
OPERATORS = [*TESTS, *NEGATED]


def scalar(x):
    return str(x).lower() if isinstance(x, bool) else str(x)


def condition_true(operator, key, wanted, request, variables):
    values = context_values(request, key)
    wanted = [scalar(w) for w in as_list(wanted)]
    if operator.endswith("Null"):
        return any(boolean(w) == (not values) for w in wanted)
    over, _, name = operator.rpartition(":")
    name, if_exists = (name[:-8], True) if name.endswith("IfExists") else (name, False)
    negated = name in NEGATED
    test = TESTS[NEGATED.get(name, name)]
    found = [any(test(v, w, request, variables) for w in wanted) for v in values]
    if over:
        if all(v == "" for v in values):
            return over == "ForAllValues"
        each = [f != negated for f in found]
        return all(each) if over == "ForAllValues" else any(each)
    if not values:
        return negated or if_exists
    return not any(found) if negated else any(found)


def statement_level(statement, request, variables, has_boundary):
    for element, positive in (("Action", True), ("NotAction", False)):
        if element in statement:
            if any(action_matches(a, request["action"]) for a in as_list(statement[element])) != positive:
                return NONE
    for element, positive in (("Resource", True), ("NotResource", False)):
        if element in statement:
            if any(resource_matches(r, request, variables) for r in as_list(statement[element])) != positive:
                return NONE
    for operator, block in statement.get("Condition", {}).items():
        for key, wanted in block.items():
            if not condition_true(operator, key, wanted, request, variables):
                return NONE
    return principal_level(statement, request, has_boundary)


# ---------------------------------------------------------------- combination


def ask(documents, request, has_boundary):
    """(whether a Deny applies, the closest level of an Allow)"""
    denied, allowed = False, NONE
    for document in documents:
        variables = document.get("Version") == "2012-10-17"
        for statement in as_list(document["Statement"]):
            level = statement_level(statement, request, variables, has_boundary)
            if level and statement["Effect"] == "Deny":
                denied = True
            elif level:
                allowed = max(allowed, level)
    return denied, allowed


MENDING = {"ecr:setrepositorypolicy", "ecr:deleterepositorypolicy", "ecr:putregistrypolicy", "ecr:deleteregistrypolicy"}


def evaluate(policies, request):
    """policies: class -> documents. Gives "allow", "explicit" or "implicit"."""
    boundary = policies["boundary"]
    has_own = request["kind"] in ("root", "user", "role-session", "federated-user")
    is_root = request["kind"] == "root"
    same = request["account"] != "" and request["account"] == request["owner"]
    action = request["action"].lower()
    found = {c: ask(policies[c], request, bool(boundary)) for c in policies}
    if not has_own:
        for c in ("identity", "boundary", "session"):
            found[c] = (False, NONE)

    deniers = [c for c in found if found[c][0]]
    if is_root and same and action in MENDING:
        deniers = [c for c in deniers if c not in ("repository", "registry")]
    if deniers:
        return "explicit"

    def uncut():
        return (not boundary or found["boundary"][1]) and (not policies["session"] or found["session"][1])

    identity = is_root or (has_own and found["identity"][1] and uncut())
    if policies["trust"]:
        level = found["trust"][1]
        if not level or request["kind"] == "anonymous":
            return "implicit"
        enough = not has_own or identity or (same and (level == DIRECT or (level == ISSUER and uncut())))
        return "allow" if enough else "implicit"

    levels = [found["repository"][1], found["registry"][1]]
    if action == "ecr:getauthorizationtoken":
        levels = [NONE, NONE]
    if same:
        if is_root or identity:
            return "allow"
        for level in levels:
            if level == DIRECT or (level == ISSUER and uncut()):
                return "allow"
            if level == ACCOUNT_WIDE and not request["delegates"] and uncut():
                return "allow"
        return "implicit"
    return "allow" if any(levels) and (identity or not has_own) else "implicit"
