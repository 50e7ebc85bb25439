"""Rules of metav1.Condition: one of each type, with a reason.

apimachinery pkg/apis/meta/v1/validation (ValidateConditions)
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names
from kube.api.status import FieldError, duplicate, invalid, required, too_long, unsupported
from kube.api.validation import complain

STATUSES = ("False", "True", "Unknown")
REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
REASON_BYTES, MESSAGE_BYTES = 1024, 32 * 1024
REASON_TEXT = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or "
    "'_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or "
    f"'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '{REASON}')"
)


def condition_errors(conditions: Iterable[Any], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, one in enumerate(conditions):
        at, reason = f"{path}[{index}]", one.reason or ""
        if one.type in seen:
            yield duplicate(f"{at}.type", one.type)
        seen.add(one.type)
        yield from complain(f"{at}.type", one.type or "", names.qualified)
        if one.status not in STATUSES:
            yield unsupported(f"{at}.status", one.status or "", STATUSES)
        if one.observedGeneration is not None and one.observedGeneration < 0:
            yield invalid(f"{at}.observedGeneration", one.observedGeneration, "must be greater than or equal to zero")
        if one.lastTransitionTime is None or one.lastTransitionTime.year == 1:
            yield required(f"{at}.lastTransitionTime", "must be set")
        if not reason:
            yield required(f"{at}.reason", "must be set")
        elif re.fullmatch(REASON, reason) is None:
            yield invalid(f"{at}.reason", reason, REASON_TEXT)
        for field, limit in (("reason", REASON_BYTES), ("message", MESSAGE_BYTES)):
            if len((getattr(one, field) or "").encode()) > limit:
                yield too_long(f"{at}.{field}", limit)
