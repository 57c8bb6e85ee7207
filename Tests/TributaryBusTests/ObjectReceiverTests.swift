// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryCrypto
import TributaryWire

@testable import TributaryBus

private func moment(_ seconds: Int64) -> Moment { Moment(nanoseconds: seconds * 1_000_000_000) }
private let window = UInt64(Limits.transferWindowByteCount)
private let digest = Digest.sha256(of: [1])

struct DownloadTests {
    private func download(_ byteCount: UInt64, held: UInt64 = 0) -> Download {
        Download(
            ObjectReference(digest: digest, byteCount: byteCount), heldByteCount: held, windowByteCount: Int(window),
            now: moment(0))
    }

    @Test func asksForOneWindowAndThenForWhatCame() {
        var download = download(10 * window, held: 5)
        #expect(download.nextFetch() == Fetch(digest: digest, offset: 5, length: window))
        #expect(download.nextFetch() == nil)
        #expect(
            download.receive(offset: 5, byteCount: Int(window / 2) - 1, now: moment(1))
                == .append(byteCount: Int(window / 2) - 1))
        #expect(download.nextFetch() == nil)
        #expect(download.receive(offset: 4 + window / 2, byteCount: 1, now: moment(1)) == .append(byteCount: 1))
        #expect(download.nextFetch() == Fetch(digest: digest, offset: 5 + window, length: window / 2))
        #expect(download.outstandingByteCount == window)
    }

    /// Whatever the sizes of chunks, a download asks for each byte once and never for more than a window ahead.
    @Test(arguments: 0..<20)
    func asksForEveryByteOnce(seed: UInt64) {
        var random = CounterRandom(seed: seed, purpose: .synthetic)
        let size = random.next(below: 5 * window)
        var download = download(size)
        var asked: UInt64 = 0
        while !download.isComplete {
            while let fetch = download.nextFetch() {
                #expect(fetch.offset == asked)
                asked += fetch.length
            }
            #expect(download.outstandingByteCount <= window && asked <= size)
            let byteCount = min(1 + random.next(below: 200_000), asked - download.receivedByteCount)
            let verdict = download.receive(
                offset: download.receivedByteCount, byteCount: Int(byteCount), now: moment(1))
            #expect(verdict == .append(byteCount: Int(byteCount)))
        }
        #expect(asked == size && download.nextFetch() == nil)
    }

    @Test func repeatsAfterSilenceMoreAndMoreRarely() throws {
        var download = download(10 * window)
        _ = download.nextFetch()
        _ = download.receive(offset: 0, byteCount: 100, now: moment(10))
        #expect(download.retry(now: moment(39), jitter: { $0 }) == nil)
        #expect(download.retry(now: moment(40), jitter: { $0 }) == Fetch(digest: digest, offset: 100, length: window))
        #expect(download.retryAt == moment(100))
        #expect(download.retry(now: moment(100), jitter: { $0 }) != nil)
        #expect(download.retryAt == moment(220))
        // The late first answer and its repetition: the second is known.
        #expect(download.receive(offset: 100, byteCount: 50, now: moment(221)) == .append(byteCount: 50))
        #expect(download.receive(offset: 100, byteCount: 50, now: moment(222)) == .duplicate)
        #expect(download.receive(offset: 120, byteCount: 50, now: moment(222)) == .append(byteCount: 20))
    }

    @Test func refusesWhatItDidNotAskFor() {
        var download = download(10 * window)
        #expect(download.receive(offset: 0, byteCount: 1, now: moment(0)) == .unexpected)
        _ = download.nextFetch()
        #expect(download.receive(offset: 1, byteCount: 1, now: moment(0)) == .unexpected)
        #expect(download.receive(offset: 0, byteCount: 0, now: moment(0)) == .unexpected)
        #expect(download.receive(offset: window, byteCount: 1, now: moment(0)) == .unexpected)
        #expect(download.receive(offset: 0, byteCount: Int(window) + 1, now: moment(0)) == .unexpected)
        #expect(download.receive(offset: .max, byteCount: .max, now: moment(0)) == .unexpected)
        #expect(download.receivedByteCount == 0)
    }
}

struct UploadQueueTests {
    private func fetch(_ digest: Digest, _ offset: UInt64, _ length: UInt64) -> Fetch {
        Fetch(digest: digest, offset: offset, length: length)
    }

    @Test func cutsRangesIntoChunks() {
        var queue = UploadQueue(chunkByteCount: 10)
        #expect(queue.add(fetch(digest, 5, 25), objectByteCount: 100) == nil)
        var pieces: [UploadQueue.Piece] = []
        while let piece = queue.next {
            pieces.append(piece)
            queue.advance()
        }
        #expect(pieces.map(\.offset) == [5, 15, 25])
        #expect(pieces.map(\.byteCount) == [10, 10, 5])
        #expect(queue.isEmpty)
    }

    @Test func transfersTakeTurns() {
        var queue = UploadQueue(chunkByteCount: 10)
        let other = Digest.sha256(of: [2])
        _ = queue.add(fetch(digest, 0, 30), objectByteCount: 100)
        _ = queue.add(fetch(other, 0, 20), objectByteCount: 100)
        var order: [Digest] = []
        while let piece = queue.next {
            order.append(piece.digest)
            queue.advance()
        }
        #expect(order == [digest, other, digest, other, digest])
    }

