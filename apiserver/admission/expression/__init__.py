"""Expressions in admission: what CEL expressions of policies and match conditions know of a request, and how they are evaluated.

environment.py    the variables and their types, for the compiler
activation.py     their values, for one request
authorization.py  `authorizer.….check(…)`: the server's authorizer is asked between evaluations
"""
