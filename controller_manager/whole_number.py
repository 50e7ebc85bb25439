"""Whole numbers in annotations, which anybody may write: what is none counts as absent, and raises nothing.

Go's strconv.Atoi, below zero left out: a sign and ASCII digits. Python's own int() and str.isdigit() know other digits, too.
https://pkg.go.dev/strconv#Atoi
"""

import re

_NUMBER = re.compile(r"\+?[0-9]{1,18}")


def whole_number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
