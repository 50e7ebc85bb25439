"""Quantity: amounts with suffixes, as resources are written ("100m", "1.5Gi", "2e3").

Values are exact decimals. The canonical form keeps the family of suffix that was used (binary, decimal, exponent), has no
fraction and the largest suffix that allows it: "1024Mi" is "1Gi", "1000m" is "1", "0.5" is "500m".
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import math
import re
from decimal import Decimal
from functools import lru_cache

BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}  # powers of 1024
DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}  # powers of 1000
DECIMAL_SUFFIXES = {power: suffix for suffix, power in DECIMAL.items()}
LARGEST = max(DECIMAL_SUFFIXES)

_FORM = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]+)?")
SMALLEST = Decimal("1e-9")  # anything finer is rounded up to a nano
MOST_BINARY = Decimal(2**63 - 1)
LARGEST_EXPONENT = 999  # of "1e999"; nobody counts so far

INVALID = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # upstream's ErrFormatWrong

Text = str | int | float


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Decimal, str]:
    """The amount and its suffix family: "binary", "decimal" or "exponent"."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(INVALID)
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix in BINARY:
        amount, family = min(number * 1024 ** BINARY[suffix], MOST_BINARY), "binary"
    elif suffix in DECIMAL:
        amount, family = number.scaleb(3 * DECIMAL[suffix]) if DECIMAL[suffix] else number, "decimal"
    elif abs(int(suffix[1:])) > LARGEST_EXPONENT:
        raise ValueError(INVALID)
    else:
        amount, family = number.scaleb(int(suffix[1:])), "exponent"
    return _at_least_nano(amount), family


def parse(text: Text) -> Decimal:
    """The exact amount. Raises ValueError, with upstream's words, for what is no quantity."""
    return _parse(str(text))[0]


def milli(text: Text) -> int:
    """In thousandths, rounded up: CPU in millicores."""
    return math.ceil(parse(text) * 1000)


def value(text: Text) -> int:
    """In whole units, rounded up: bytes, pieces."""
    return math.ceil(parse(text))


def canonical(text: Text) -> str:
    """The one way to write this amount, in its own suffix family."""
    amount, family = _parse(str(text))
    return render(amount, family)


def in_millis(text: Text) -> str:
    """The same of an amount in a list of resources, where nothing is finer than a thousandth: it is rounded up."""
    amount, family = _parse(str(text))
    if amount.as_tuple().exponent < -3:  # type: ignore[operator]  # a number, for all that is finite
        amount = amount.quantize(Decimal("1e-3"), rounding="ROUND_UP")
    return render(amount, family)


def render(amount: Decimal, family: str = "decimal") -> str:
    """An amount in canonical form."""
    if amount == 0:
        return "0"
    if family == "binary" and amount == amount.to_integral_value() and abs(amount) >= 1024:
        for suffix, power in reversed(BINARY.items()):
            if amount % 1024**power == 0:
                return f"{int(amount / 1024**power)}{suffix}"
        return str(int(amount))
    if family == "binary" and amount == amount.to_integral_value():
        return str(int(amount))
    digits, exponent = _whole(amount)
    power = exponent // 3 if family == "exponent" else min(exponent // 3, LARGEST)
    number = f"{'-' if amount < 0 else ''}{digits}{'0' * (exponent - 3 * power)}"
    return number + (_exponent(power) if family == "exponent" else DECIMAL_SUFFIXES[power])


def add(one: Text, other: Text) -> str:
    """The sum, in the first one's family (in the other's where the first is zero)."""
    amount, family = _parse(str(one))
    more, other_family = _parse(str(other))
    return render(amount + more, family if amount else other_family)


def is_valid(text: object) -> bool:
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return False
    try:
        _parse(str(text))
    except ValueError:
        return False
    return True


def _whole(amount: Decimal) -> tuple[str, int]:
    """Its digits without the zeros at the end, and the power of ten that they count."""
    found = amount.as_tuple()
    digits = "".join(map(str, found.digits))
    short = digits.rstrip("0")
    return short, int(found.exponent) + len(digits) - len(short)


def _exponent(power: int) -> str:
    return f"e{3 * power}" if power else ""


def _at_least_nano(amount: Decimal) -> Decimal:
    rounded = amount.quantize(SMALLEST) if amount.adjusted() < 18 else amount
    if rounded != amount and amount.adjusted() < 18:
        return amount.quantize(SMALLEST, rounding="ROUND_UP")
    return amount
