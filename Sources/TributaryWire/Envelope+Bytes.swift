// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

// The envelope around Core's messages, written and read.

extension MessageArena {
    /// An envelope without its kind.
    func head(
        run: RunID? = nil, epoch: UInt64 = 0, trace: String = ""
    ) -> UnsafeMutablePointer<Tributary__V1__Envelope> {
        let envelope = make(tributary__v1__envelope__init)
        if let run { envelope.pointee.run = text(run.value) }
        if !trace.isEmpty { envelope.pointee.trace_context = text(trace) }
        envelope.pointee.epoch = epoch
        envelope.pointee.wire_version = WireVersion.current
        return envelope
    }

    func envelope(_ value: Envelope, trace: String) -> UnsafeMutablePointer<Tributary__V1__Envelope> {
        let envelope = head(run: value.run, epoch: value.epoch.value, trace: trace)
        put(value.message, into: &envelope.pointee)
        return envelope
    }

    func fetch(_ value: Fetch) -> UnsafeMutablePointer<Tributary__V1__Envelope> {
        let fetch = make(tributary__v1__fetch__init)
        fetch.pointee.digest = digest(value.digest)
        fetch.pointee.offset = value.offset
        fetch.pointee.length = value.length
        let envelope = head()
        envelope.pointee.kind_case = TRIBUTARY__V1__ENVELOPE__KIND_FETCH
        envelope.pointee.fetch = fetch
        return envelope
    }

    func join(_ value: Join) -> UnsafeMutablePointer<Tributary__V1__Envelope> {
        let join = make(tributary__v1__join__init)
        join.pointee.secret = bytes(of: value.secret)
        if let node = value.node { join.pointee.node = text(node.value) }
        join.pointee.signing_key = bytes(of: value.signingKey)
        join.pointee.signature = bytes(of: value.signature)
        let envelope = head()
        envelope.pointee.kind_case = TRIBUTARY__V1__ENVELOPE__KIND_JOIN
        envelope.pointee.join = join
        return envelope
    }

    func joined(_ value: Joined) -> UnsafeMutablePointer<Tributary__V1__Envelope> {
        let joined = make(tributary__v1__joined__init)
        joined.pointee.node = text(value.node.value)
        switch value.role {
        case .client(let client):
            joined.pointee.role_case = TRIBUTARY__V1__JOINED__ROLE_CLIENT_INDEX
            joined.pointee.client_index = client.value
        case .aggregator:
            joined.pointee.role_case = TRIBUTARY__V1__JOINED__ROLE_AGGREGATOR
            joined.pointee.aggregator = make(tributary__v1__aggregator_role__init)
        }
        joined.pointee.parent = text(value.parent.value)
        joined.pointee.endpoint = text(value.endpoint)
        let envelope = head()
        envelope.pointee.kind_case = TRIBUTARY__V1__ENVELOPE__KIND_JOINED
        envelope.pointee.joined = joined
        return envelope
    }

    func ping() -> UnsafeMutablePointer<Tributary__V1__Envelope> {
        let envelope = head()
        envelope.pointee.kind_case = TRIBUTARY__V1__ENVELOPE__KIND_PING
        envelope.pointee.ping = make(tributary__v1__ping__init)
        return envelope
    }

    private func put(_ message: Message, into envelope: inout Tributary__V1__Envelope) {
        envelope.kind_case = Self.kind(of: message)
        switch message {
        case .hello(let value): envelope.hello = hello(value)
        case .ready(let value): envelope.ready = ready(value)
        case .update(let value): envelope.update = update(value)
        case .sumOffer(let value): envelope.sum_offer = sumOffer(value)
        case .sum(let value): envelope.sum = sum(value)
        case .working(let value): envelope.working = working(value)
        case .leave(let value): envelope.leave = leave(value)
        case .welcome(let value): envelope.welcome = welcome(value)
        case .plan(let value): envelope.plan = plan(value)
        case .receipt(let value): envelope.receipt = receipt(value)
        case .sumGrant(let value): envelope.sum_grant = sumGrant(value)
        case .roundClosed(let value): envelope.round_closed = roundClosed(value)
        case .wait(let value): envelope.wait = wait(value)
        case .drain(let value): envelope.drain = drain(value)
        case .refuse(let value): envelope.refuse = refuse(value)
        }
    }

