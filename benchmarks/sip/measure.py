"""The servers of this machine, and every figure of SIP: pure Python, the compiled build, and Kamailio beside them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.cpu import started_on, two_cores
from benchmarks.figure import Figure
from benchmarks.sip import edge, kamailio, rows
from benchmarks.sip import memory as bindings
from benchmarks.sip.interpreter import PROJECT, Interpreter, NoInterpreter, system_interpreter
from benchmarks.sip.server import SipServer
from tests.support.peers import PACKAGES, missing
from tools.build_compiled import CannotCompile, build
from tools.compiled_modules import compiled_modules

Opened = Callable[[], AbstractContextManager[SipServer]]
_NO_COMPILED: Final = "NOT RUN: the compiled build: {why}"


def measure(pairs: int, remarks: list[str], cpu: bool, memory: bool) -> Iterator[Figure]:
    """Every figure of SIP.

    Args:
        pairs: rounds of each row.
        remarks: what people must know of these figures is appended.
        cpu: measure CPU.
        memory: measure memory.
    """
    interpreter = _interpreter(remarks)
    trees = {rows.PURE: PROJECT}
    if tree := _compiled(interpreter, remarks):
        trees[rows.COMPILED] = tree
    ours = [partial(_on_the_servers_core, partial(edge.running, name, interpreter, at)) for name, at in trees.items()]
    peer = None
    if why := kamailio.missing():
        remarks.append(why)
    else:
        remarks.append(f"The peer is {kamailio.version()} with -x tlsf -X tlsf -m 1024, one worker.")
        peer = partial(_on_the_servers_core, kamailio.running)
    with_sipp = not missing("sipp")
    if not with_sipp:
        remarks.append(f"NOT RUN: sipp as a cross-check (apt-get install {PACKAGES['sipp']})")
    server_core, load_core = two_cores()
    remarks.append(
        f"Servers on core {server_core}, load on core {load_core}."
        + (" One core for both: the load takes time from the server." if server_core == load_core else "")
    )
    if cpu:
        with ExitStack() as stack:
            beside = stack.enter_context(peer()) if peer is not None else None
            edges = [stack.enter_context(one()) for one in ours]
            yield from rows.measure(edges, beside, pairs, remarks, with_sipp)
    if memory:
        yield from bindings.measure(ours, peer)


@contextmanager
def _on_the_servers_core(opened: Opened) -> Iterator[SipServer]:
    with ExitStack() as stack:
        with started_on(two_cores()[0]):
            server = stack.enter_context(opened())
        yield server


def _interpreter(remarks: list[str]) -> Interpreter:
    try:
        found = system_interpreter()
    except NoInterpreter as why:
        found = Interpreter.of(Path(sys.executable))
        remarks.append(f"The system's own Python was not used: {why}")
    remarks.append(f"The edge runs on {found}.")
    return found


def _compiled(interpreter: Interpreter, remarks: list[str]) -> Path | None:
    if interpreter.tag != sys.implementation.cache_tag:
        why = f"make compiled builds for {sys.implementation.cache_tag}, the edge under test runs on {interpreter.tag}"
        remarks.append(_NO_COMPILED.format(why=why))
        return None
    try:
        tree = build()
    except CannotCompile as why:
        remarks.append(_NO_COMPILED.format(why=why))
        return None
    remarks.append(f"Compiled: {len(compiled_modules(tree))} modules by mypyc (tools/compiled_modules.py).")
    return tree
