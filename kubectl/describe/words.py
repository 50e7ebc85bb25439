"""What many descriptions share: labels, annotations, times, selectors, conditions, events, as lines whose cells tabs end.

kubernetes/kubectl pkg/describe/describe.go
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from kube.api.duration import human
from kube.api.meta import Tree

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
LONGEST_ANNOTATION = 140  # an annotation longer than this stands on lines of its own
SHOWN = LONGEST_ANNOTATION - 2  # of a line of such an annotation


def line(level: int, text: str) -> str:
    return "  " * level + text + "\n"


def when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def rfc1123(text: str | None) -> str:
    """`Mon, 02 Jan 2006 15:04:05 +0000`; upstream shows the zone of the machine."""
    moment = when(text)
    if moment is None:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    return moment.astimezone().strftime("%a, %d %b %Y %H:%M:%S %z")


def age(text: str | None, now: datetime) -> str:
    moment = when(text)
    return "<unknown>" if moment is None else human((now - moment.astimezone(UTC)).total_seconds())


def spent(start: str, end: str) -> str:
    """How long it took."""
    first, last = when(start), when(end)
    return human((last - first).total_seconds()) if first and last else ""


def multiline(title: str, values: Iterable[str], *, indent: str = "") -> str:
    """`Title:` with one value a line, the first on the title's own; `<none>` where there are none."""
    listed = list(values)
    if not listed:
        return f"{indent}{title}:\t<none>\n"
    return f"{indent}{title}:\t{listed[0]}\n" + "".join(f"\t{value}\n" for value in listed[1:])


def labels(title: str, found: dict[str, str] | None, *, indent: str = "") -> str:
    return multiline(title, (f"{name}={found[name]}" for name in sorted(found)) if found else (), indent=indent)


def annotations(found: dict[str, str] | None, *, indent: str = "", title: str = "Annotations") -> str:
    """Without the one that apply keeps; long ones and those with several lines below their names."""
    shown = {name: text for name, text in (found or {}).items() if name != LAST_APPLIED}
    if not shown:
        return f"{indent}{title}:\t<none>\n"
    made = f"{indent}{title}:\t"
    for at, name in enumerate(sorted(shown)):
        text = shown[name].removesuffix("\n")
        made += f"{indent}\t" if at else ""
        if len(text) + len(name) + 2 > LONGEST_ANNOTATION or "\n" in text:
            made += f"{name}:\n"
            made += "".join(f"{indent}\t  {_shortened(part)}\n" for part in text.split("\n"))
        else:
            made += f"{name}: {text}\n"
    return made


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def selector_text(selector: Tree | None) -> str:
    """A LabelSelector, or a map of labels, as text: `a=b,c in (d,e)`."""
    if not selector:
        return ""
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return ",".join(f"{name}={selector[name]}" for name in sorted(selector))
    parts = [(name, f"{name}={value}") for name, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        values = ",".join(sorted(one.get("values") or ()))
        text = {
            "In": f"{one['key']} in ({values})",
            "NotIn": f"{one['key']} notin ({values})",
            "Exists": one["key"],
            "DoesNotExist": f"!{one['key']}",
        }[one["operator"]]
        parts.append((one["key"], text))
    return ",".join(text for _, text in sorted(parts))


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, indent: str = "  ") -> str:
    """A small table: the header, dashes below it, rows."""
    lines = [header, ["-" * len(title) for title in header], *rows]
    return "".join(indent + "\t".join(map(str, cells)) + "\n" for cells in lines)


def conditions(status: Tree, seen_at: str) -> str:
    """The conditions of a Node or a claim; `seen_at` names the field that says when one was last looked at."""
    found = status.get("conditions") or ()
    if not found:
        return ""
    text = f"Conditions:\n  Type\tStatus\t{seen_at[0].upper()}{seen_at[1:]}\tLastTransitionTime\tReason\tMessage\n"
    text += "  ----\t------\t-----------------\t------------------\t------\t-------\n"
    for one in found:
        times = f"{rfc1123(one.get(seen_at))} \t{rfc1123(one.get('lastTransitionTime'))}"
        text += f"  {one['type']} \t{one['status']} \t{times} \t{one.get('reason', '')} \t{one.get('message', '')}\n"
    return text


def controlled_by(tree: Tree) -> str:
    owners = tree["metadata"].get("ownerReferences") or ()
    owner = next((one for one in owners if one.get("controller")), None)
    return f"Controlled By:\t{owner['kind']}/{owner['name']}\n" if owner else ""


def events(found: list[Tree] | None, now: datetime) -> str:
    """The events, oldest first."""
    if found is None:
        return ""
    if not found:
        return "Events:\t<none>\n"
    rows = "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n"
    for event in sorted(found, key=_last_seen):
        source = event.get("reportingComponent") or (event.get("source") or {}).get("component") or ""
        cells = (event.get("type") or "", event.get("reason") or "", seen(event, now), source, (event.get("message") or "").strip())
        rows += "  " + "\t".join(cells) + "\n"
    return rows


def _last_seen(event: Tree) -> str:
    series = event.get("series") or {}
    return series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or ""


def seen(event: Tree, now: datetime) -> str:
    """`5m`, `2m (x3 over 20m)`."""
    series = event.get("series") or {}
    first = age(event.get("firstTimestamp") or event.get("eventTime"), now)
    if series:
        return f"{age(series.get('lastObservedTime'), now)} (x{series.get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{age(event.get('lastTimestamp'), now)} (x{event['count']} over {first})"
    return first
