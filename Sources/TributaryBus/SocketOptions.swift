// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import TributaryCore

/// Every option of every socket, with its reason.
enum SocketOptions {
    /// Frames that may wait per peer and direction; at least twice a transfer window in the smallest chunks.
    static let highWaterMark = Int32(4 * Limits.transferWindowByteCount / Limits.deviceChunkByteCount)
    /// How long a connection may take to be made, and then to prove its key.
    static let connectTimeout = Duration.seconds(5)
    static let handshakeTimeout = Duration.seconds(3)

    /// ZMQ_ZAP_ENFORCE_DOMAIN, which Debian's zmq.h hides among the drafts although its libzmq obeys it.
    private static let zapEnforceDomain: Int32 = 93

    /// Options of a parent's socket.
    static func prepareListener(
        _ socket: ZeroMQSocket, identity: CurveKeyPair, domain: String, frameByteCountMax: Int, usesIPv6: Bool
    ) {
        prepareCommon(socket, frameByteCountMax: frameByteCountMax, usesIPv6: usesIPv6)
        socket.set(ZMQ_CURVE_SERVER, 1)
        socket.set(ZMQ_CURVE_SECRETKEY, identity.secretText)
        // Without a domain, or with nobody to ask, libzmq would let everyone in.
        socket.set(ZMQ_ZAP_DOMAIN, domain)
        socket.set(zapEnforceDomain, 1)
        // A send to nobody, or to a full pipe, must be an error instead of a loss.
        socket.set(ZMQ_ROUTER_MANDATORY, 1)
        // Nobody takes over another's routing id; who a peer is says its key.
        socket.set(ZMQ_ROUTER_HANDOVER, 0)
        // Thousands of devices come back at once after an outage.
        socket.set(ZMQ_BACKLOG, 4096)
    }

    /// Options of a child's socket.
    static func prepareLink(
        _ socket: ZeroMQSocket, identity: CurveKeyPair, parentKey: CurvePublicKey, usesIPv6: Bool
    ) {
        // A parent may be an aggregator's or a device's; the larger chunk is allowed from either.
        prepareCommon(
            socket, frameByteCountMax: Limits.aggregatorChunkByteCount + Limits.envelopeByteCount, usesIPv6: usesIPv6)
        socket.set(ZMQ_CURVE_SERVERKEY, parentKey.text)
        socket.set(ZMQ_CURVE_PUBLICKEY, identity.publicKey.text)
        socket.set(ZMQ_CURVE_SECRETKEY, identity.secretText)
        // Nothing is queued for a connection that does not stand.
        socket.set(ZMQ_IMMEDIATE, 1)
        // The link opens a new socket with its own back-off, so that no old frame reaches a new session.
        socket.set(ZMQ_RECONNECT_IVL, -1)
        socket.set(ZMQ_CONNECT_TIMEOUT, Int32(connectTimeout.milliseconds))
    }

    private static func prepareCommon(_ socket: ZeroMQSocket, frameByteCountMax: Int, usesIPv6: Bool) {
        socket.set(ZMQ_LINGER, 0)
        // What a stranger can make us hold before he is known, too.
        socket.set(ZMQ_MAXMSGSIZE, wide: Int64(frameByteCountMax))
        socket.set(ZMQ_HANDSHAKE_IVL, Int32(handshakeTimeout.milliseconds))
        socket.set(ZMQ_SNDHWM, highWaterMark)
        socket.set(ZMQ_RCVHWM, highWaterMark)
        // A half-open connection is noticed within three heartbeats.
        socket.set(ZMQ_HEARTBEAT_IVL, 5_000)
        socket.set(ZMQ_HEARTBEAT_TIMEOUT, 15_000)
        socket.set(ZMQ_HEARTBEAT_TTL, 15_000)
        socket.set(ZMQ_TCP_MAXRT, 20_000)
        socket.set(ZMQ_IPV6, usesIPv6 ? 1 : 0)
    }
}
