"""Asking: one request that policies are asked about — which of them match it, and what their expressions know of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from apiserver.admission.expression import authorization
from apiserver.admission.expression.activation import Answers, activation
from apiserver.admission.matching import request
from apiserver.admission.matching.versions import converted
from apiserver.admission.policy.definition import Binding, Policy
from apiserver.admission.policy.known import Bound
from apiserver.context import AdmissionAttributes, Server
from kube.api.resource import Resource

T = TypeVar("T")


@dataclass
class Asking:
    attributes: AdmissionAttributes
    server: Server
    answers: Answers = field(default_factory=dict)  # of the authorizer, shared by all policies

    def matched(self, bound: Iterable[Bound]) -> Iterator[tuple[Policy, Binding, Resource]]:
        """The policies with their bindings that are asked, each with the version in which it sees the object."""
        for policy, bindings in bound:
            row = request.row_for(policy.matching, self.attributes, self.server)
            if row is None:
                continue
            for binding in bindings:
                if binding.matching is None or request.row_for(binding.matching, self.attributes, self.server) is not None:
                    yield policy, binding, row

    async def values(self, row: Resource) -> dict[str, Any]:
        """The variables but for the policy's own."""
        attributes, server = self.attributes, self.server
        new = await converted(attributes.object, attributes.resource, row, server)
        old = await converted(attributes.old, attributes.resource, row, server)
        return activation(attributes, row, new, old, server, self.answers)

    async def decided(self, evaluate: Callable[[], T]) -> T:
        return await authorization.decided(evaluate, self.answers, self.attributes.user, self.server)
