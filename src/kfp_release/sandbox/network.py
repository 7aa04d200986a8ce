"""What a Docker engine leaves in the machine's network when it ends: a bridge, firewall chains, forwarding."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kfp_release.sandbox.privilege import find, run_as_root

BRIDGE = "docker0"
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_FIREWALLS = ("iptables", "ip6tables")
_DOCKERS = re.compile(r"\bDOCKER\b|\bdocker0\b", re.ASCII)
_FORWARD_POLICY = re.compile(r"^:FORWARD (\w+)", re.MULTILINE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Network:
    """How the network looked before an engine was started."""

    bridge: bool
    forwarding: str
    rules: Mapping[str, str]
    """The output of iptables-save and ip6tables-save, by ``iptables`` and ``ip6tables``."""

    @classmethod
    def look(cls, prefix: Sequence[str]) -> Self:
        """The network now. `prefix` goes before commands that need root."""
        rules = {name: _save(prefix, name) for name in _FIREWALLS}
        return cls(_has_bridge(), FORWARDING.read_text() if FORWARDING.exists() else "", rules)

    def restore(self, prefix: Sequence[str]) -> None:
        """Take away what an engine added since; nothing where another engine runs, which may use the same."""
        if _an_engine_runs():
            return
        for name, before in self.rules.items():
            tables = without_docker(_save(prefix, name), before=before)
            program = find(f"{name}-restore")
            if tables and program:
                run_as_root(prefix, program, data=tables)
        address = find("ip")
        if not self.bridge and _has_bridge() and address:
            run_as_root(prefix, address, "link", "delete", BRIDGE)
        if self.forwarding.strip() == "0" and FORWARDING.read_text().strip() == "1":
            run_as_root(prefix, "sysctl", "-q", "-w", "net.ipv4.ip_forward=0")


def without_docker(rules: str, *, before: str) -> str:
    """The tables of `rules` (iptables-save's format) that name Docker's chains or bridge, without those lines.

    The policy of FORWARD in them is what it was in `before`. Empty where there is nothing to do, and where `before`
    has Docker's chains too: then they are not ours. Lines that others added meanwhile stay.
    """
    if _DOCKERS.search(before):
        return ""
    policy = _FORWARD_POLICY.search(before)
    tables = []
    for table in re.findall(r"^\*.*?^COMMIT$", rules, re.MULTILINE | re.DOTALL):
        if _DOCKERS.search(table):
            kept = "\n".join(line for line in table.splitlines() if not _DOCKERS.search(line))
            tables.append(_FORWARD_POLICY.sub(f":FORWARD {policy[1] if policy else 'ACCEPT'}", kept) + "\n")
    return "".join(tables)


def _save(prefix: Sequence[str], name: str) -> str:
    program = find(f"{name}-save")
    return (run_as_root(prefix, program) or "") if program else ""


def _has_bridge() -> bool:
    return any(name == BRIDGE for _, name in socket.if_nameindex())


def _an_engine_runs() -> bool:
    """Whether there is one in this network; those of containers have networks of their own."""
    here = Path("/proc/self/ns/net").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == "dockerd" and (process / "ns/net").readlink() == here:
                return True
        except OSError:
            continue  # it ended meanwhile
    return False
