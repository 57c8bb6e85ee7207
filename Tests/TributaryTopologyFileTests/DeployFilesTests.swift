// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import Yams

/// The examples in Deploy/ that no test can run.
@Suite struct DeployFilesTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Deploy")

    @Test func theIndexedJobTellsItsPodsHowManyTheyAre() throws {
        let text = try String(contentsOf: Self.folder.appending(path: "kubernetes/fleet-job.yaml"), encoding: .utf8)
        let job = try #require(try Yams.compose(yaml: text))
        let spec = try #require(job["spec"])
        #expect(job["kind"]?.string == "Job")
        #expect(spec["completionMode"]?.string == "Indexed")
        let completions = try #require(spec["completions"]?.int)
        #expect(spec["parallelism"]?.int == completions, "shares that wait miss rounds")
        let container = try #require(spec["template"]?["spec"]?["containers"]?.sequence?.first)
        let command = container["command"]?.sequence?.compactMap(\.string) ?? []
        #expect(command.prefix(2) == ["tributary", "fleet"])
        let variable = container["env"]?.sequence?.first { $0["name"]?.string == "TRIBUTARY_SHARD_COUNT" }
        #expect(variable?["value"]?.string == "\(completions)")
        let volumes = Set(spec["template"]?["spec"]?["volumes"]?.sequence?.compactMap { $0["name"]?.string } ?? [])
        for mount in container["volumeMounts"]?.sequence ?? [] {
            #expect(volumes.contains(mount["name"]?.string ?? ""), "\(mount["mountPath"]?.string ?? "?")")
        }
    }
}