    private static func kind(of message: Message) -> Tributary__V1__Envelope__KindCase {
        switch message {
        case .hello: TRIBUTARY__V1__ENVELOPE__KIND_HELLO
        case .ready: TRIBUTARY__V1__ENVELOPE__KIND_READY
        case .update: TRIBUTARY__V1__ENVELOPE__KIND_UPDATE
        case .sumOffer: TRIBUTARY__V1__ENVELOPE__KIND_SUM_OFFER
        case .sum: TRIBUTARY__V1__ENVELOPE__KIND_SUM
        case .working: TRIBUTARY__V1__ENVELOPE__KIND_WORKING
        case .leave: TRIBUTARY__V1__ENVELOPE__KIND_LEAVE
        case .welcome: TRIBUTARY__V1__ENVELOPE__KIND_WELCOME
        case .plan: TRIBUTARY__V1__ENVELOPE__KIND_PLAN
        case .receipt: TRIBUTARY__V1__ENVELOPE__KIND_RECEIPT
        case .sumGrant: TRIBUTARY__V1__ENVELOPE__KIND_SUM_GRANT
        case .roundClosed: TRIBUTARY__V1__ENVELOPE__KIND_ROUND_CLOSED
        case .wait: TRIBUTARY__V1__ENVELOPE__KIND_WAIT
        case .drain: TRIBUTARY__V1__ENVELOPE__KIND_DRAIN
        case .refuse: TRIBUTARY__V1__ENVELOPE__KIND_REFUSE
        }
    }
}

extension Field {
    static func body(_ item: Tributary__V1__Envelope) throws(WireError) -> WireBody {
        switch item.kind_case {
        case TRIBUTARY__V1__ENVELOPE__KIND_PING: return .ping
        case TRIBUTARY__V1__ENVELOPE__KIND_FETCH: return .fetch(try fetch(try present(item.fetch, "fetch")))
        case TRIBUTARY__V1__ENVELOPE__KIND_JOIN: return .join(try join(try present(item.join, "join")))
        case TRIBUTARY__V1__ENVELOPE__KIND_JOINED: return .joined(try joined(try present(item.joined, "joined")))
        default: break
        }
        let run = try text(item.run, "envelope.run", byteCountMax: Limits.nameByteCountMax)
        return .message(
            Envelope(
                run: run.isEmpty ? nil : RunID(run),
                epoch: TopologyEpoch(try atMost(item.epoch, UInt64(Int64.max), "envelope.epoch")),
                message: try message(item)))
    }

    private static func fetch(_ item: Tributary__V1__Fetch) throws(WireError) -> Fetch {
        let length = try atLeastOne(item.length, "fetch.length")
        return Fetch(
            digest: try digest(item.digest, "fetch.digest"),
            offset: try atMost(item.offset, Limits.objectByteCountMax, "fetch.offset"),
            length: try atMost(length, UInt64(Limits.transferWindowByteCount), "fetch.length"))
    }

    private static func message(_ item: Tributary__V1__Envelope) throws(WireError) -> Message {
        switch item.kind_case {
        case TRIBUTARY__V1__ENVELOPE__KIND_HELLO: .hello(try hello(try present(item.hello, "hello")))
        case TRIBUTARY__V1__ENVELOPE__KIND_READY: .ready(try ready(try present(item.ready, "ready")))
        case TRIBUTARY__V1__ENVELOPE__KIND_UPDATE: .update(try update(try present(item.update, "update")))
        case TRIBUTARY__V1__ENVELOPE__KIND_SUM_OFFER:
            .sumOffer(try sumOffer(try present(item.sum_offer, "sum_offer")))
        case TRIBUTARY__V1__ENVELOPE__KIND_SUM: .sum(try sum(try present(item.sum, "sum")))
        case TRIBUTARY__V1__ENVELOPE__KIND_WORKING: .working(try working(try present(item.working, "working")))
        case TRIBUTARY__V1__ENVELOPE__KIND_LEAVE: .leave(try leave(try present(item.leave, "leave")))
        case TRIBUTARY__V1__ENVELOPE__KIND_WELCOME: .welcome(try welcome(try present(item.welcome, "welcome")))
        case TRIBUTARY__V1__ENVELOPE__KIND_PLAN: .plan(try plan(try present(item.plan, "plan")))
        case TRIBUTARY__V1__ENVELOPE__KIND_RECEIPT: .receipt(try receipt(try present(item.receipt, "receipt")))
        case TRIBUTARY__V1__ENVELOPE__KIND_SUM_GRANT:
            .sumGrant(try sumGrant(try present(item.sum_grant, "sum_grant")))
        case TRIBUTARY__V1__ENVELOPE__KIND_ROUND_CLOSED:
            .roundClosed(try roundClosed(try present(item.round_closed, "round_closed")))
        case TRIBUTARY__V1__ENVELOPE__KIND_WAIT: .wait(try wait(try present(item.wait, "wait")))
        case TRIBUTARY__V1__ENVELOPE__KIND_DRAIN: .drain(try drain(try present(item.drain, "drain")))
        case TRIBUTARY__V1__ENVELOPE__KIND_REFUSE: .refuse(try refuse(try present(item.refuse, "refuse")))
        default: throw .unknownKind(item.kind_case.rawValue)
        }
    }
}
