"""Mode iptables: one `iptables-restore --noflush` a sync and family, of the chains that changed.

Everything is in chains of our own; the host's chains get one jump each, asked for with `iptables -C` and put first. Other
programs' rules are neither read nor flushed. The host's own binary is used, whichever backend it has, as two of them beside each
other hide each other's rules.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-iptables · upstream pkg/proxy/iptables/proxier.go
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kube.api.meta import Key
from kube_proxy.iptables_rules import JUMPS, SHARED, Lines, Place, lines_of, standing
from kube_proxy.layout import Settings
from kube_proxy.mode import Refused, to_its_end
from kube_proxy.nft_expression import IPV6
from kube_proxy.rules import PortRule

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
WAIT = ("-w", "5")  # seconds for the lock that iptables' legacy backend takes
PROGRAMS = ("iptables", "ip6tables")
PROGRAM_SECONDS = 120.0  # far more than it takes to write the rules of ten thousand Services
OURS = re.compile(r"^:(KUBE-(?:SERVICES|EXTERNAL-SERVICES|NODEPORTS|FORWARD|PROXY-FIREWALL|POSTROUTING|MARK-MASQ)|"
                  r"KUBE-(?:SVC|SVL|EXT|SEP|FW)-[A-Z2-7]{16}) ", re.MULTILINE)  # fmt: skip


LinesOf = Callable[[Sequence[PortRule], Settings], Lines]  # what of a Service is in the chains


class IptablesMode:
    def __init__(self, families: Sequence[Settings], lines: LinesOf = lines_of) -> None:
        self._families = [_OneFamily(settings, lines) for settings in families]

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        for one in self._families:
            one.take(service, rules)

    async def sync(self, *, whole: bool) -> None:
        for one in self._families:
            await to_its_end(one.sync, whole)

    async def intact(self) -> bool:
        return all([await to_its_end(one.intact) for one in self._families])

    async def close(self) -> None:
        """Nothing is held open."""


class _OneFamily:
    def __init__(self, settings: Settings, lines: LinesOf) -> None:
        self._settings = settings
        self._lines_of = lines
        self._program = "ip6tables" if settings.family is IPV6 else "iptables"
        self._rules_family = "IPv6" if settings.family is IPV6 else "IPv4"
        self._lines: dict[Key, Lines] = {}
        self._held: dict[str, tuple[str, ...]] = {}  # the Services' own chains in the kernel
        self._changed: set[str] = set()  # which of them are to be written or removed
        self._shared: dict[Place, list[str]] = {}  # in the kernel

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        found = self._lines_of([rule for rule in rules if rule.family == self._rules_family], self._settings)
        before = self._lines.pop(service, Lines())
        if found.shared:
            self._lines[service] = found
        for chain in before.chains.keys() | found.chains.keys():
            if before.chains.get(chain) != found.chains.get(chain):
                self._changed.add(chain)
                if chain in found.chains:
                    self._held[chain] = found.chains[chain]
                else:
                    self._held.pop(chain, None)

    def sync(self, whole: bool) -> None:
        """Blocks. What is refused is lost as a difference: the next sync must be a whole one."""
        changed, self._changed = self._changed, set()
        shared = shared_chains(self._lines, self._settings)
        if whole:
            left_over = {*_chains_of_ours(self._program, "nat")} - {*SHARED["nat"]} - self._held.keys()
            changed = {*self._held} | left_over
            jumps = [jump for jump in JUMPS if not _has_jump(self._program, jump)]
            _restore(self._program, restore_text(shared, {chain: self._held.get(chain) for chain in changed}, jumps))
        else:
            different = {place: lines for place, lines in shared.items() if self._shared.get(place) != lines}
            if changed or different:
                _restore(self._program, restore_text(different, {chain: self._held.get(chain) for chain in changed}))
        self._shared = shared

    def intact(self) -> bool:
        return all(_has_jump(self._program, jump) for jump in JUMPS)


def shared_chains(lines: Mapping[Key, Lines], settings: Settings) -> dict[Place, list[str]]:
    """The chains that all Services share, in the order of the Services. Pure."""
    found: dict[Place, list[str]] = {(table, chain): [] for table, chains in SHARED.items() for chain in chains}
    for key in sorted(lines):
        for place, some in lines[key].shared.items():
            found[place] += some
    for place, last in standing(settings).items():
        found[place] += last
    return found


def restore_text(
    shared: Mapping[Place, Iterable[str]], chains: Mapping[str, Iterable[str] | None], jumps: Iterable[tuple[str, str, str]] = ()
) -> str:
    """What iptables-restore reads: every chain named is replaced; one without lines, None, is removed. Pure."""
    return "".join(f"{line}\n" for table in SHARED for line in _table_text(table, shared, chains if table == "nat" else {}, jumps))


def _table_text(
    table: str,
    shared: Mapping[Place, Iterable[str]],
    chains: Mapping[str, Iterable[str] | None],
    jumps: Iterable[tuple[str, str, str]],
) -> Iterator[str]:
    mine = {chain: lines for (of, chain), lines in shared.items() if of == table}
    if not mine and not chains:
        return
    yield f"*{table}"
    for chain in (*mine, *sorted(chains)):
        yield f":{chain} - [0:0]"
    for of, host_chain, rule in reversed(list(jumps)):
        if of == table:
            yield f"-I {host_chain} {rule}"
    for chain, lines in (*mine.items(), *sorted(chains.items())):
        for line in lines or ():
            yield f"-A {chain} {line}"
    for chain, kept in sorted(chains.items()):
        if kept is None:
            yield f"-X {chain}"
    yield "COMMIT"


def missing() -> str:
    """Why this host cannot have the mode; empty: it can. Blocks."""
    if shutil.which("iptables-restore", path=PATH) is None:
        return "there is no iptables-restore on this host"
    listed = _run("iptables", *WAIT, "-t", "nat", "-S", "OUTPUT")
    return "" if listed.returncode == 0 else f"iptables cannot list the nat table: {listed.stderr.strip()}"


def clean_up() -> None:
    """Remove our chains and the jumps to them, in both families. Blocks."""
    for program in PROGRAMS:
        if shutil.which(program, path=PATH) is None:
            continue
        for table in SHARED:
            chains = _chains_of_ours(program, table)
            if not chains:
                continue
            for jump in JUMPS:
                while jump[0] == table and _has_jump(program, jump):
                    _iptables(program, table, "-D", jump)
            _restore(
                program,
                "\n".join([f"*{table}", *(f":{one} - [0:0]" for one in chains), *(f"-X {one}" for one in chains), "COMMIT\n"]),
            )


def _chains_of_ours(program: str, table: str) -> list[str]:
    saved = _run(f"{program}-save", "-t", table)
    return OURS.findall(saved.stdout) if saved.returncode == 0 else []


def _has_jump(program: str, jump: tuple[str, str, str]) -> bool:
    return _iptables(program, jump[0], "-C", jump).returncode == 0


def _iptables(program: str, table: str, verb: str, jump: tuple[str, str, str]) -> "subprocess.CompletedProcess[str]":
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', jump[2])]
    return _run(program, *WAIT, "-t", table, verb, jump[1], *words)


def _restore(program: str, text: str) -> None:
    done = _run(f"{program}-restore", *WAIT, "--noflush", text=text)
    if done.returncode != 0:
        raise Refused(f"{program}-restore: {done.stderr.strip()}")


def _run(*command: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    """A program's result. Raises Refused where it hangs."""
    environment = {"PATH": PATH, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=text, capture_output=True, text=True, env=environment, check=False, timeout=PROGRAM_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{command[0]}: no answer within {PROGRAM_SECONDS:.0f} s") from error
