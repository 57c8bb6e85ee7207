// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology
import TributaryTopologyFile

@Suite struct TopologyFileTests {
    @Test("every example loads without warnings", arguments: TestFiles.yaml(in: TestFiles.topologies))
    func examples(name: String) throws {
        let document = try TopologyFile.load(TestFiles.topologies + "/" + name)
        #expect(document.warnings.isEmpty)
        #expect(document.tree.deviceCount > 0)
    }

    @Test("the example of 'init' is the demo's topology")
    func example() throws {
        let bytes = try #require(TestFiles.read(TestFiles.topologies + "/factory.yaml"))
        let text = String(decoding: bytes, as: UTF8.self)
        let head = """
            # Copyright (c) 2026 the Tributary authors
            # SPDX-License-Identifier: Apache-2.0
            # yaml-language-server: $schema=topology.schema.json
            #

            """
        #expect(text == head + TopologyFile.example)
    }

    @Test("written out and read again, a topology is the same", arguments: TestFiles.yaml(in: TestFiles.topologies))
    func roundTrip(name: String) throws {
        let document = try TopologyFile.load(TestFiles.topologies + "/" + name)
        let text = document.topology.canonicalText
        let again = try TopologyFile.parse(Array(text.utf8), file: "canonical")
        #expect(again.topology == document.topology)
        #expect(again.topology.canonicalText == text)
        let annotated = try TopologyFile.parse(Array(document.annotatedText().utf8), file: "annotated")
        #expect(annotated.topology == document.topology)
    }

    @Test("JSON is YAML: the canonical JSON reads back too", arguments: TestFiles.yaml(in: TestFiles.topologies))
    func jsonRoundTrip(name: String) throws {
        let document = try TopologyFile.load(TestFiles.topologies + "/" + name)
        for indent in [nil, 2] as [Int?] {
            let json = document.canonical.json(indent: indent)
            #expect(try TopologyFile.parse(Array(json.utf8), file: "json").topology == document.topology)
        }
    }

