// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryCrypto

@testable import TributaryBus

@Suite(.serialized, .timeLimit(.minutes(3)))
struct TransferTests {
    @Test(arguments: [Limits.deviceChunkByteCount, Limits.aggregatorChunkByteCount])
    func largeObjectsPassBothWaysAtOnce(chunkByteCount: Int) throws {
        let pair = try Pair(chunkByteCount: chunkByteCount)
        let down = pair.parent.store.add(noise(byteCount: 50_000_003, seed: 1))
        let up = pair.child.store.add(noise(byteCount: 20_000_001, seed: 2))
        pair.child.bus.fetch(down, from: pair.link)
        pair.parent.bus.fetch(up, from: pair.session)
        try drive(pair.nodes, deadline: .seconds(60)) { !pair.child.fetched.isEmpty && !pair.parent.fetched.isEmpty }
        #expect(pair.child.fetched == [down] && pair.parent.fetched == [up])
        #expect(pair.child.store.objects[down.digest] == pair.parent.store.objects[down.digest])
        #expect(pair.parent.store.objects[up.digest] == pair.child.store.objects[up.digest])
        #expect(pair.child.store.appendedByteCount == down.byteCount)
        #expect(pair.parent.bus.refusals.isEmpty && pair.child.bus.refusals.isEmpty)
        // Frames cost next to nothing beside what they carry.
        let overhead = Double(pair.child.bus.traffic.bytesReceived) / Double(down.byteCount)
        #expect(overhead < 1.005)
    }

    @Test func objectsOfEverySmallSizePass() throws {
        let pair = try Pair()
        let chunk = Limits.deviceChunkByteCount
        let window = Limits.transferWindowByteCount
        let sizes = [0, 1, 2, chunk - 1, chunk, chunk + 1, window - 1, window, window + 1, window + window / 2 + 7]
        let objects = sizes.enumerated().map { pair.parent.store.add(noise(byteCount: $1, seed: UInt64($0))) }
        for object in objects { pair.child.bus.fetch(object, from: pair.link) }
        try drive(pair.nodes) { pair.child.fetched.count == objects.count }
        for object in objects {
            #expect(pair.child.store.objects[object.digest] == pair.parent.store.objects[object.digest])
        }
        // What is held is not pulled again.
        let received = pair.child.bus.traffic.bytesReceived
        pair.child.bus.fetch(objects[3], from: pair.link)
        try drive(pair.nodes) { pair.child.fetched.count == objects.count + 1 }
        #expect(pair.child.bus.traffic.bytesReceived == received)
    }

    @Test func moreObjectsThanPlacesAllCome() throws {
        let pair = try Pair()
        let objects = (0..<(3 * Limits.transferCountMax)).map {
            pair.parent.store.add(noise(byteCount: 100_000 + $0, seed: UInt64($0)))
        }
        for object in objects { pair.child.bus.fetch(object, from: pair.link) }
        try drive(pair.nodes) { pair.child.fetched.count == objects.count }
        #expect(pair.child.bus.refusals.isEmpty && pair.parent.bus.refusals.isEmpty)
    }

    @Test func unknownObjectsWrongSizesAndWrongDigestsFail() throws {
        let pair = try Pair()
        let absent = ObjectReference(digest: Digest.sha256(of: [1, 2, 3]), byteCount: 3)
        pair.child.bus.fetch(absent, from: pair.link)
        try drive(pair.nodes) { pair.child.fetchFailures == [.unknownObject] }

        let known = pair.parent.store.add(noise(byteCount: 1000, seed: 3))
        pair.child.bus.fetch(ObjectReference(digest: known.digest, byteCount: 1001), from: pair.link)
        try drive(pair.nodes) { pair.child.fetchFailures == [.unknownObject, .wrongSize] }

        // The parent holds other bytes than it says.
        let wrong = ObjectReference(digest: Digest.sha256(of: [9]), byteCount: 300_000)
        pair.parent.store.objects[wrong.digest] = noise(byteCount: 300_000, seed: 4)
        pair.child.bus.fetch(wrong, from: pair.link)
        try drive(pair.nodes) { pair.child.fetchFailures == [.unknownObject, .wrongSize, .wrongDigest] }

        pair.child.bus.fetch(
            ObjectReference(digest: wrong.digest, byteCount: Limits.objectByteCountMax + 1), from: pair.link)
        try drive(pair.nodes) { pair.child.fetchFailures.last == .oversized }
        #expect(pair.child.fetched.isEmpty)
        // The link works on.
        pair.child.bus.fetch(known, from: pair.link)
        try drive(pair.nodes) { pair.child.fetched == [known] }
    }