    @Test func repetitionsAndContinuationsAreOneRange() {
        var queue = UploadQueue(chunkByteCount: 10)
        for _ in 0..<1000 { #expect(queue.add(fetch(digest, 0, 30), objectByteCount: 100) == nil) }
        #expect(queue.add(fetch(digest, 30, 10), objectByteCount: 100) == nil)
        var byteCount = 0
        while let piece = queue.next {
            byteCount += piece.byteCount
            queue.advance()
        }
        #expect(byteCount == 40)
    }

    @Test func refusesRangesThatDoNotExistAndTooMany() {
        var queue = UploadQueue(chunkByteCount: 10)
        for (offset, length): (UInt64, UInt64) in [
            (100, 1), (99, 2), (0, 0), (.max, .max), (1, .max), (0, 101),
        ] {
            #expect(queue.add(fetch(digest, offset, length), objectByteCount: 100) == .wrongSize)
        }
        #expect(queue.add(fetch(digest, 0, window + 1), objectByteCount: .max) == .wrongSize)
        for number in 0..<UploadQueue.rangeCountMax {
            let object = Digest.sha256(of: [UInt8(number % 256), UInt8(number / 256)])
            #expect(queue.add(fetch(object, 0, 1), objectByteCount: 1) == nil)
        }
        #expect(queue.add(fetch(digest, 0, 1), objectByteCount: 1) == .unexpected)
    }
}

struct ObjectReceiverTests {
    private let peers = (0..<4).map { Peer(kind: .child, number: UInt64($0)) }

    @Test func aTransferThatStandsStillGivesItsPlaceAway() {
        let store = MemoryStore()
        let receiver = ObjectReceiver(store: store)
        let slow = (0..<Limits.transferCountMax).map {
            ObjectReference(digest: Digest.sha256(of: [UInt8($0), 1]), byteCount: 10 * window)
        }
        for object in slow { receiver.fetch(object, from: peers[0], now: moment(0)) }
        #expect(receiver.takeRequests().count == Limits.transferCountMax)
        let bytes = noise(byteCount: 1000, seed: 1)
        let quick = ObjectReference(digest: Digest.sha256(of: bytes), byteCount: 1000)
        receiver.fetch(quick, from: peers[1], now: moment(1))
        #expect(receiver.takeRequests().isEmpty)
        #expect(receiver.due() == moment(5))
        receiver.tick(now: moment(5))
        let requests = receiver.takeRequests()
        #expect(requests.contains { $0.peer == peers[1] })
        let chunk = Chunk(digest: quick.digest, offset: 0, payload: 0..<1000)
        #expect(receiver.receive(chunk, bytes: bytes.span.bytes, from: peers[1], now: moment(6)) == .used)
        #expect(receiver.takeEvents().count == 1)
        // What a parked transfer asked for may still come.
        let late = Chunk(digest: slow[0].digest, offset: 0, payload: 0..<1000)
        #expect(receiver.receive(late, bytes: bytes.span.bytes, from: peers[0], now: moment(7)) == .used)
        #expect(store.partials[slow[0].digest]?.bytes.count == 1000)
    }

    @Test func onlyTheSourceMayDeliverOrRefuse() {
        let receiver = ObjectReceiver(store: MemoryStore())
        let bytes = noise(byteCount: 10, seed: 1)
        let object = ObjectReference(digest: Digest.sha256(of: bytes), byteCount: 10)
        receiver.fetch(object, from: peers[0], now: moment(0))
        receiver.fetch(object, from: peers[1], now: moment(0))
        let chunk = Chunk(digest: object.digest, offset: 0, payload: 0..<10)
        #expect(receiver.receive(chunk, bytes: bytes.span.bytes, from: peers[1], now: moment(0)) == .unexpected)
        #expect(!receiver.refused(object.digest, by: peers[1], reason: .unknownObject, now: moment(0)))
        #expect(receiver.refused(object.digest, by: peers[0], reason: .unknownObject, now: moment(0)))
        #expect(receiver.takeRequests().map(\.peer) == [peers[0], peers[1]])
        #expect(receiver.receive(chunk, bytes: bytes.span.bytes, from: peers[1], now: moment(0)) == .used)
        let told = receiver.takeEvents()
        #expect(told.count == 2)
        // The refused source's answer was under way all the same; once is forgiven, more is not.
        #expect(receiver.receive(chunk, bytes: bytes.span.bytes, from: peers[0], now: moment(1)) == .late)
        #expect(receiver.receive(chunk, bytes: bytes.span.bytes, from: peers[0], now: moment(1)) == .unexpected)
    }

    @Test func forgettingTheLastPeerSetsTheObjectAside() {
        let store = MemoryStore()
        let receiver = ObjectReceiver(store: store)
        let bytes = noise(byteCount: 1000, seed: 1)
        let object = ObjectReference(digest: digest, byteCount: 10 * window)
        receiver.fetch(object, from: peers[0], now: moment(0))
        let chunk = Chunk(digest: digest, offset: 0, payload: 0..<1000)
        _ = receiver.receive(chunk, bytes: bytes.span.bytes, from: peers[0], now: moment(0))
        receiver.forget(peers[0], now: moment(1))
        #expect(receiver.takeEvents().isEmpty && receiver.due() == nil)
        #expect(store.partials.isEmpty && store.suspended[digest]?.count == 1000)
    }
}
