# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""A device in Python, written from Proto/README.md alone: it joins a live aggregator and takes part in rounds.

It prints one JSON object a line about what happens, and exits 0 when the rounds it was asked for are closed, when the
run is over, or, with --send, when the refusal (or the end) that it provoked has come. It needs protobuf, pyzmq, PyNaCl,
numpy and protoc.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import struct
import sys
import time

import nacl.signing
import numpy
import zmq
import zmq.utils.monitor

from tributary_protocol import load

p = load()

CHUNK_BYTE_COUNT_MAX = 65_536
FRAME_BYTE_COUNT_MAX = CHUNK_BYTE_COUNT_MAX + 16_384
WINDOW_BYTE_COUNT = 1_048_576
WIRE_VERSION = 1

# Wrong updates, and wrong frames; the others end the process or repeat an update.
WRONG_UPDATES = ["nan", "inf", "bound", "shape", "stale", "weight", "base", "encoding", "run", "identity", "digest"]
WRONG_SIGNATURES = ["unsigned", "forged", "heavier", "replayed"]
WRONG_FRAMES = ["garbage", "oversized", "oversized-frame", "truncated", "unknown-kind"]
WRONG = WRONG_UPDATES + WRONG_SIGNATURES + WRONG_FRAMES + ["duplicate", "hello-identity", "kill-mid-upload"]


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def signed_bytes(update, run, epoch):
    """What a device signs of its update, as Proto/README.md spells it."""

    def text(value):
        return struct.pack(">I", len(value.encode())) + value.encode()

    parts = [b"tributary.update.v1\0", text(run), struct.pack(">QII", epoch, update.number.round,
             update.number.edge_round), text(update.key.node), struct.pack(">Q", update.key.sequence),
             update.base_digest, struct.pack(">I", len(update.groups))]
    parts += [struct.pack(">QIQ", group.weight, group.encoding, group.byte_count) for group in update.groups]
    parts.append(struct.pack(">I", update.HasField("body")))
    if update.HasField("body"):
        parts += [update.body.digest, struct.pack(">Q", update.body.byte_count)]
    parts.append(struct.pack(">I", len(update.metrics)))
    for metric in update.metrics:
        parts += [text(metric.name), struct.pack(">qq", metric.numerator, metric.denominator)]
    # A device has no voice to speak for others.
    parts.append(struct.pack(">I", 0))
    return b"".join(parts)


class Finished(Exception):
    """Nothing is left to do; carries the exit code."""


class Download:
    """An object on its way here: what has come and what was asked for."""

    def __init__(self, reference):
        self.digest = reference.digest
        self.byte_count = reference.byte_count
        self.data = bytearray()
        self.requested = 0

    def restart(self):
        self.requested = len(self.data)

    def next_range(self):
        outstanding = self.requested - len(self.data)
        if self.requested == self.byte_count or outstanding > WINDOW_BYTE_COUNT // 2:
            return None
        length = min(WINDOW_BYTE_COUNT - outstanding, self.byte_count - self.requested)
        offset, self.requested = self.requested, self.requested + length
        return offset, length

    def take(self, chunk):
        if chunk.offset > len(self.data) or chunk.offset + len(chunk.data) > self.requested:
            raise RuntimeError("a chunk came that was not asked for")
        self.data += chunk.data[len(self.data) - chunk.offset:]

    @property
    def is_complete(self):
        return len(self.data) == self.byte_count


class Offer:
    """An update that has no outcome yet, with its body."""

    def __init__(self, update, run, body):
        self.update = update
        self.run = run
        self.body = body
        self.has_receipt = False


class Connection:
    """One socket, from its connect to its break."""

    def __init__(self, context, options):
        with open(options.server_key) as file:
            server = file.readline().strip().encode()
        with open(options.key_file) as file:
            secret = file.readline().strip().encode()
        self.socket = context.socket(zmq.DEALER)
        self.socket.curve_serverkey = server
        self.socket.curve_secretkey = secret
        self.socket.curve_publickey = zmq.curve_public(secret)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)
        self.socket.setsockopt(zmq.LINGER, 1000)
        self.socket.setsockopt(zmq.RECONNECT_IVL, -1)
        self.socket.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTE_COUNT_MAX)
        self.socket.setsockopt(zmq.HEARTBEAT_IVL, 5000)
        self.socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15000)
        self.monitor = self.socket.get_monitor_socket()
        self.socket.connect(options.endpoint)
        self.is_welcome = False

    def close(self, linger_ms=0):
        self.socket.disable_monitor()
        self.monitor.close()
        self.socket.close(linger=linger_ms)


