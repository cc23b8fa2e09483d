"""Inputs at the edges of what a service's model allows: for every constraint of every operation one just inside and one just outside.

The model is botocore's, which AWS publishes: another source than the tables that the server checks by. Each case says which member and
which constraint it is about; whether a refusal names that constraint is for `names` to see.
"""

import base64
import dataclasses
import re

import botocore.session

UUID = "01234567-89ab-cdef-0123-456789abcdef"
# One of these has to fit a pattern; those that grow do so up to any length.
EXACT = [
    "123456789012", UUID, "sha256:" + "0" * 64, "v1", "/", "us-east-1", "arn:aws:iam::123456789012:role/ci", "app", "ROOT", "0" * 40,
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/x", f"arn:aws:kms:us-east-1:123456789012:key/{UUID}",
    "https://a.example", "alias/app",
]
GROWING = [lambda n: "a" * n, lambda n: "0" * n, lambda n: "/" + "a" * (n - 2) + "/", lambda n: "v1." + "0" * (n - 3),
           lambda n: "arn:aws:iam::123456789012:role/" + "a" * (n - 31), lambda n: ("arn:aws:iam::123456789012:role/" + "abcdefg/" * n)[:n - 1] + "x",
           lambda n: "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/" + "a" * (n - 72),
           lambda n: "arn:aws:kms:us-east-1:123456789012:key/" + "a" * (n - 39)]
OUTSIDE = ["!", "é", "a b", " ", "A*", "-", "\x7f", "€", "ä!", "~", "*", "\x00"]


@dataclasses.dataclass
class Case:
    operation: str
    member: str  # the path: "tags.1.member.Key"
    kind: str  # required, min, max, pattern, enum, type
    inside: bool
    limit: object  # the number, the pattern, the enumeration
    shape: str
    input: dict

    def __str__(self):
        side = "inside" if self.inside else "outside"
        return f"{self.operation} {self.member} {side} {self.kind} {str(self.limit)[:60]}"


class Unknown(Exception):
    """No text is known for a pattern at a length."""


def _regex(pattern):
    """As Python has it: classes by \\w and \\s, code points as characters."""
    pattern = pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    code = re.compile(r"\\u(10[0-9A-F]{4}(?=[-\]])|1[0-9A-F]{4}(?=[-\]])|[0-9A-F]{4})")
    return re.compile(code.sub(lambda m: re.escape(chr(int(m[1], 16))), pattern))


def _matches(shape, text):
    pattern = shape.metadata.get("pattern")
    return pattern is None or _regex(pattern).fullmatch(text) is not None


def _text(shape, length=None):
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 40)
    if shape.enum:
        return shape.enum[0]
    made = [t for t in EXACT if low <= len(t) <= high] if length is None else []
    made += [grow(n) for n in ([length] if length is not None else [max(low, 1), 3, 40]) if low <= n <= high or length is not None for grow in GROWING]
    for text in made:
        if _matches(shape, text) and (length is None or len(text) == length):
            return text
    raise Unknown(f"{shape.name} of length {length}")


def _good(shape):
    """The smallest value that the shape allows."""
    kind = shape.type_name
    if kind == "structure":
        return {n: _good(shape.members[n]) for n in shape.required_members}
    if kind == "list":
        element = _good(shape.member)
        if element == {}:  # a form cannot say that something empty is there
            name, member = next(iter(shape.member.members.items()))
            element = {name: _good(member)}
        return [element] * max(shape.metadata.get("min", 0), 1)
    if kind == "map":
        return {_good(shape.key): _good(shape.value)}
    if kind == "string":
        return _text(shape)
    if kind in ("integer", "long"):
        return max(shape.metadata.get("min", 0), 0)
    if kind == "blob":
        return base64.b64encode(b"x" * max(shape.metadata.get("min", 0), 1)).decode()
    return {"boolean": False, "timestamp": 1700000000, "float": 1.5, "double": 1.5}[kind]


def _edges(shape):
    """(kind, inside, limit, value) for the constraints of a value; values of elements and members are for the caller."""
    kind, meta = shape.type_name, shape.metadata
    for name in ("min", "max"):
        if name not in meta:
            continue
        limit = meta[name]
        for inside in (True, False):
            size = limit if inside else limit - 1 if name == "min" else limit + 1
            if kind in ("integer", "long"):
                yield name, inside, limit, size
                continue
            if size < 0:
                continue
            if kind == "string":
                try:
                    value = _text(shape, size)
                except Unknown:
                    if inside:
                        continue  # the pattern has no text of that length, or none that is known here
                    value = "a" * size
            elif kind == "list":
                value = _good(shape)[:1] * size
            elif kind == "blob":
                value = base64.b64encode(b"x" * size).decode()
            else:
                continue
            yield name, inside, limit, value
    if shape.type_name == "string" and shape.enum:
        for value in shape.enum:
            yield "enum", True, shape.enum, value
        yield "enum", False, shape.enum, "NO_SUCH_VALUE"
    elif "pattern" in meta:
        yield "pattern", True, meta["pattern"], _text(shape)
        low, high = max(meta.get("min", 1), 1), meta.get("max", 1 << 40)
        for text in OUTSIDE:
            text = (text * low)[:max(low, len(text))]
            if low <= len(text) <= high and not _matches(shape, text):
                yield "pattern", False, meta["pattern"], text
                break


def _walk(shape, path, put, seen):
    """All cases below a structure. put(value) gives the whole input with the value at this place."""
    for name, member in shape.members.items():
        at = f"{path}.{name}" if path else name

        def put_member(value, name=name):
            base = _good(shape)
            if value is None:
                base.pop(name, None)
            else:
                base[name] = value
            return put(base)

        if name in shape.required_members:
            yield at, "required", False, None, member.name, put_member(None)
        yield from _value(member, at, put_member, seen)


def _value(shape, path, put, seen):
    if shape.name in seen:  # a shape that holds itself
        return
    for kind, inside, limit, value in _edges(shape):
        yield path, kind, inside, limit, shape.name, put(value)
    if shape.type_name == "structure":
        yield from _walk(shape, path, put, seen | {shape.name})
    elif shape.type_name == "list":
        yield from _value(shape.member, f"{path}.1.member", lambda v: put([v] * max(shape.metadata.get("min", 0), 1)), seen | {shape.name})


def operations(service):
    return list(_model(service).operation_names)


def _model(service):
    return botocore.session.get_session().get_service_model(service)


def cases(service, operation):
    shape = _model(service).operation_model(operation).input_shape
    if shape is None:
        return
    for member, kind, inside, limit, name, value in _walk(shape, "", lambda v: v, frozenset()):
        yield Case(operation, member, kind, inside, limit, name, value)


def form(value, prefix=""):
    """An input as AWS's query protocol writes it: [(name, text)]."""
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in form(v, f"{prefix}.{k}" if prefix else k)]
    if isinstance(value, list):
        return [x for i, v in enumerate(value) for x in form(v, f"{prefix}.member.{i + 1}")] or [(prefix, "")]
    return [(prefix, {True: "true", False: "false"}.get(value) if isinstance(value, bool) else str(value))]


def names(case, message):
    """Whether a refusal names the member and the constraint."""
    lower = ".".join(x[:1].lower() + x[1:] for x in case.member.split("."))
    if f"'{case.member}'" not in message and f"'{lower}'" not in message:
        return False
    return {
        "required": "Member must not be null", "enum": "Member must satisfy enum value set", "pattern": "regular expression",
        "min": "greater than or equal to", "max": "less than or equal to",
    }[case.kind] in message
