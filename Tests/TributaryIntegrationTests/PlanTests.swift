// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `tributary plan` as scripts see it.
@Suite struct PlanTests {
    private func data(_ process: Running) throws -> [String: Any] {
        let text = Data(process.lines.joined(separator: "\n").utf8)
        let envelope = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any], "\(process.tail)")
        return try #require(envelope["data"] as? [String: Any], "\(process.tail)")
    }

    @Test("0 when nothing changes, 2 when something does, 78 for a bad file")
    func exitCodes() throws {
        try Fleet.with { fleet in
            let old = try fleet.directory.write(Scene(regions: ["east", "west"]).text, as: "old.yaml")
            let new = try fleet.directory.write(Scene(regions: ["east", "north"]).text, as: "new.yaml")
            let bad = try fleet.directory.write("tributary: v1\nround: 3\n", as: "bad.yaml")
            #expect(try fleet.run("same", ["plan", old, old]).ending == .code(0))
            #expect(try fleet.run("bad", ["plan", old, bad]).ending == .code(78))
            #expect(try fleet.run("missing", ["plan", fleet.directory("none.yaml"), new]).ending == .code(78))
            let process = try fleet.run("changes", ["plan", old, new, "--format", "json"])
            #expect(process.ending == .code(2), "\(process.tail)")
            let found = try data(process)
            let changes = (found["aggregators"] as? [[String: Any]] ?? []).map {
                "\($0["change"] ?? "") \($0["name"] ?? "")"
            }
            #expect(changes == ["added north", "removed west"])
            #expect(found["keys_to_issue"] as? [String] == ["north"])
            #expect(found["keys_to_revoke"] as? [String] == ["west"])
            let text = try fleet.run("text", ["plan", old, new])
            #expect(text.lines.contains("+ region north below cloud"), "\(text.tail)")
            #expect(text.lines.contains { $0.hasSuffix("nodes: 1 added, 4 moved, 1 removed") }, "\(text.tail)")
        }
    }
}
