"""Formats: the values of `format` that a schema may name, and the texts that have each. Others are ignored.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
kube-openapi pkg/validation/strfmt
"""

import ipaddress
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from kube.api import names

_UUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_HOST_LABEL = r"[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_DURATION = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*(ns|us|µs|μs|ms|s|m|h|hr|min|sec|hour|minute|second|day|week|d|w)s?"
_DATE_TIME = r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})"


def _like(pattern: str, flags: int = re.ASCII) -> Callable[[str], bool]:
    expression = re.compile(pattern, flags)
    return lambda text: expression.fullmatch(text) is not None


def _date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is not None and _moment(text)


def _date_time(text: str) -> bool:
    if re.fullmatch(_DATE_TIME, text, re.ASCII) is None:
        return False
    return _moment(re.sub(r"\.\d+", "", text.upper()))


def _moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _address(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return check


def _cidr(text: str) -> bool:
    address, slash, length = text.partition("/")
    try:
        return bool(slash) and length.isdecimal() and ipaddress.ip_network(text, strict=False) is not None and bool(address)
    except ValueError:
        return False


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not re.search(r"[\x00-\x20\x7f]", text) and bool(parts.scheme or parts.path.startswith("/"))


def _byte(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return False
    return True


def _duration(text: str) -> bool:
    return text == "0" or re.fullmatch(f"({_DURATION})+", text, re.ASCII) is not None


def _isbn10(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if re.fullmatch(r"\d{9}[\dX]", digits) is None:
        return False
    return sum((10 - i) * (10 if one == "X" else int(one)) for i, one in enumerate(digits)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if re.fullmatch(r"\d{13}", digits) is None:
        return False
    return sum(int(one) * (1 if i % 2 == 0 else 3) for i, one in enumerate(digits)) % 10 == 0


def _credit_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [int(one) * (1 + i % 2) for i, one in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


def _any(text: str) -> bool:
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _like("[0-9a-fA-F]{24}"),
    "byte": _byte,
    "cidr": _cidr,
    "creditcard": _credit_card,
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _duration,
    "email": _like(r"[^@\s<>]+@[^@\s<>]+"),
    "hexcolor": _like("#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": lambda text: len(text) <= 255 and re.fullmatch(rf"{_HOST_LABEL}(\.{_HOST_LABEL})*\.?", text, re.ASCII) is not None,
    "ipv4": _address(4),
    "ipv6": _address(6),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": lambda text: not names.subdomain(text),
    "k8s-short-name": lambda text: not names.label(text),
    "mac": _like("([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2}[:-]?){1}|([0-9a-fA-F]{4}[.]){2}[0-9a-fA-F]{4}"),
    "password": _any,
    "rgbcolor": _like(r"rgb\(\s*(\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])\s*(,\s*(\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])\s*){2}\)"),
    "ssn": _like(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _uri,
    "uuid": _like(_UUID % ("[0-9a-f]", "[0-9a-f]"), re.ASCII | re.IGNORECASE),
    "uuid3": _like(_UUID % ("3", "[0-9a-f]"), re.ASCII | re.IGNORECASE),
    "uuid4": _like(_UUID % ("4", "[89ab]"), re.ASCII | re.IGNORECASE),
    "uuid5": _like(_UUID % ("5", "[89ab]"), re.ASCII | re.IGNORECASE),
}  # fmt: skip
