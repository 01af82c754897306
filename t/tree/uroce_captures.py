# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Captures what t/tree/uroce_traffic sends on the loopback interface, and reads which messages it says it sent. What
# those must look like is worked out here from IBA vol. 1, chapter 9, and compared with the fields that tshark decodes;
# the ICRC is compared with scapy's. Arguments: a name for files, and a command that wants the name of one more.
import json
import logging
import mmap
import socket
import struct
import subprocess
import sys
import zlib

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.contrib.roce import BTH  # noqa: E402
from scapy.layers.inet import UDP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

SOL_PACKET = 263
SERVICES = {"RC": 0x00, "UC": 0x20, "UD": 0x60}
# Opcodes of FIRST, MIDDLE, LAST, LAST with more, ONLY, ONLY with more (table 38).
SEND, WRITE = (0, 1, 2, 3, 4, 5), (6, 7, 8, 9, 10, 11)
SEND_INVALIDATE = (0, 1, 2, 0x16, 4, 0x17)
DATA = "data and pad"  # tshark takes some for other protocols
READ_ANSWER = (0x0D, 0x0E, 0x0F, None, 0x10, None)
NO_CREDITS = 0x1F
# Bytes of the extended header that a field belongs to (9.3); those of an atomic are the RETH's 12 and 16 more.
SIZES = {"reth.dmalen": 16, "atomiceth.swapdt": 28, "aeth.msn": 4, "atomicacketh.origremdt": 8, "immdt": 4, "ieth": 4,
         "deth.q_key": 8}
# tshark's name of each field, and how it is read.
FIELDS = {
    "infiniband.bth.opcode": 0, "infiniband.bth.se": 0, "infiniband.bth.m": 0, "infiniband.bth.padcnt": 0,
    "infiniband.bth.tver": 0, "infiniband.bth.p_key": 0, "infiniband.bth.destqp": 0, "infiniband.bth.a": 0,
    "infiniband.bth.reserved7": 0, "infiniband.bth.psn": 0,
    "infiniband.reth.va": 0, "infiniband.reth.r_key": 0, "infiniband.reth.dmalen": 0,
    "infiniband.atomiceth.swapdt": 0, "infiniband.atomiceth.cmpdt": 0, "infiniband.atomicacketh.origremdt": 0,
    "infiniband.aeth.syndrome": 0, "infiniband.aeth.msn": 0,
    "infiniband.deth.q_key": 0, "infiniband.deth.srcqp": 0,
    "infiniband.immdt": 16, "infiniband.ieth": 16, "udp.length": 0,
}


