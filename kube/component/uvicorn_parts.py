"""The parts of uvicorn that are used here, without its command line and its supervisors (kube/api/bare_package.py)."""

from kube.api.bare_package import bare

with bare("uvicorn"):
    from uvicorn.config import Config as Config
    from uvicorn.protocols.http.flow_control import FlowControl as FlowControl
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpToolsProtocol
    from uvicorn.server import ServerState as ServerState
