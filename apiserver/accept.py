"""Accept: which of the forms that a document is offered in a client wants. Pure.

    application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json      the first that is offered
    application/json;q=0.5,application/yaml                                                    the one it likes better
    */*, application/*, nothing at all                                                         the first of the offers

A clause stands for an offer whose type and parameters are its own; only `q` is the client's alone.
https://www.rfc-editor.org/rfc/rfc9110#name-accept
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Offer:
    """A media type with its parameters."""

    kind: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def written(self) -> str:
        """As a Content-Type has it."""
        return ";".join((self.kind, *(f"{name}={value}" for name, value in self.parameters.items())))


def chosen(header: str, offers: Sequence[Offer]) -> Offer | None:
    """The offer to answer with; None if the client takes none of them."""
    if not header.strip():
        return offers[0]
    liked = sorted((_clause(text) for text in header.split(",")), key=lambda clause: -clause[0])
    for quality, wanted in liked:
        found = next((offer for offer in offers if _is_for(wanted, offer)), None)
        if found is not None and quality > 0:
            return found
    return None


def _clause(text: str) -> tuple[float, Offer]:
    kind, *parameters = (part.strip() for part in text.split(";"))
    said = dict(parameter.partition("=")[::2] for parameter in parameters if parameter)
    quality = said.pop("q", "1")
    return (float(quality) if quality.replace(".", "", 1).isdecimal() else 0.0), Offer(kind.lower(), said)


def _is_for(wanted: Offer, offer: Offer) -> bool:
    if dict(wanted.parameters) != dict(offer.parameters):
        return False
    main, _, _ = offer.kind.partition("/")
    return wanted.kind in (offer.kind, f"{main}/*", "*/*")
