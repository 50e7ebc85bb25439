"""Admission webhooks: servers that others run, which may change or refuse what comes in.

    hooks.py       the configured webhooks, newest state, in their order
    calling.py     one webhook and one request: does it apply, call it, what did it say
    review.py      the AdmissionReview and its answer
    mutating.py    one after another, each sees what the ones before it made; once more where that helps
    validating.py  all at once, on the final object

Never asked about webhook configurations and admission policies, so that a bad one can always be removed.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""