    @Test("a full file means what it says")
    func fullFile() throws {
        let text = """
            tributary: v1
            federation: full
            seed: 18446744073709551615
            model: {kind: cnn, blocks: [{channels: 4}], hidden: [8, 9]}
            data:
              kind: csv
              path: "rows: 1.csv"
              label: state
              client: who
              test: test.csv
              partition: {kind: natural-id}
            rounds: 9
            stop: {metric: loss, at: 0.25}
            evaluation: {every: 3, devices: {every: 4, hold-out: 0.2}}
            tiers:
              - {name: hq, optimizer: {kind: fedyogi, beta1: 0.8, tau: 1e-2}, quorum: 0.75, deadline: 1.5s}
              - {name: area, count: 2, edge-rounds: 3, listen: "tcp://[::1]:8000"}
              - name: box
                per-parent: 5
                cohort: {count: 6, over-select: 1.25}
                train:
                  local-steps: 7
                  batch: 9
                  proximal: 0.5
                  delta-bound: 2
                  weight-max: 1000
                  on-excess: refuse
                  optimizer: {kind: adam, learning-rate: 0.25, epsilon: 1e-7}
            nodes:
              area-1: {children: 3, quorum: 0.5, advertise: tcp://area.example:9}
              box-2: {parent: area-1}
            simulate:
              links: {box: {bandwidth: 10Mbit, loss: 1%}}
              faults: [{partition: area-0, from: 30s}]
            """
        let document = try TopologyFile.parse(Array(text.utf8), file: "full.yaml")
        let topology = document.topology
        #expect(topology.seed == .max)
        #expect(topology.model == .cnn(blocks: [ConvolutionBlock(channels: 4, kernel: 3)], hidden: [8, 9]))
        #expect(
            topology.data
                == DataSpecification(
                    source: .csv(path: "rows: 1.csv", label: "state", client: "who", test: "test.csv"),
                    partition: .naturalID, holdOut: 0))
        #expect(topology.stop == StopRule(metric: .loss, threshold: 0.25))
        #expect(topology.evaluation == EvaluationSettings(every: 3, onDevices: .init(every: 4, holdOut: 0.2)))
        #expect(topology.tiers[0].optimizer == .fedYogi(learningRate: 0.01, beta1: 0.8, beta2: 0.99, tau: 0.01))
        #expect(topology.tiers[0].deadline == .milliseconds(1500))
        #expect(topology.tiers[1].optimizer == .fedAvg(learningRate: 1))
        #expect(topology.tiers[1].listen == Endpoint(host: "::1", port: 8000))
        #expect(topology.tiers[1].uplink == .float32)
        #expect(topology.selection == .count(6, overSelect: 1.25))
        #expect(
            topology.training
                == Training(
                    settings: TrainSettings(
                        work: .steps(7), batch: 9,
                        optimizer: .adam(learningRate: 0.25, beta1: 0.9, beta2: 0.999, epsilon: 1e-7), proximal: 0.5),
                    deltaBound: 2, weightMax: 1000, onExcess: .refuse))
        #expect(topology.simulation.link(ofTier: "box").loss == 0.01)
        #expect(topology.simulation.faults.map(\.from) == [.seconds(30)])
        #expect(document.tree.deviceCount == 8)
        #expect(document.tree.aggregators[1].clients.ranges == [0..<2, 3..<5])
        #expect(document.tree.aggregators[2].clients.ranges == [2..<3, 5..<8])
        #expect(document.tree.aggregators[2].advertise == Endpoint(host: "area.example", port: 9))
        let again = try TopologyFile.parse(Array(document.annotatedText().utf8), file: "again.yaml")
        #expect(again.topology == topology)
    }

    @Test("who enrols, and whether signatures are demanded")
    func admission() throws {
        let text = """
            tributary: v1
            federation: f
            model: {kind: linear}
            data: {kind: synthetic, examples: 100, features: 4, classes: 2}
            rounds: 3
            tiers:
              - {name: cloud, signatures: required}
              - {name: area, count: 3, join: "tcp://*:8100"}
              - {name: device, count: 6}
            nodes: {area-2: {join: "tcp://127.0.0.1:9"}}
            """
        let document = try TopologyFile.parse(Array(text.utf8), file: "f.yaml")
        #expect(document.topology.tiers.map(\.signatures) == [.required, .checked, .checked])
        let joins = document.tree.aggregators.map(\.join?.description)
        #expect(joins == [nil, "tcp://*:8100", "tcp://*:8101", "tcp://127.0.0.1:9"])
        let again = try TopologyFile.parse(Array(document.annotatedText().utf8), file: "again.yaml")
        #expect(again.topology == document.topology)
    }

    @Test("shards, skew and drift mean what they say, with their defaults")
    func variety() throws {
        let head =
            "tributary: v1\nfederation: f\nmodel: {kind: linear}\nrounds: 3\ntiers: [{name: a}, {name: b, count: 4}]\n"
        func data(_ text: String) throws -> DataSpecification {
            let document = try TopologyFile.parse(
                Array((head + "data: {kind: fashion-mnist, \(text)}\n").utf8), file: "f.yaml")
            let again = try TopologyFile.parse(Array(document.annotatedText().utf8), file: "again.yaml")
            #expect(again.topology == document.topology)
            return document.topology.data
        }
        func examples(_ text: String) throws -> ShardQuantity? {
            try data("shard: {examples: \(text)}").shard?.examples
        }
        #expect(try examples("600") == .fixed(600))
        #expect(
            try examples("{kind: power-law, exponent: 1.5, min: 10, max: 2000}")
                == .powerLaw(exponent: 1.5, min: 10, max: 2000))
        #expect(
            try examples("{kind: lognormal, median: 90, sigma: 0.5}")
                == .logNormal(median: 90, sigma: 0.5, min: 1, max: 1_000_000))
        #expect(try data("skew: {rotation: 15, noise: 0.1}").skew == SkewSpecification(rotation: 15, noise: 0.1))
        #expect(
            try data(
                "drift: [{kind: rotation, per-round: -1, from: 2, until: 3}, {kind: bias, per-round: 0.5}, "
                    + "{kind: labels, at: 2, swap: [[0, 1], [9, 8]]}]"
            ).drift == [
                .rotation(.init(perRound: -1, from: 2, until: 3)), .bias(.init(perRound: 0.5)),
                .labels(at: 2, swaps: [.init(0, 1), .init(9, 8)]),
            ])
        #expect(
            try data("partition: {kind: pathological, classes-per-partition: 2, sites: {devices: 2, classes: 5}}")
                .partition == .pathological(classesPerPartition: 2, sites: PartitionSites(devices: 2, classes: 5)))
        let plain = try data("hold-out: 0")
        #expect(plain.shard == nil && plain.skew == nil && plain.drift.isEmpty)
    }

    @Test("origins name the line, or the default")
    func origins() throws {
        let text =
            "tributary: v1\nfederation: f\nmodel: {kind: linear}\ndata: {kind: fashion-mnist}\nrounds: 2\n"
            + "tiers:\n- name: root\n- name: leaf\n  count: 2\n"
        let document = try TopologyFile.parse(Array(text.utf8), file: "/some/where/t.yaml")
        let lines = document.annotatedText().split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(lines.contains("rounds: 2 # t.yaml:5"))
        #expect(lines.contains("seed: 1 # default"))
        #expect(lines.contains("count: 2 # t.yaml:9"))
        #expect(lines.contains("quorum: 0.5 # default"))
        #expect(lines.contains("deadline: 60s # default"))
        #expect(document.resolving("a.csv") == "/some/where/a.csv")
        #expect(document.resolving("/b.csv") == "/b.csv")
    }

    @Test("windows line ends, a byte order mark and flow style change nothing")
    func forms() throws {
        let plain =
            "tributary: v1\nfederation: f\nmodel: {kind: linear}\ndata: {kind: fashion-mnist}\nrounds: 2\n"
            + "tiers: [{name: root}, {name: leaf, count: 2}]\n"
        let expected = try TopologyFile.parse(Array(plain.utf8), file: "f").topology
        let windows = plain.split(separator: "\n").joined(separator: "\r\n")
        #expect(try TopologyFile.parse(Array(windows.utf8), file: "f").topology == expected)
        #expect(try TopologyFile.parse([0xEF, 0xBB, 0xBF] + Array(plain.utf8), file: "f").topology == expected)
        let document = "%YAML 1.1\n---\n" + plain + "...\n"
        #expect(try TopologyFile.parse(Array(document.utf8), file: "f").topology == expected)
    }

    @Test("anchors inside quotes and comments are text")
    func quotedAnchors() throws {
        let text =
            "tributary: v1 # &a *b !c\nfederation: f\nmodel: {kind: linear}\nrounds: 2\n"
            + "data: {kind: csv, path: \"*.csv\", label: '&''*', partition: {kind: iid}}\n"
            + "tiers: [{name: root}, {name: leaf, count: 2}]\n"
        let source = try TopologyFile.parse(Array(text.utf8), file: "f").topology.data.source
        #expect(source == .csv(path: "*.csv", label: "&'*", client: nil, test: nil))
    }

    @Test("devices beyond what one node can hold connected are a warning, not an error")
    func warning() throws {
        let text =
            "tributary: v1\nfederation: f\nmodel: {kind: linear}\ndata: {kind: fashion-mnist}\nrounds: 2\n"
            + "tiers: [{name: root}, {name: leaf, count: 1000000, cohort: {count: 100}}]\n"
        let document = try TopologyFile.parse(Array(text.utf8), file: "f")
        #expect(document.warnings.map(\.code) == ["topology.limit"])
        #expect(document.warnings.first?.location == "f:6:43")
    }
}
