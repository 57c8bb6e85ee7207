// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Glibc
internal import Synchronization
internal import TributaryCore

/// Answers libzmq's question whether a key may connect (ZAP, https://rfc.zeromq.org/spec/27/), for every bind of the
/// process, on a thread of its own.
///
/// Whatever is not a known key of a known domain is refused.
final class AdmissionDesk: Sendable {
    /// A stranger who was turned away.
    struct Notice: Sendable {
        let key: String
        let address: String
    }

    private struct Domain: Sendable {
        /// `nil` admits every key.
        var admission: Admission?
        var waker: Waker
        var refusalCount: UInt64 = 0
        var notices: [Notice] = []
    }

    private struct State: Sendable {
        var domains: [String: Domain] = [:]
        var domainCount = 0
        var isRunning = false
    }

    static let shared = AdmissionDesk()
    /// Notices kept per domain between two looks; further strangers are only counted.
    private static let noticeCountMax = 16
    private let state = Mutex(State())

    /// Opens a domain; its name goes into the bind's options.
    ///
    /// `admission`: whom to admit; `nil` for everybody who proves to hold a key, whatever it is.
    func open(_ admission: Admission?, waker: Waker) throws(BusError) -> String {
        try start()
        return state.withLock { state in
            state.domainCount += 1
            let name = "tributary.\(state.domainCount)"
            state.domains[name] = Domain(admission: admission, waker: waker)
            return name
        }
    }

    func replace(_ admission: Admission, in domain: String) {
        state.withLock { $0.domains[domain]?.admission = admission }
    }

    func close(_ domain: String) {
        state.withLock { _ = $0.domains.removeValue(forKey: domain) }
    }

    /// Takes what was refused since the last look.
    func takeRefusals(of domain: String) -> (count: UInt64, notices: [Notice]) {
        state.withLock { state in
            guard let refused = state.domains[domain], refused.refusalCount > 0 else { return (0, []) }
            state.domains[domain]?.refusalCount = 0
            state.domains[domain]?.notices = []
            return (refused.refusalCount, refused.notices)
        }
    }

    private func start() throws(BusError) {
        try state.withLock { (state) throws(BusError) in
            guard !state.isRunning else { return }
            // The socket is bound here, before any bind can ask, and used by its thread alone afterwards.
            let socket = try ZeroMQContext.shared.socket(ZMQ_REP)
            socket.set(ZMQ_LINGER, 0)
            _ = try socket.bind("inproc://zeromq.zap.01")
            try AdmissionDesk.startThread(serving: socket)
            state.isRunning = true
        }
    }

    private static func startThread(serving socket: ZeroMQSocket) throws(BusError) {
        let argument = Unmanaged.passRetained(socket)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                AdmissionDesk.shared.serve(Unmanaged<ZeroMQSocket>.fromOpaque(argument).takeRetainedValue())
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw .resources(action: "start the admission thread", message: String(cString: strerror(result)))
        }
        pthread_detach(thread)
    }

    private func serve(_ socket: ZeroMQSocket) {
        let message = IncomingMessage()
        while socket.receiveWaiting(into: message) {
            var parts = [Array(message.bytes)]
            while message.hasMore, socket.receiveWaiting(into: message) { parts.append(Array(message.bytes)) }
            for (position, part) in answer(parts).enumerated() {
                guard socket.send(part, more: position < 5) == .sent else { return }
            }
        }
    }

    /// Request: version, id, domain, address, routing id, mechanism, credentials.
    ///
    /// Reply: version, id, status, text, user id, metadata.
    private func answer(_ request: [[UInt8]]) -> [[UInt8]] {
        let head = [Array("1.0".utf8), request.count > 1 ? request[1] : []]
        func reply(_ status: String, _ text: String, _ user: String) -> [[UInt8]] {
            head + [Array(status.utf8), Array(text.utf8), Array(user.utf8), []]
        }
        guard request.count == 7, request[0] == Array("1.0".utf8), request[5] == Array("CURVE".utf8),
            request[6].count == 32
        else { return reply("400", "CURVE is required", "") }
        var characters = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        guard zmq_z85_encode(&characters, request[6], 32) != nil, let key = CurvePublicKey(Z85.text(characters)) else {
            return reply("400", "unreadable key", "")
        }
        let domain = String(decoding: request[2], as: UTF8.self)
        let isAdmitted = decide(key, domain: domain, address: String(decoding: request[3], as: UTF8.self))
        // The user id is the key itself, so that a key taken back ends its sessions, whatever its node is called.
        return isAdmitted ? reply("200", "OK", key.text) : reply("400", "unknown key", "")
    }

    private func decide(_ key: CurvePublicKey, domain name: String, address: String) -> Bool {
        state.withLock { state in
            guard let domain = state.domains[name] else { return false }
            guard let admission = domain.admission else { return true }
            if admission[key] != nil { return true }
            state.domains[name]?.refusalCount += 1
            if domain.notices.count < AdmissionDesk.noticeCountMax {
                state.domains[name]?.notices.append(Notice(key: key.text, address: address))
            }
            domain.waker.wake()
            return false
        }
    }
}
