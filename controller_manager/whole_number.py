"""Whole numbers in annotations, which anybody may write: what is none counts as absent, and raises nothing.

Go's strconv.Atoi, below zero left out: a sign and ASCII digits, up to an int64. Python's own int() and str.isdigit() know other
digits, too, and int() refuses thousands of them.
https://pkg.go.dev/strconv#Atoi
"""

import re

LARGEST = 2**63 - 1
_NUMBER = re.compile(r"\+?0*([0-9]{1,19})")


def whole_number(text: str) -> int | None:
    found = _NUMBER.fullmatch(text)
    number = int(found[1]) if found is not None else None
    return number if number is not None and number <= LARGEST else None
