"""The four ways to change an object by less than the whole of it. Pure: trees in, trees out; what is given is never changed."""