    @Test func aFullStoreFailsTheFetchOnly() throws {
        let pair = try Pair()
        let object = pair.parent.store.add(noise(byteCount: 5_000_000, seed: 5))
        pair.child.bus.fetch(object, from: pair.link)
        try drive(pair.nodes) { pair.child.store.appendedByteCount > 1_000_000 }
        pair.child.store.isFull = true
        try drive(pair.nodes) { pair.child.fetchFailures == [.storage] }
        pair.child.store.isFull = false
        pair.child.bus.fetch(object, from: pair.link)
        try drive(pair.nodes) { pair.child.fetched == [object] }
        #expect(pair.child.store.appendedByteCount == object.byteCount)
        // Chunks that were still under way after the failure are nobody's fault.
        #expect(pair.parent.bus.refusals.isEmpty && pair.child.bus.refusals.isEmpty)
    }

    @Test(arguments: [true, false])
    func aCutConnectionResumesWithoutSendingAgain(isDownload: Bool) throws {
        let parent = try Node()
        let child = try Node()
        let endpoint = try parent.listen(to: ["device": child])
        let port = try #require(UInt16(endpoint.split(separator: ":").last ?? ""))
        let proxy = try CutProxy(to: port)
        let link = try child.connect(to: parent, at: "tcp://127.0.0.1:\(proxy.port)")
        let (receiver, sender) = isDownload ? (child, parent) : (parent, child)
        let object = sender.store.add(noise(byteCount: 12_000_000, seed: 6))
        if isDownload { proxy.budgetDown = 5_000_000 } else { proxy.budgetUp = 5_000_000 }

        // What a node does: the child says hello on every connection, and either side fetches again.
        var seen = 0
        func act() {
            proxy.step()
            for event in child.events[seen...] {
                guard case .connected = event else { continue }
                child.bus.send(ready(0), to: link)
                if isDownload { child.bus.fetch(object, from: link) }
            }
            seen = child.events.count
            if proxy.cutCount == 1 { (proxy.budgetDown, proxy.budgetUp) = (nil, nil) }
        }
        var greeted = 0
        try drive([parent, child], deadline: .seconds(60), step: act) {
            if !isDownload {
                for message in parent.messages[greeted...] { parent.bus.fetch(object, from: message.peer) }
                greeted = parent.messages.count
            }
            return !receiver.fetched.isEmpty
        }
        #expect(proxy.cutCount == 1)
        #expect(child.connectedCount == 2)
        #expect(receiver.store.objects[object.digest] == sender.store.objects[object.digest])
        #expect(receiver.store.appendedByteCount == object.byteCount)
        #expect(sender.bus.traffic.bytesSent < object.byteCount + UInt64(Limits.transferWindowByteCount) + 200_000)
    }

    @Test func anObjectAskedFromSeveralPeersIsPulledOnce() throws {
        let parent = try Node()
        let first = try Node()
        let second = try Node()
        let endpoint = try parent.listen(to: ["first": first, "second": second])
        let peers = [
            try introduce(first, over: first.connect(to: parent, at: endpoint), to: parent),
            try introduce(second, over: second.connect(to: parent, at: endpoint), to: parent),
        ]
        let bytes = noise(byteCount: 3_000_000, seed: 7)
        let object = first.store.add(bytes)
        _ = second.store.add(bytes)
        for peer in peers { parent.bus.fetch(object, from: peer) }
        try drive([parent, first, second]) { parent.fetched.count == 2 }
        #expect(parent.store.appendedByteCount == object.byteCount)
        #expect(second.bus.traffic.bytesSent < 1000)
    }

    @Test func aStandbyTakesOverWhereTheFirstPeerStopped() throws {
        let parent = try Node()
        let first = try Node()
        let second = try Node()
        let endpoint = try parent.listen(to: ["first": first, "second": second])
        let peers = [
            try introduce(first, over: first.connect(to: parent, at: endpoint), to: parent),
            try introduce(second, over: second.connect(to: parent, at: endpoint), to: parent),
        ]
        let bytes = noise(byteCount: 8_000_000, seed: 8)
        let object = first.store.add(bytes)
        _ = second.store.add(bytes)
        for peer in peers { parent.bus.fetch(object, from: peer) }
        try drive([parent, first, second]) { parent.store.appendedByteCount > 2_000_000 }
        first.bus.close()
        try drive([parent, second]) { !parent.fetched.isEmpty }
        #expect(parent.store.appendedByteCount == object.byteCount)
        #expect(second.bus.traffic.bytesSent < 6_100_000)
    }

