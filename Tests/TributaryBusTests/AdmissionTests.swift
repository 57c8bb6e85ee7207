// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CZeroMQ
import Testing
import TributaryCore
import TributaryWire

@testable import TributaryBus

/// A key that is taken back, and the door for those who have none.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct AdmissionTests {
    @Test func aRevokedKeysConnectionIsCutAndNobodyElsesIs() throws {
        let parent = try Node()
        let (bad, good) = (try Node(), try Node())
        let endpoint = try parent.listen(to: ["bad": bad, "good": good])
        let link = try bad.connect(to: parent, at: endpoint)
        let badSession = try introduce(bad, over: link, to: parent)
        let goodLink = try good.connect(to: parent, at: endpoint)
        let goodSession = try introduce(good, over: goodLink, to: parent)
        var admission = Admission()
        admission.admit(good.keys.publicKey, as: NodeName("good"))
        parent.bus.admit(admission)
        // The parent forgets it at once; the connection itself ends soon, and does not come back.
        try drive([parent, bad, good], deadline: .seconds(2)) {
            parent.gone == [badSession] && bad.gone == [link]
        }
        #expect(
            bad.messages.contains {
                if case .refuse(let refuse) = $0.envelope.message { refuse.reason == .revokedKey } else { false }
            })
        try drive([parent, bad, good]) { bad.refused == [.unknownKey] }
        #expect(bad.connectedCount == 1)
        good.bus.send(ready(7), to: goodLink)
        try drive([parent, good]) { parent.messages.last?.envelope == ready(7) }
        #expect(parent.messages.last?.peer == goodSession && good.gone.isEmpty)
    }

    /// It has proven its key and said nothing yet, so there is no session to end.
    @Test func aSilentConnectionOfARevokedKeyIsCutWhenItSpeaks() throws {
        let parent = try Node()
        let child = try Node()
        let endpoint = try parent.listen(to: ["child": child])
        let link = try child.connect(to: parent, at: endpoint)
        try drive([parent, child]) { child.connectedCount == 1 }
        parent.bus.admit(Admission())
        child.bus.send(ready(1), to: link)
        try drive([parent, child], deadline: .seconds(5)) { child.gone == [link] && child.refused == [.unknownKey] }
        #expect(parent.messages.isEmpty)
    }

    // MARK: Joining

    private func join(_ node: String?) -> Join {
        Join(
            secret: [UInt8](repeating: 7, count: Join.secretByteCount), node: node.map { NodeName($0) },
            signingKey: [UInt8](repeating: 1, count: 32), signature: [UInt8](repeating: 2, count: 64))
    }

    private let answer = Joined(
        node: NodeName("camera-1"), role: .client(ClientIndex(3)), parent: NodeName("edge"),
        endpoint: "tcp://10.0.0.1:7101")

    @Test func anyKeyMayJoinAndGetsOneAnswer() throws {
        let parent = try Node()
        let stranger = try Node()
        let endpoint = try parent.bus.bindForJoining("tcp://127.0.0.1:*", identity: parent.keys)
        let link = try stranger.connect(to: parent, at: endpoint)
        try drive([parent, stranger]) { stranger.connectedCount == 1 }
        stranger.bus.send(join("camera-1"), to: link)
        try drive([parent, stranger]) { !parent.joining.isEmpty }
        let request = try #require(parent.joining.first)
        #expect(request.key == stranger.keys.publicKey && request.join == join("camera-1"))
        parent.bus.welcome(request.peer, answer)
        try drive([parent, stranger]) { stranger.joined == [answer] && stranger.gone == [link] }
        #expect(parent.bus.childCount == 0 && parent.messages.isEmpty)
    }

    @Test func aStrangerIsTurnedAwayWithTheReason() throws {
        let parent = try Node()
        let stranger = try Node()
        let endpoint = try parent.bus.bindForJoining("tcp://127.0.0.1:*", identity: parent.keys)
        let link = try stranger.connect(to: parent, at: endpoint)
        try drive([parent, stranger]) { stranger.connectedCount == 1 }
        stranger.bus.send(join(nil), to: link)
        try drive([parent, stranger]) { !parent.joining.isEmpty }
        parent.bus.turnAway(try #require(parent.joining.first).peer, .expiredToken, "too late")
        try drive([parent, stranger]) { stranger.messages.count == 1 && stranger.gone == [link] }
        guard case .refuse(let refuse) = stranger.messages[0].envelope.message else {
            Issue.record("no refusal")
            return
        }
        #expect(refuse.reason == .expiredToken && refuse.text == "too late")
        #expect(parent.bus.refusals[.expiredToken] == 1)
    }

    @Test(arguments: ["second", "large", "garbage", "hello", "multipart"])
    func nothingElseGetsThrough(what: String) throws {
        let parent = try Node()
        let endpoint = try parent.bus.bindForJoining("tcp://127.0.0.1:*", identity: parent.keys)
        let child = try ZeroMQContext.shared.socket(ZMQ_DEALER)
        SocketOptions.prepareLink(
            child, identity: try CurveKeyPair.generate(), parentKey: parent.keys.publicKey, usesIPv6: false)
        try child.connect(endpoint)
        func send(_ bytes: [UInt8], more: Bool = false) throws {
            var isSent = false
            try drive([parent]) {
                if !isSent { isSent = child.send(bytes, more: more) == .sent }
                return isSent
            }
        }
        let frame = try Wire.frame(of: join(nil))
        let reason: ReasonCode
        switch what {
        case "second":
            reason = .joinOnce
            try send(frame)
            try send(frame)
        case "large":
            reason = .oversized
            try send([UInt8](repeating: 0, count: Limits.joinByteCount + 1))
        case "garbage":
            reason = .malformed
            try send([1, 2, 3])
        case "multipart":
            reason = .malformed
            try send(frame, more: true)
            try send(frame)
        default:
            reason = .unexpected
            var bytes = [UInt8](repeating: 0, count: Wire.byteCount(of: ready(1)))
            _ = try bytes.withUnsafeMutableBytes { try Wire.encode(ready(1), into: $0) }
            try send(bytes)
        }
        try drive([parent]) { parent.bus.refusals[reason] == 1 }
        #expect(parent.joining.count == (what == "second" ? 1 : 0) && parent.messages.isEmpty)
        #expect(parent.bus.sessions.count <= 1)
        // Whoever did it is cut off, and leaves nothing behind.
        if what != "multipart" { try drive([parent]) { parent.bus.sessions.isEmpty } }
    }

    /// The bind for children is not opened by a join, and a join is none of its messages.
    @Test func whoIsAdmittedCannotJoinAtTheChildrensBind() throws {
        let pair = try Pair()
        pair.child.bus.send(join(nil), to: pair.link)
        try drive(pair.nodes) { pair.parent.violations == [.unexpected] }
        #expect(pair.parent.joining.isEmpty && pair.parent.bus.node(of: pair.session) == NodeName("device"))
    }
}

extension Node {
    var joining: [(peer: Peer, key: CurvePublicKey, join: Join)] {
        events.compactMap {
            if case .joining(let peer, let key, let join) = $0 { (peer, key, join) } else { nil }
        }
    }
    var joined: [Joined] {
        events.compactMap { if case .joined(_, let joined) = $0 { joined } else { nil } }
    }
}
