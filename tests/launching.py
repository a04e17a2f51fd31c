"""Torch's own launcher, where nothing has a name: some roots have no /etc/hosts."""

from __future__ import annotations

#: Arguments of ``python`` before ``-m`` and a module: two processes on this machine.
TWO_PROCESSES = (
    *("-m", "torch.distributed.run", "--nproc_per_node", "2", "--local_addr", "127.0.0.1"),
    *("--rdzv_backend", "c10d", "--rdzv_endpoint", "127.0.0.1:0", "--rdzv_id", "two"),
)
#: Environment in which the processes talk to each other by the loopback device.
LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo"}