def bytes_of(end, offset, length):
    """What the memory of an end begins with."""
    return bytes((i * 31 + i // 256 + end * 17) & 255 for i in range(offset, offset + length))


class Qp:
    def __init__(self, line):
        self.number, self.peer, self.service = line["qp"], line["peer"], line["service"]
        self.psn, self.mtu, self.qkey = line["psn"], line["mtu"], line["qkey"]
        self.msn = 0
        self.memory = 0  # of the atomics

    def packet(self, opcode, psn, payload=b"", **more):
        fill = -len(payload) % 4
        fields = {"bth.opcode": SERVICES[self.service] + opcode, "bth.se": 0, "bth.m": 1, "bth.padcnt": fill,
                  "bth.tver": 0, "bth.p_key": 0xFFFF, "bth.destqp": self.peer, "bth.reserved7": 0, "bth.psn": psn}
        fields.update({name.replace("_", ".", 1): value for name, value in more.items()})
        fields = {"infiniband." + name: value for name, value in fields.items()}
        size = 8 + headers_of(fields) + len(payload) + fill + 4
        return dict(fields, **{"udp.length": size, DATA: payload + bytes(fill)})


def cut(data, mtu):
    return [data[at:at + mtu] for at in range(0, len(data), mtu)] or [b""]


def opcode_at(opcodes, index, count, has_more):
    if count == 1:
        return opcodes[5 if has_more else 4]
    if index == 0:
        return opcodes[0]
    return opcodes[1] if index + 1 < count else opcodes[3 if has_more else 2]


def reth(message, length):
    return {"reth_va": int(message["va"], 16), "reth_r_key": message["rkey"], "reth_dmalen": length}


def requests(qp, message):
    """SEND and WRITE (IBA 9.7.2, 9.4)."""
    end, offset = message["data"]
    parts = cut(bytes_of(end, offset, message["length"]), qp.mtu)
    opcodes = WRITE if message["kind"] == "WRITE" else SEND_INVALIDATE if "invalidate" in message else SEND
    has_more = "imm" in message or "invalidate" in message
    for index, part in enumerate(parts):
        last = index + 1 == len(parts)
        more = {}
        if last and message["solicited"] and (message["kind"] == "SEND" or "imm" in message):
            more["bth_se"] = 1
        if last:
            more["bth_a"] = 1 if qp.service == "RC" else 0
        if last and "imm" in message:
            more["immdt"] = message["imm"]
        if last and "invalidate" in message:
            more["ieth"] = message["invalidate"]
        if index == 0 and message["kind"] == "WRITE":
            more.update(reth(message, message["length"]))
        if qp.service == "UD":
            more.update(deth_q_key=qp.qkey, deth_srcqp=qp.number)
        yield qp.packet(opcode_at(opcodes, index, len(parts), has_more), qp.psn, part, **more)
        qp.psn = (qp.psn + 1) & 0xFFFFFF


def answer(peer, opcode, psn, syndrome, payload=b"", **more):
    return peer.packet(opcode, psn, payload, bth_a=0, aeth_syndrome=syndrome, aeth_msn=peer.msn, **more)


def read(qp, peer, message):
    parts = cut(bytes_of(*message["data"], message["length"]), qp.mtu)
    yield qp.packet(0x0C, qp.psn, **reth(message, message["length"]))
    peer.msn += 1
    for index, part in enumerate(parts):
        opcode = opcode_at(READ_ANSWER, index, len(parts), False)
        packet = answer(peer, opcode, qp.psn, NO_CREDITS, part)
        if opcode == 0x0E:  # a MIDDLE has no AETH
            packet = {name: value for name, value in packet.items() if ".aeth." not in name}
            packet["udp.length"] -= 4
        yield packet
        qp.psn = (qp.psn + 1) & 0xFFFFFF


def atomic(qp, peer, message):
    swap_add, compare = int(message["swap_add"], 16), int(message["compare"], 16)
    is_add = message["kind"] == "FETCH_ADD"
    yield qp.packet(0x14 if is_add else 0x13, qp.psn, reth_va=int(message["va"], 16), reth_r_key=message["rkey"],
                    atomiceth_swapdt=swap_add,
                    atomiceth_cmpdt=None if is_add else compare)
    if message["result"] != "ack":
        return
    peer.msn += 1
    yield answer(peer, 0x12, qp.psn, NO_CREDITS, atomicacketh_origremdt=peer.memory)
    if is_add:
        peer.memory = (peer.memory + swap_add) & (1 << 64) - 1
    elif peer.memory == compare:
        peer.memory = swap_add
    qp.psn = (qp.psn + 1) & 0xFFFFFF


def expected(lines):
    """The packets of all messages, in order."""
    qps = {}
    for line in lines:
        if "qp" in line:
            qps[line["qp"]] = Qp(line)
            continue
        qp = qps[line["from"]]
        peer, first, result = qps[qp.peer], qp.psn, line["result"].split()
        if "swap_add" in line:
            yield from atomic(qp, peer, line)
        elif line["kind"] == "READ":
            packets = read(qp, peer, line)
            yield from packets if result[0] == "ack" else [next(packets)]
        else:
            yield from requests(qp, line)
            if result[0] == "ack" and qp.service == "RC":
                peer.msn += 1
                yield answer(peer, 0x11, (qp.psn - 1) & 0xFFFFFF, NO_CREDITS)
        if result[0] == "nak":
            yield answer(peer, 0x11, first, int(result[1]))


def is_roce(frame):
    """Whether it goes to UDP port 4791."""
    at = {b"\x08\x00": 14 + 20, b"\x86\xdd": 14 + 40}.get(frame[12:14])
    protocol = frame[23] if at == 34 else frame[20]
    return at and protocol == 17 and frame[at + 2:at + 4] == struct.pack(">H", 4791)


def headers_of(fields):
    """Bytes of all headers behind UDP."""
    return 12 + sum(size for name, size in SIZES.items() if "infiniband." + name in fields)


def captured(command):
    """The frames of RoCEv2 while the command runs, in a ring that has room for all (packet(7))."""
    slot, count, ring_option, statistics_option = 2048, 4096, 5, 6
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as tap:
        tap.setsockopt(SOL_PACKET, ring_option, struct.pack("IIII", 16 * slot, count // 16, slot, count))
        tap.bind(("lo", 3))
        ring = mmap.mmap(tap.fileno(), slot * count)
        subprocess.run(command, check=True)
        dropped = struct.unpack("II", tap.getsockopt(SOL_PACKET, statistics_option, 8))[1]
    if dropped:
        sys.exit(f"{dropped} frames were not captured")
    frames = []
    for at in range(0, slot * count, slot):
        status, length, captured_length, start = struct.unpack_from("LIIH", ring, at)
        if not status & 1:
            break
        if length > captured_length:
            sys.exit(f"a frame of {length} bytes is too long for the ring")
        frame = ring[at + start:at + start + length]
        # The loopback interface shows each one twice; the address of the socket tells them apart.
        if ring[at + 32 + 10] == socket.PACKET_OUTGOING and is_roce(frame):
            frames.append(frame)
    return frames


def write_capture(name, frames):
    with open(name, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65536, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def decoded(capture):
    """The fields of each packet, as tshark has them."""
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    for name in FIELDS:
        command += ["-e", name]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          universal_newlines=True).stdout
    for line in text.splitlines():
        fields = {}
        for (name, base), value in zip(FIELDS.items(), line.split("|")):
            if not value:
                continue
            if value in ("True", "False"):
                fields[name] = int(value == "True")
            else:
                fields[name] = int(value.replace(":", "") if base else value, base)
        yield fields


def icrc_ipv6(packet):
    """As annex A17.3.3 has it; scapy has none over IPv6."""
    network, udp = bytearray(bytes(packet)[:40]), bytearray(bytes(packet)[40:])
    network[0:4] = bytes([network[0] | 0x0F, 0xFF, 0xFF, 0xFF])
    network[7] = 0xFF
    udp[6:8] = b"\xff\xff"
    udp[8 + 4] = 0xFF
    return struct.pack("<I", zlib.crc32(b"\xff" * 8 + bytes(network) + bytes(udp[:-4])))


def main():
    name, *command = sys.argv[1:]
    frames = captured([*command[:1], name + ".json", *command[1:]])
    write_capture(name + ".pcap", frames)
    with open(name + ".json", encoding="ascii") as file:
        wanted = list(expected([json.loads(line) for line in file]))
    got = list(decoded(name + ".pcap"))
    raw = [Ether(frame).payload for frame in frames]
    if len(raw) != len(got):
        sys.exit(f"{len(raw)} packets for scapy, {len(got)} for tshark")
    failed = at = repeated = 0
    before = []
    opcodes = set()
    for number, (fields, packet) in enumerate(zip(got, raw), 1):
        bth = packet[BTH]
        icrc = icrc_ipv6(packet) if IPv6 in packet else bth.compute_icrc(None)
        if icrc != struct.pack(">I", bth.icrc):
            print(f"packet {number}: ICRC {bth.icrc:08x}, not {icrc.hex()}: {fields}")
            failed += 1
        fields[DATA] = bytes(packet[UDP])[8 + headers_of(fields):-4]
        if fields in before[-40:]:
            repeated += 1  # sent again: a processor was busy for a long time
            continue
        before.append(fields)
        if at == len(wanted):
            print(f"packet {number} was not expected: {fields}")
            failed += 1
            continue
        want = {name: value for name, value in wanted[at].items() if value is not None}
        at += 1
        for name in sorted(set(want) | set(fields)):
            if wanted[at - 1].get(name, 0) is None or name == "infiniband.bth.a" and name not in want:
                continue
            if want.get(name) != fields.get(name):
                print(f"packet {number}: {name} is {fields.get(name)!r}, not {want.get(name)!r}")
                failed += 1
        opcodes.add(fields.get("infiniband.bth.opcode"))
    if at != len(wanted):
        print(f"{len(wanted) - at} packets are missing, the first is {wanted[at]}")
        failed += 1
    if repeated > len(wanted) // 2:
        print(f"{repeated} of {len(got)} packets were sent again")
        failed += 1
    print(f"{len(got)} packets, {len(opcodes)} opcodes: {' '.join(f'{code:02x}' for code in sorted(opcodes))}")
    sys.exit(1 if failed else 0)


main()
