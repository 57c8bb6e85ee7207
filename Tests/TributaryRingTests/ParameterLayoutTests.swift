// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryRing

@Suite struct ParameterLayoutTests {
    private static func tensor(_ name: String, _ group: String, _ shape: [Int]) -> ParameterTensor {
        ParameterTensor(name: name, group: group, shape: shape)
    }

    @Test func groupsTileTheVector() throws {
        let layout = try ParameterLayout(tensors: [
            Self.tensor("w1", "body", [3, 4]), Self.tensor("b1", "body", [4]), Self.tensor("w2", "head", [4, 2]),
            Self.tensor("t", "head", []),
        ])
        #expect(layout.parameterCount == 25 && layout.byteCount == 100)
        #expect(
            layout.groups == [
                ParameterGroup(name: "body", range: 0..<16), ParameterGroup(name: "head", range: 16..<25),
            ])
    }

    @Test(arguments: [
        [tensor("a", "g", [1]), tensor("a", "g", [1])],
        [tensor("a", "g", [0])],
        [tensor("a", "g", [-2, -3])],
        [tensor("a", "g", [1]), tensor("b", "h", [1]), tensor("c", "g", [1])],
        [tensor("a", "g", [.max, 2])],
        [tensor("a", "g", [.max / 8]), tensor("b", "g", [1])],
        [tensor("a", "g", [1 << 40, 1 << 40, 1 << 40])],
    ])
    func brokenLayoutsAreErrors(tensors: [ParameterTensor]) {
        #expect(throws: RingError.self) { try ParameterLayout(tensors: tensors) }
    }
}
