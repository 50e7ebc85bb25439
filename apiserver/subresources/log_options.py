"""PodLogOptions: what the query of pods/log asks for, read and judged before the pod is looked for.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
upstream pkg/apis/core/validation (ValidatePodLogOptions)
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from apiserver.context import RequestInfo
from apiserver.handlers.read import number
from kube.api.status import BadRequest, FieldError, forbidden, invalid, invalid_object

FLAGS = ("follow", "timestamps", "previous")
NUMBERS = {"tailLines": 0, "sinceSeconds": 1, "limitBytes": 1}  # and the least that each may be
NO_MEMBER = "[]"  # how upstream's paths write the options themselves
LAYOUT = "2006-01-02T15:04:05Z07:00"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def kubelet_query(info: RequestInfo) -> dict[str, str]:
    """The options as the kubelet takes them. Raises BadRequest and Invalid. Pure."""
    flags = {name: "true" for name in FLAGS if info.flag(name)}
    numbers = {name: number(info, name) for name in NUMBERS if name in info.query}
    since = _time(info.param("sinceTime"))
    errors = list(_errors(numbers, since))
    if errors:
        raise invalid_object("PodLogOptions", "", info.name, errors)
    texts = {name: text for name, text in (("sinceTime", since), ("stream", info.param("stream"))) if text}
    return {**flags, **{name: str(value) for name, value in numbers.items()}, **texts}


def _errors(numbers: Mapping[str, int], since: str) -> Iterator[FieldError]:
    for name in ("tailLines", "limitBytes"):
        yield from _too_little(name, numbers)
    if "sinceSeconds" in numbers and since:
        yield forbidden(NO_MEMBER, "at most one of `sinceTime` or `sinceSeconds` may be specified")
    else:
        yield from _too_little("sinceSeconds", numbers)


def _too_little(name: str, numbers: Mapping[str, int]) -> Iterator[FieldError]:
    least = NUMBERS[name]
    if name in numbers and numbers[name] < least:
        yield invalid(name, numbers[name], "must be greater than 0" if least else "must be greater than or equal to 0")


def _time(text: str) -> str:
    if text and not (_TIME.fullmatch(text) and _is_moment(text)):
        raise BadRequest(f'parsing time "{text}" as "{LAYOUT}": cannot parse "{text}" as "2006"')
    return text


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
