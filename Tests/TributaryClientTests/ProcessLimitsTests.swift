// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TributaryClient

@Suite struct ProcessLimitsTests {
    @Test func coresAreCountedInTheMask() {
        #expect(ProcessLimits.coreCount(inStatus: "Name:\tx\nCpus_allowed:\tff,ffffffff,00000003\nMems:\t1\n") == 42)
        #expect(ProcessLimits.coreCount(inStatus: "Cpus_allowed:\t8\nCpus_allowed_list:\t0-7\n") == 1)
        #expect(ProcessLimits.coreCount(inStatus: "Cpus_allowed:\t0\n") == nil)
        #expect(ProcessLimits.coreCount(inStatus: "Cpus_allowed_list:\t0-7\n") == nil)
        #expect(ProcessLimits.coreCount >= 1)
    }

    @Test func whatFitsIsLetThroughAndTheRestIsNamed() throws {
        try ProcessLimits.makeRoom(forOpenFiles: 0)
        let error = try #require(throws: ProcessLimitsError.self) {
            // More than the kernel's fs.nr_open allows anybody.
            try ProcessLimits.makeRoom(forOpenFiles: 1 << 40)
        }
        #expect("\(error)".contains("host fewer devices"), "\(error)")
    }
}
