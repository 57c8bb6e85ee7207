// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryTopologyFile

@Suite struct TopologySchemaTests {
    @Test("the committed schema is the one that the reader's table gives")
    func committed() throws {
        let bytes = try #require(TestFiles.read(TestFiles.topologies + "/topology.schema.json"))
        #expect(
            String(decoding: bytes, as: UTF8.self) == TopologySchema.text,
            "run 'tributary config --schema > Topologies/topology.schema.json'")
    }
}
