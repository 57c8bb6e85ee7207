// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryFiles

@testable import TributaryClient

@Suite struct HeldObjectsTests {
    private func withObjects(_ body: (HeldObjects) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "tributary-held-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(HeldObjects(store: try ObjectStore(directory: path)))
    }

    @Test("equal deltas of two devices are one object, which stays until both have let go")
    func equalDeltas() async throws {
        try await withObjects { objects in
            let delta = [Float](repeating: 0, count: 100)
            let first = try objects.put(HeapVector(copying: delta.span))
            let second = try objects.put(HeapVector(copying: delta.span))
            #expect(first == second)
            objects.release([first.digest])
            #expect(objects.store.contains(second.digest))
            objects.release([second.digest])
            #expect(!objects.store.contains(second.digest))
        }
    }

    @Test("a model that was held before it came stays for its other holders")
    func sharedModel() async throws {
        try await withObjects { objects in
            let model = try objects.store.put([1, 2, 3])
            objects.hold(model.digest)
            objects.hold(model.digest)
            objects.release([model.digest])
            #expect(objects.store.contains(model.digest))
            objects.release([model.digest])
            #expect(!objects.store.contains(model.digest))
        }
    }

    @Test("what a device has put is there until it lets go, whatever others do to equal objects")
    func atTheSameTime() async throws {
        try await withObjects { objects in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var missingCount = 0
                        for turn in 0..<200 {
                            let object = try objects.put(HeapVector(copying: [Float(turn % 2)].span))
                            if !objects.store.contains(object.digest) { missingCount += 1 }
                            objects.release([object.digest])
                        }
                        return missingCount
                    }
                }
                for try await missingCount in group { #expect(missingCount == 0) }
            }
            #expect(try objects.store.objects().isEmpty)
        }
    }
}
