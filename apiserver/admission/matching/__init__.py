"""Matching: which requests a webhook or a policy is asked about, by rules, selectors and equivalent versions.

request.py    the whole question: in which version, if at all
rules.py      one rule and one request
versions.py   the same resource in other groups and versions, and an object in them
"""
