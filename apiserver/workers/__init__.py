"""Workers: one API server as several processes behind one port, so that it uses every core (decision 0012).

    fork.py      the first worker makes the others, before anything is opened
    place.py     which of the workers this one is, and the numbers that they share
    spread.py    the first accepts every connection, and gives it to the one that has fewest
    words.py     questions and answers between the first and another one
    first.py     what the first does beside serving
    other.py     what another one does
    ending.py    how each of them ends
    sums.py      /metrics of all of them as one

Everything else of the API server is one worker's own: its event loop, its connection to etcd, its watch cache. What must be
done once in a server is done by the first (`server.place.first`).
"""
