"""How to talk to an API server: requests, watches, informers, queues, leader election, events."""
