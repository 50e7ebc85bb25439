"""Admission policies: rules and changes that objects of the cluster ask for in CEL, without a server of their own.

    compiler.py       a policy's expressions, compiled; what is wrong with them, as field errors
    definition.py     policies and bindings, parsed from their trees
    known.py          those that there are, newest state, in their order
    asking.py         one request, and the policies that match it
    parameters.py     the objects that a binding hands to its policy
    evaluation.py     one policy, one set of parameters, one request: lazily computed variables, decisions
    validating.py     ValidatingAdmissionPolicy: deny, warn, audit
    mutating.py       MutatingAdmissionPolicy, by patches.py
    type_checking.py  what the kinds that a policy names have to say of its expressions (status.typeChecking)

A change counts with the next request: nothing polls. Policies never rule on policies, bindings and webhook configurations.
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/ (KEP-3488)
https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ (KEP-3962)
"""
