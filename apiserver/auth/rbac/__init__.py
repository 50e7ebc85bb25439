"""RBAC: who may do what, by roles and their bindings.

    rules.py       what one rule allows, covers, and how it is told; pure
    index.py       the roles and bindings of the cluster by subject, kept up to date from the watch cache
    authorizer.py  the decision about one request
    policy/        the roles that every cluster has; bootstrap.py makes them, and mends them at each start

That nobody grants what they may not do themselves is an admission plugin: admission/role_escalation.py.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""
