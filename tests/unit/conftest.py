"""Properties are checked without a clock: a busy machine breaks no rule.

https://hypothesis.readthedocs.io/en/latest/reference/api.html#settings-profiles
"""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
