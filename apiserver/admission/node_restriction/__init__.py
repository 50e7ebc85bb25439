"""NodeRestriction: a node writes to itself, to its own pods, leases and slices, and to nothing else; `rules` decide, `plugin` asks.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
kubernetes plugin/pkg/admission/noderestriction
"""
