"""Tests of a whole cluster on one host of its own; the cluster ends with the last of them."""