    @Test func aChildThatDoesNotReadStarvesNobody() throws {
        let parent = try Node()
        let stuck = try Node()
        let lively = try Node()
        let endpoint = try parent.listen(to: ["stuck": stuck, "lively": lively])
        let port = try #require(UInt16(endpoint.split(separator: ":").last ?? ""))
        let proxy = try CutProxy(to: port)
        let stuckLink = try stuck.connect(to: parent, at: "tcp://127.0.0.1:\(proxy.port)")
        let livelyLink = try lively.connect(to: parent, at: endpoint)
        try drive([parent, stuck, lively], step: proxy.step) {
            stuck.connectedCount == 1 && lively.connectedCount == 1
        }
        let big = parent.store.add(noise(byteCount: 30_000_000, seed: 9))
        stuck.bus.fetch(big, from: stuckLink)
        try drive([parent, stuck], step: proxy.step) { stuck.store.appendedByteCount > 2_000_000 }
        // From here the stuck child's connection takes nothing more; another child gets everything it asks for.
        lively.bus.fetch(big, from: livelyLink)
        try drive([parent, lively], deadline: .seconds(30)) { lively.fetched == [big] }
        // Only what it had asked for waits for the stuck one.
        let waiting = parent.bus.meter.byteCount
        #expect(waiting <= Limits.transferWindowByteCount + 100_000)
        try drive([parent, stuck], deadline: .seconds(60), step: proxy.step) { stuck.fetched == [big] }
    }

    @Test func manyChildrenShareOneObject() throws {
        let parent = try Node()
        let children = try (0..<8).map { _ in try Node() }
        var names: [String: Node] = [:]
        for (number, child) in children.enumerated() { names["device-\(number)"] = child }
        let endpoint = try parent.listen(to: names)
        let links = try children.map { try $0.connect(to: parent, at: endpoint) }
        try drive([parent] + children) { children.allSatisfy { $0.connectedCount == 1 } }
        let model = parent.store.add(noise(byteCount: 4_000_000, seed: 10))
        for (child, link) in zip(children, links) { child.bus.fetch(model, from: link) }
        // They take turns: nobody is far behind when the first has everything.
        try drive([parent] + children) { children.contains { !$0.fetched.isEmpty } }
        let slowest = children.map(\.store.appendedByteCount).min() ?? 0
        #expect(slowest > 1_000_000)
        try drive([parent] + children) { children.allSatisfy { $0.fetched == [model] } }
    }

    @Test func aCancelledFetchKeepsWhatCame() throws {
        let pair = try Pair()
        let object = pair.parent.store.add(noise(byteCount: 8_000_000, seed: 11))
        pair.child.bus.fetch(object, from: pair.link)
        try drive(pair.nodes) { pair.child.store.appendedByteCount > 1_000_000 }
        pair.child.bus.cancelFetch(object.digest, from: pair.link)
        let held = pair.child.store.appendedByteCount
        pair.parent.bus.send(ready(1), to: pair.session)
        try drive(pair.nodes) { !pair.child.messages.isEmpty }
        #expect(pair.child.store.appendedByteCount == held && pair.child.fetchFailures.isEmpty)
        pair.child.bus.fetch(object, from: pair.link)
        try drive(pair.nodes) { pair.child.fetched == [object] }
        #expect(pair.child.store.appendedByteCount == object.byteCount)
    }

    @Test func fetchingFromAPeerThatIsGoneFailsAtOnce() throws {
        let pair = try Pair()
        let object = ObjectReference(digest: Digest.sha256(of: [1]), byteCount: 1)
        pair.child.bus.close()
        try drive([pair.parent]) { !pair.parent.gone.isEmpty }
        pair.parent.bus.fetch(object, from: pair.session)
        try drive([pair.parent]) { pair.parent.fetchFailures == [.lost] }
    }

    @Test func flushSendsEverythingBeforeTheBusCloses() throws {
        let pair = try Pair()
        for number in 1...100 { pair.child.bus.send(ready(UInt64(number)), to: pair.link) }
        pair.child.bus.flush(until: Bus.now() + .seconds(5))
        pair.child.bus.close()
        try drive([pair.parent]) { pair.parent.messages.count == 101 && !pair.parent.gone.isEmpty }
    }
}
