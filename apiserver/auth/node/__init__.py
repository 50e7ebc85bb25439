"""The node authorizer: a node reads what its own pods need, and nothing else.

    graph.py       which nodes have something to do with which objects, kept up to date from the watch cache
    authorizer.py  the decision about one request

https://kubernetes.io/docs/reference/access-authn-authz/node/
"""
