"""Tests of a cluster of several hosts; the hosts end with the last of them."""
