"""Streaming: exec, attach and port-forward, in every way that clients from kubectl 1.20 on speak them.

    SPDY/3.1                        an upgraded connection with a stream for each of stdin, stdout, stderr, error, resize; for
                                    port-forward a pair of streams (data, error) for each connection
    WebSocket, v5 … channel.k8s.io  messages whose first byte is the channel; the base64 variants as text
    WebSocket, SPDY/3.1+portforward.k8s.io   SPDY's bytes in messages (KEP-4006)

    door.py            who may in, and in which protocol      spdy.py         streams over a connection
    target.py          which pod and container is meant       websocket.py    channels over a WebSocket
    remote_command.py  a process's bytes, both ways           port_forward.py connections into the pod's network

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/ · kubelet pkg/kubelet/server, k8s.io/kubelet/pkg/cri/streaming
"""
