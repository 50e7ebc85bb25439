"""Quantity: amounts of resources, `quantity("1.5Gi")`, compared and added exactly.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library
"""

from decimal import Decimal
from typing import Any

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member, traversal
from apiserver.cel.values import INT_MAX, INT_MIN
from kube.api import quantity


class Quantity:
    """An amount; how it was written does not count."""

    type_name = "kubernetes.Quantity"
    __slots__ = ("amount",)

    def __init__(self, amount: Decimal) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.amount == other.amount

    def __hash__(self) -> int:
        return hash(self.amount)


def parse(text: str) -> Quantity:
    try:
        return Quantity(quantity.parse(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _order(one: Quantity, other: Quantity) -> int:
    return (one.amount > other.amount) - (one.amount < other.amount)


def _amount(value: Quantity | int) -> Decimal:
    return value.amount if isinstance(value, Quantity) else Decimal(value)


def _is_integer(one: Quantity) -> bool:
    return one.amount == one.amount.to_integral_value() and INT_MIN <= one.amount <= INT_MAX


def _as_integer(one: Quantity) -> int:
    if not _is_integer(one):
        raise EvaluationError("cannot convert value to integer")
    return int(one.amount)


def _is(text: Any) -> bool:
    return quantity.is_valid(text)


OVERLOADS: tuple[Overload, ...] = (
    function("quantity", "string -> kubernetes.Quantity", parse, traversal),
    function("isQuantity", "string -> bool", _is, traversal),
    member("sign", "kubernetes.Quantity -> int", lambda one: (one.amount > 0) - (one.amount < 0)),
    member("isGreaterThan", "kubernetes.Quantity, kubernetes.Quantity -> bool", lambda one, other: one.amount > other.amount),
    member("isLessThan", "kubernetes.Quantity, kubernetes.Quantity -> bool", lambda one, other: one.amount < other.amount),
    member("compareTo", "kubernetes.Quantity, kubernetes.Quantity -> int", _order),
    member("asApproximateFloat", "kubernetes.Quantity -> double", lambda one: float(one.amount)),
    member("asInteger", "kubernetes.Quantity -> int", _as_integer),
    member("isInteger", "kubernetes.Quantity -> bool", _is_integer),
    *(
        overload
        for other in ("kubernetes.Quantity", "int")
        for overload in (
            member("add", f"kubernetes.Quantity, {other} -> kubernetes.Quantity", lambda a, b: Quantity(a.amount + _amount(b))),
            member("sub", f"kubernetes.Quantity, {other} -> kubernetes.Quantity", lambda a, b: Quantity(a.amount - _amount(b))),
        )
    ),
)
