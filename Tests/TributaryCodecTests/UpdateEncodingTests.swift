// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCodec
import TributaryCore

@Suite struct UpdateEncodingTests {
    @Test func sizes() {
        #expect(UpdateEncoding.float32.byteCountMax(parameterCount: 1000) == 4000)
        #expect(UpdateEncoding.float32.byteCountMin(parameterCount: 1000) == 4000)
        #expect(UpdateEncoding.ring.byteCountMax(parameterCount: 2048) == 2 * (1 + 8192))
        #expect(UpdateEncoding.ring.byteCountMin(parameterCount: 2049) == 3)
    }

    @Test(arguments: UpdateEncoding.allCases) func hugeCountsAreNil(encoding: UpdateEncoding) {
        #expect(encoding.byteCountMax(parameterCount: .max) == nil)
        #expect(encoding.byteCountMax(parameterCount: 0) == 0)
    }
}
