"""Which API servers are alive, as one of them sees it."""

from apiserver.peers import LEASE_SECONDS, Seen, living


def test_server_whose_key_changes_is_alive() -> None:
    seen, gone = living({"192.0.2.2": Seen(5, 0.0)}, {"192.0.2.2": 6}, 100.0)
    assert gone == set()
    assert seen == {"192.0.2.2": Seen(6, 100.0)}


def test_server_whose_key_stands_still_is_gone() -> None:
    seen, gone = living({"192.0.2.2": Seen(5, 0.0)}, {"192.0.2.2": 5}, LEASE_SECONDS)
    assert gone == set()
    assert living(seen, {"192.0.2.2": 5}, LEASE_SECONDS + 1)[1] == {"192.0.2.2"}


def test_newcomer_gives_everybody_time() -> None:
    # what if this server was away for an hour? It has seen nothing yet, so nobody is gone
    assert living({}, {"192.0.2.2": 5}, 3600.0)[1] == set()