class Device:
    def __init__(self, options):
        self.options = options
        self.context = zmq.Context()
        self.connection = None
        self.poller = None
        self.pause = 0.1
        self.epoch = 0
        self.plan = None
        self.run = ""
        self.base = None
        self.download = None
        self.offer = None
        self.sequence = options.sequence if options.sequence is not None else time.time_ns() // 1000
        with open(options.key_file) as file:
            lines = file.read().split()
        self.signing_key = nacl.signing.SigningKey(bytes.fromhex(lines[1])) if len(lines) > 1 else None
        self.closed_rounds = 0
        self.waiting_for = options.send if options.send in WRONG else None
        self.has_misbehaved = False
        self.repeat_at = None

    # The connection

    def connect(self):
        self.connection = Connection(self.context, self.options)
        self.poller = zmq.Poller()
        self.poller.register(self.connection.socket, zmq.POLLIN)
        self.poller.register(self.connection.monitor, zmq.POLLIN)

    def reconnect(self, reason):
        say("disconnected", reason=reason)
        if self.waiting_for == "oversized-frame" and self.has_misbehaved:
            say("cut_off", sent=self.waiting_for)
            raise Finished(0)
        self.connection.close()
        time.sleep(self.pause * random.uniform(0.5, 1))
        self.pause = min(30, 2 * self.pause)
        self.connect()

    def watch(self):
        """Reads the socket's monitor."""
        event = zmq.utils.monitor.recv_monitor_message(self.connection.monitor)["event"]
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.pause = 0.1
            self.hello()
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            say("not_admitted", reason="admission.unknown_key")
            raise Finished(77)
        elif event in (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL):
            self.reconnect("handshake")
        elif event in (zmq.EVENT_DISCONNECTED, zmq.EVENT_CLOSED, zmq.EVENT_CONNECT_RETRIED):
            self.reconnect("connection")

    def send(self, run="", **kind):
        envelope = p.Envelope(run=run, epoch=self.epoch, wire_version=WIRE_VERSION, **kind)
        self.connection.socket.send(envelope.SerializeToString())

    def hello(self):
        name = "somebody-else" if self.options.send == "hello-identity" else self.options.name
        self.has_misbehaved |= self.options.send == "hello-identity"
        self.send(hello=p.Hello(
            node=name, client_index=self.options.client_index, wire_version_min=WIRE_VERSION,
            wire_version_max=WIRE_VERSION, encodings=[p.ENCODING_FLOAT32]))
        say("hello", node=name)

    # What comes

    def receive(self, frame):
        envelope = p.Envelope.FromString(frame)
        kind = envelope.WhichOneof("kind")
        if envelope.epoch:
            self.epoch = envelope.epoch
        handler = getattr(self, f"on_{kind}", None) if kind else None
        if handler:
            handler(getattr(envelope, kind), envelope)

    def on_wait(self, wait, _):
        say("wait", retry_after_ms=wait.retry_after_ms)
        self.repeat_at = time.monotonic() + wait.retry_after_ms / 1000

    def repeat(self):
        """Says again what has no answer yet."""
        self.repeat_at = None
        if not self.connection.is_welcome:
            self.hello()
        elif self.offer and not self.offer.has_receipt:
            self.send(run=self.offer.run, update=self.offer.update)

    def on_welcome(self, welcome, _):
        self.connection.is_welcome = True
        count = 0
        for group in welcome.layout.groups:
            for tensor in group.tensors:
                count += int(numpy.prod(tensor.shape, dtype=numpy.int64))
        say("welcomed", wire_version=welcome.wire_version, parameters=count,
            groups=[group.name for group in welcome.layout.groups])
        if self.offer:
            self.send(run=self.offer.run, update=self.offer.update)
            say("offered_again", sequence=self.offer.update.key.sequence)
        elif self.download:
            self.download.restart()
            self.pull()

    def on_plan(self, plan, envelope):
        if self.offer and self.offer.update.number == plan.number and self.offer.run == envelope.run:
            self.send(run=self.offer.run, update=self.offer.update)
            return
        if self.plan and self.run == envelope.run and self.plan.number == plan.number:
            return
        self.plan, self.run, self.offer = plan, envelope.run, None
        say("plan", round=plan.number.round, edge_round=plan.number.edge_round, kind=plan.WhichOneof("kind"),
            time_left_ms=plan.time_left_ms, run=self.run)
        sources = [source for source in plan.model.sources if source.encoding == p.ENCODING_FLOAT32]
        if not sources:
            self.send(run=self.run, refuse=p.Refuse(
                update=self.key(), reason="update.wrong_encoding", text="the plan offers no float32 source"))
            return
        self.download = Download(sources[0].object)
        if self.base is not None and hashlib.sha256(self.base).digest() == self.download.digest:
            self.download = None
            self.work()
        else:
            self.pull()

    def pull(self):
        request = self.download.next_range()
        while request:
            offset, length = request
            self.send(fetch=p.Fetch(digest=self.download.digest, offset=offset, length=length))
            request = self.download.next_range()

    def on_chunk(self, chunk, _):
        if not self.download or chunk.digest != self.download.digest:
            return
        self.download.take(chunk)
        if not self.download.is_complete:
            self.pull()
            return
        if hashlib.sha256(self.download.data).digest() != self.download.digest:
            raise RuntimeError("the model's bytes do not give its digest")
        self.base, self.download = bytes(self.download.data), None
        say("fetched", byte_count=len(self.base))
        self.work()

    def on_fetch(self, fetch, _):
        if not self.offer or fetch.digest != self.offer.update.body.digest:
            self.send(refuse=p.Refuse(object_digest=fetch.digest, reason="object.unknown"))
            return
        end = min(fetch.offset + fetch.length, len(self.offer.body))
        for offset in range(fetch.offset, end, CHUNK_BYTE_COUNT_MAX):
            data = self.offer.body[offset:min(end, offset + CHUNK_BYTE_COUNT_MAX)]
            self.send_chunk(p.Chunk(digest=fetch.digest, offset=offset, data=data))

    def on_receipt(self, receipt, _):
        if not self.offer or receipt.update != self.offer.update.key:
            return
        self.offer.has_receipt = True
        say("receipt", round=self.offer.update.number.round, sequence=receipt.update.sequence,
            durability=p.Durability.Name(receipt.durability))
        if self.options.send == "duplicate" and not self.has_misbehaved:
            again = p.Update()
            again.CopyFrom(self.offer.update)
            again.key.sequence = self.next_sequence()
            self.has_misbehaved = True
            self.sign(again)
            self.send(run=self.offer.run, update=again)

    def on_round_closed(self, closed, _):
        outcome = closed.WhichOneof("outcome")
        facts = {"contributors": closed.committed.contributor_count} if outcome == "committed" else {
            "reason": closed.failed}
        counted = bool(self.offer and self.offer.has_receipt and self.offer.update.number == closed.number)
        say("round_closed", round=closed.number.round, edge_round=closed.number.edge_round, outcome=outcome,
            counted=counted and outcome == "committed", **facts)
        if not self.offer or (self.offer.update.number.round, self.offer.update.number.edge_round) > (
                closed.number.round, closed.number.edge_round):
            return
        trained = bool(self.offer.update.groups)
        self.offer = None
        if trained:
            self.closed_rounds += 1
        if self.closed_rounds == self.options.rounds and self.waiting_for is None:
            self.leave("client.left")

    def on_refuse(self, refuse, _):
        say("refused", subject=refuse.WhichOneof("subject"), reason=refuse.reason, text=refuse.text)
        if self.offer and refuse.WhichOneof("subject") == "update" and refuse.update == self.offer.update.key:
            self.offer = None
        if self.waiting_for and self.has_misbehaved:
            self.leave("client.left")

    def on_drain(self, drain, _):
        say("drained", reason=drain.reason)
        self.leave(drain.reason)

    def leave(self, reason):
        self.send(leave=p.Leave(reason=reason))
        say("left", rounds=self.closed_rounds)
        raise Finished(0)

    # The work

    def next_sequence(self):
        sequence, self.sequence = self.sequence, self.sequence + 1
        return sequence

    def key(self):
        return p.UpdateKey(node=self.options.name, sequence=self.next_sequence())

    def work(self):
        plan = self.plan
        self.send(run=self.run, working=p.Working(number=plan.number, chosen_count=1, reported_count=0, permille=0))
        update = p.Update(key=self.key(), number=plan.number, base_digest=plan.model.digest)
        body = b""
        if plan.WhichOneof("kind") == "train":
            body = self.train(update)
            update.body.digest = hashlib.sha256(body).digest()
            update.body.byte_count = len(body)
        self.offer = Offer(update, self.run, body)
        if self.options.send and plan.WhichOneof("kind") == "train":
            self.misbehave()
        if not update.HasField("signature"):
            self.sign(update)
        self.send(run=self.offer.run, update=update)
        say("offered", round=plan.number.round, sequence=update.key.sequence, byte_count=len(body))

    def sign(self, update):
        if self.signing_key and self.options.send != "unsigned":
            update.signature.epoch = self.epoch
            update.signature.value = self.signing_key.sign(signed_bytes(update, self.offer.run, self.epoch)).signature

    def train(self, update):
        """A small random step in place of learning: the protocol does not say what the parameters mean."""
        generator = numpy.random.default_rng([self.plan.seed, self.options.client_index, self.plan.number.round])
        base = numpy.frombuffer(self.base, dtype="<f4")
        parts, position = [], 0
        for group in self.plan.groups:
            values = base[position:position + group.parameter_count]
            position += group.parameter_count
            local = values + generator.normal(0, 1e-3, len(values)).astype("<f4")
            bound = group.ring.delta_bound
            delta = numpy.clip(local - values, -bound, bound).astype("<f4")
            parts.append(delta.tobytes())
            update.groups.add(
                weight=min(self.options.examples, group.ring.weight_max), encoding=group.encoding,
                byte_count=4 * len(values))
        update.metrics.add(name="train.loss", numerator=self.options.examples << 20, denominator=self.options.examples)
        return b"".join(parts)

    # What must be refused

    def misbehave(self):
        update, send = self.offer.update, self.options.send
        if send in ("nan", "inf", "bound"):
            values = numpy.frombuffer(self.offer.body, dtype="<f4").copy()
            wrong = {"nan": numpy.nan, "inf": -numpy.inf, "bound": 2 * self.plan.groups[-1].ring.delta_bound}
            values[-1] = wrong[send]
            self.replace_body(values.tobytes())
        elif send == "shape":
            self.replace_body(self.offer.body + b"\0\0\0\0")
            update.groups[-1].byte_count += 4
        elif send == "stale":
            update.number.round -= 1
        elif send == "weight":
            update.groups[-1].weight = self.plan.groups[-1].ring.weight_max + 1
        elif send == "base":
            update.base_digest = hashlib.sha256(b"another model").digest()
        elif send == "encoding":
            update.groups[-1].encoding = p.ENCODING_RING
        elif send == "run":
            self.offer.run = "another-run"
        elif send == "identity":
            update.key.node = "somebody-else"
        elif send == "digest":
            update.body.digest = hashlib.sha256(b"another body").digest()
        elif send == "unsigned":
            pass
        elif send == "forged":
            self.signing_key = nacl.signing.SigningKey.generate()
        elif send == "heavier":
            self.sign(update)
            update.groups[-1].weight += 1
        elif send == "replayed":
            # A signature of another run's update, which was as good then.
            own, self.offer.run = self.offer.run, "another-run"
            self.sign(update)
            self.offer.run = own
        elif send == "garbage":
            self.connection.socket.send(bytes(random.Random(1).randbytes(200)))
        elif send == "unknown-kind":
            self.connection.socket.send(b"\x18\x01" + b"\xea\x06\x00")
        else:
            return
        self.has_misbehaved = True

    def replace_body(self, body):
        self.offer.body = body
        self.offer.update.body.digest = hashlib.sha256(body).digest()
        self.offer.update.body.byte_count = len(body)

    def send_chunk(self, chunk):
        send = self.options.send
        if send in ("oversized", "oversized-frame") and not self.has_misbehaved:
            self.has_misbehaved = True
            byte_count = CHUNK_BYTE_COUNT_MAX + 1 if send == "oversized" else FRAME_BYTE_COUNT_MAX + 1
            chunk.data = chunk.data.ljust(byte_count, b"\0")
        if send == "kill-mid-upload":
            chunk.data = chunk.data[:len(chunk.data) // 2]
        frame = p.Envelope(epoch=self.epoch, wire_version=WIRE_VERSION, chunk=chunk).SerializeToString()
        if send == "truncated" and not self.has_misbehaved:
            self.has_misbehaved = True
            frame = frame[:len(frame) // 2]
        self.connection.socket.send(frame)
        if send == "kill-mid-upload":
            say("killed")
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)

    def serve(self):
        self.connect()
        end = time.monotonic() + self.options.deadline
        while time.monotonic() < end:
            ready = dict(self.poller.poll(min(1.0, max(0, end - time.monotonic())) * 1000))
            if self.connection.monitor in ready:
                self.watch()
            elif self.repeat_at is not None and time.monotonic() >= self.repeat_at:
                self.repeat()
            elif self.connection.socket in ready:
                self.receive(self.connection.socket.recv())
        say("deadline", seconds=self.options.deadline)
        raise Finished(75)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True, help="the parent, for example tcp://127.0.0.1:7100")
    parser.add_argument("--server-key", required=True, help="the parent's .pub file")
    parser.add_argument("--key-file", required=True, help="this device's .key file")
    parser.add_argument("--name", required=True, help="this device's name in the topology")
    parser.add_argument("--client-index", required=True, type=int, help="this device's number in the topology")
    parser.add_argument("--rounds", type=int, default=1, help="training rounds to see closed before leaving")
    parser.add_argument("--examples", type=int, default=32, help="the weight of an update")
    parser.add_argument("--sequence", type=int, help="the first update's sequence; default: the clock")
    parser.add_argument("--deadline", type=float, default=120, help="seconds to wait for everything")
    parser.add_argument("--send", choices=WRONG, help="what to do wrong in the first training round")
    device = Device(parser.parse_args())
    try:
        device.serve()
    except Finished as finished:
        device.connection.close(linger_ms=1000)
        device.context.term()
        sys.exit(finished.args[0])


if __name__ == "__main__":
    main()
