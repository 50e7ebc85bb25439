"""Priority and fairness: which requests are served at once, and whose turn is next, when there are more than can be.

    a FlowSchema sorts requests into flows (who asks, for what) and names the priority level of these
    a PriorityLevelConfiguration has a share of the server's seats; each request being served takes one
    a level without a free seat queues its requests, fairly among flows, or refuses them with 429

    defaults.py   the FlowSchemas and levels that every cluster has
    classify.py   whether a FlowSchema matches a request
    control.py    the present configuration; from a request to its flow, by one look into a dictionary
    level.py      seats, queues, borrowing
    sharding.py   which queues a flow may use
    keeper.py     makes the default objects, keeps them and the status of FlowSchemas true

`control_of(server)` is what filters/flow_control.py asks; `start(server)` begins the keeping. Watches hold a seat only until
they have begun, other long-running requests none.
https://kubernetes.io/docs/concepts/cluster-administration/flow-control/ · KEP-1040
"""

from apiserver.flowcontrol.control import Control, control_of
from apiserver.flowcontrol.keeper import start

__all__ = ["Control", "control_of", "start"]
