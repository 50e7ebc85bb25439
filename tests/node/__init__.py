"""Tests of one node: its engine, its kernel; the engine ends with the last of them."""
