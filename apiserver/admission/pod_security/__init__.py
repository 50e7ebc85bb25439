"""PodSecurity: what pods of a namespace may ask of their node, by the labels of the namespace.

    standards.py   the checks of the Pod Security Standards; pure
    plugin.py      which level a namespace has, and what happens to a pod that breaks it: refused, warned of, noted in the audit

https://kubernetes.io/docs/concepts/security/pod-security-admission/ (KEP-2579)
"""
