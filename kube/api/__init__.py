"""What objects are. Pure: no I/O, no asyncio, no clock, no randomness."""
