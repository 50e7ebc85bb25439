"""What a lab is made of: its settings, and the flags that its programs are given."""

import socket
from pathlib import Path

from deploy.lab.plan import Lab
from deploy.preflight import port_taken, taken_by_another
from deploy.programs import Program


def test_a_lab_is_known_again_by_what_it_wrote_down(tmp_path: Path) -> None:
    lab = Lab(tmp_path, 4, "mine", 1234, "2G", ("kubelet:max-pods=5",))
    lab.remember()
    assert Lab.known(tmp_path) == lab


def test_a_flag_that_is_asked_for_takes_the_place_of_the_labs_own() -> None:
    lab = Lab(flags=("kubelet:eviction-hard=nodefs.available<10%", "kubelet:v=2", "etcd:v=3"))
    kubelet = Program("kubelet", ("python", "-m", "kubelet", "--eviction-hard=memory.available<1Gi", "--port=10250"), 30)
    changed = lab.with_flags(kubelet)
    assert changed.argv == ("python", "-m", "kubelet", "--port=10250", "--eviction-hard=nodefs.available<10%", "--v=2")


def test_a_door_that_somebody_else_listens_at_is_told_before_anything_is_made() -> None:
    """Else two labs with one door are made, and the second waits for its API server in vain."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert port_taken(port)
    assert not port_taken(port)
    assert taken_by_another(port, "the door").startswith(f"port {port} is taken, and the door needs it; ")
