"""Semver: semantic versions, `semver("1.2.3-rc.1")`, and their order.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library · https://semver.org/#spec-item-11
"""

import re
from dataclasses import dataclass, field
from functools import total_ordering

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member, traversal

_NUMBER = r"(0|[1-9][0-9]*)"
_PART = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_FORM = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?")
_LOOSE = re.compile(r"v?0*([0-9]+)(?:\.0*([0-9]+))?(?:\.0*([0-9]+))?([-+].*)?")


@total_ordering
@dataclass(frozen=True)
class Version:
    type_name = "kubernetes.Semver"

    major: int
    minor: int
    patch: int
    before: tuple[str, ...] = ()  # the prerelease's parts
    build: str = field(default="", compare=False)

    def __lt__(self, other: "Version") -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[object, ...]:
        """A prerelease comes before its release; numbers before words."""
        parts = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in self.before)
        return (self.major, self.minor, self.patch, not self.before, parts)


def parse(text: str, normalize: bool = False) -> Version:
    found = _FORM.fullmatch(_normalized(text) if normalize else text)
    if found is None:
        raise EvaluationError(f'No Major.Minor.Patch elements found in "{text}"')
    before = tuple(found[4].split(".")) if found[4] else ()
    return Version(int(found[1]), int(found[2]), int(found[3]), before, found[5] or "")


def is_version(text: str, normalize: bool = False) -> bool:
    return _FORM.fullmatch(_normalized(text) if normalize else text) is not None


def _normalized(text: str) -> str:
    """Without a v, without leading zeros, and with the parts that are missing."""
    found = _LOOSE.fullmatch(text)
    return text if found is None else f"{found[1]}.{found[2] or 0}.{found[3] or 0}{found[4] or ''}"


def _compare(one: Version, other: Version) -> int:
    return (one > other) - (one < other)


OVERLOADS: tuple[Overload, ...] = (
    function("semver", "string -> kubernetes.Semver", parse, traversal),
    function("semver", "string, bool -> kubernetes.Semver", parse, traversal),
    function("isSemver", "string -> bool", is_version, traversal),
    function("isSemver", "string, bool -> bool", is_version, traversal),
    member("isGreaterThan", "kubernetes.Semver, kubernetes.Semver -> bool", lambda one, other: one > other),
    member("isLessThan", "kubernetes.Semver, kubernetes.Semver -> bool", lambda one, other: one < other),
    member("compareTo", "kubernetes.Semver, kubernetes.Semver -> int", _compare),
    member("major", "kubernetes.Semver -> int", lambda one: one.major),
    member("minor", "kubernetes.Semver -> int", lambda one: one.minor),
    member("patch", "kubernetes.Semver -> int", lambda one: one.patch),
)
