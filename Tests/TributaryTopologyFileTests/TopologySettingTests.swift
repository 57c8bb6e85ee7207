// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology
import TributaryTopologyFile

@Suite struct TopologySettingTests {
    static let text = """
        tributary: v1
        federation: plant
        seed: 3
        model: {kind: mlp, hidden: [8]}
        data:
          kind: synthetic
          examples: 240
          features: 8
          classes: 3
          partition: {kind: dirichlet, alpha: 0.3}
        rounds: 40
        tiers:
          - name: cloud
            quorum: 0.8
          - name: region
            nodes: [east, west]
          - name: camera
            per-parent: 4
            train: {local-epochs: 1, batch: 16}
        simulate:
          links: {camera: {bandwidth: 10Mbit}}
          faults:
            - {drop: east, probability: 5%}
            - {partition: west, from: 1s, to: 2s}

        """

    private func load(_ settings: String...) throws -> TopologyDocument {
        let settings = try settings.map { try #require(try TopologySettingAxis($0).settings.first) }
        return try TopologyFile.parse(Array(Self.text.utf8), file: "t.yaml", settings: settings)
    }

    private func errors(_ settings: String...) throws -> [String] {
        let settings = try settings.map { try #require(try TopologySettingAxis($0).settings.first) }
        do {
            _ = try TopologyFile.parse(Array(Self.text.utf8), file: "t.yaml", settings: settings)
            return []
        } catch { return error.diagnostics.map(\.description) }
    }

    // MARK: Reading the command line

    @Test(
        "commas inside brackets and quotes belong to a value",
        arguments: [
            ("seed=1,2,3", ["1", "2", "3"]),
            ("rounds= 5 , 10 ", ["5", "10"]),
            ("model.hidden=[64],[128, 64]", ["[64]", "[128, 64]"]),
            ("o={kind: fedadam, beta1: 0.9},{kind: fedavg}", ["{kind: fedadam, beta1: 0.9}", "{kind: fedavg}"]),
            ("o={a: [1, {b: 'x,]'}]},2", ["{a: [1, {b: 'x,]'}]}", "2"]),
            ("f=\"a, b\",'c, d',it's", ["\"a, b\"", "'c, d'", "it's"]),
            ("f='it''s, so',b", ["'it''s, so'", "b"]),
            ("data.path=x=y", ["x=y"]),
        ])
    func values(text: String, expected: [String]) throws {
        #expect(try TopologySettingAxis(text).settings.map(\.value) == expected)
    }

    @Test(
        "what is not well formed is refused before any file is read",
        arguments: [
            "rounds", "=3", "rounds=", "rounds=1,,2", "rounds=1,", "hidden=[1", "hidden=1]", "hidden=[1}", "f='x",
            "a..b=1", "a.=1", ".a=1", "a[=1", "a[x]=1", "a[1=1", "a[1]b=1", "a b=1", "a=&x 1", "a=*x", "a=!!int 1",
            "a=1\n2", "a=1\u{1}", "a={b: c: d}", "a={b: 1, b: 2}", "a=# nothing", "a=1,1",
        ])
    func malformed(text: String) {
        #expect(throws: TopologySettingError.self) { try TopologySettingAxis(text) }
    }

    // MARK: Laying over

    @Test("a path finds its place as it is printed elsewhere")
    func replaced() throws {
        let document = try load(
            "rounds=7", "data.partition.alpha=1.5", "tiers.camera.train.batch=8", "tiers[1].quorum=0.5",
            "tiers.0.quorum=0.25", "simulate.links.camera.bandwidth=1Mbit", "simulate.faults.0.probability=20%",
            "simulate.faults[1].partition=east", "model.hidden=[4, 4]")
        let topology = document.topology
        #expect(topology.rounds == 7)
        #expect(topology.data.partition == .dirichlet(alpha: 1.5))
        #expect(topology.training.settings.batch == 8)
        #expect(topology.tiers.map(\.quorum) == [0.25, 0.5, topology.tiers[2].quorum])
        #expect(topology.model == .mlp(hidden: [4, 4]))
        let text = topology.canonicalText
        for line in ["probability: 0.2", "- partition: east", "bandwidth: 1Mbit"] {
            #expect(text.contains(line), "\(text)")
        }
    }

    @Test("the same values in the file give the same topology")
    func sameAsEdited() throws {
        let edited = Self.text.replacing("alpha: 0.3", with: "alpha: 2").replacing("batch: 16", with: "batch: 5")
            .replacing("seed: 3", with: "seed: 9")
        let document = try load("data.partition.alpha=2", "tiers.camera.train.batch=5", "seed=9")
        #expect(document.topology == (try TopologyFile.parse(Array(edited.utf8), file: "t.yaml")).topology)
    }

    @Test("parents that are not there are made; null takes out; a later setting wins")
    func added() throws {
        #expect(try load("nodes.east.quorum=0.75").topology.nodes["east"]?.quorum == 0.75)
        #expect(try load("stop.metric=accuracy", "stop.at=0.9").topology.stop?.threshold == 0.9)
        let optimizer = try load("tiers.cloud.optimizer={kind: fedadam, learning-rate: 0.5}").topology.tiers[0]
            .optimizer
        #expect(optimizer == .fedAdam(learningRate: 0.5, beta1: 0.9, beta2: 0.99, tau: 1e-3))
        #expect(try load("simulate.faults=null").topology.simulation.faults.isEmpty)
        #expect(try load("simulate.faults.0=null").topology.simulation.faults.count == 1)
        #expect(try load("seed=null", "stop.at=null").topology == load("seed=1").topology)
        #expect(try load("tiers.camera.per-parent=null", "tiers.camera.count=10").tree.deviceCount == 10)
        #expect(try load("rounds=3", "rounds=4").topology.rounds == 4)
    }

    @Test("values that were not touched stand where they stood; the others name the option")
    func origins() throws {
        let document = try load("tiers.camera.train.batch=8", "stop={metric: accuracy, at: 0.9}")
        let origins = Dictionary(document.origins.map { ($0.path, $0.origin) }, uniquingKeysWith: { first, _ in first })
        #expect(origins["tiers[2].train.batch"] == "--set tiers.camera.train.batch")
        #expect(origins["tiers[2].train.local-epochs"] == "t.yaml:19")
        #expect(origins["stop.at"] == "--set stop")
        #expect(origins["rounds"] == "t.yaml:11")
        #expect(document.position(of: "rounds") == FilePosition(line: 11, column: 1))
        #expect(document.position(of: "stop.at") == nil)
        #expect(document.annotatedText().contains("# --set tiers.camera.train.batch\n"))
    }

    @Test(
        "errors name the option, or the file where the file is wrong",
        arguments: [
            ("tiers.camera.batch=8", "--set tiers.camera.batch: unknown key (did you mean \"train.batch\"?)"),
            ("rouns=8", "--set rouns: unknown key (did you mean \"rounds\"?)"),
            ("rounds=0", "--set rounds: must lie in 1...1000000, found 0"),
            ("rounds=many", "--set rounds: expected a whole number, found 'many'"),
            (
                "tiers.camra.quorum=1",
                "--set tiers.camra.quorum: 'tiers' has no 'camra'; it has cloud, region, camera "
                    + "(did you mean \"camera\"?)"
            ),
            (
                "tiers[3].quorum=1",
                "--set tiers[3].quorum: 'tiers' ends with number 2; set it as a whole to make it longer"
            ),
            ("rounds.x=1", "--set rounds.x: 'rounds' is the number 40, which has no 'x'; set 'rounds' as a whole"),
            ("model.hidden.first=1", "--set model.hidden.first: 'model.hidden' has no 'first'; count its items from 0"),
            ("tiers.cloud.optimizer={kind: fedadm}", "--set tiers.cloud.optimizer: tiers[0].optimizer.kind: "),
            ("tiers.camera.count=5", "--set tiers.camera.count: only one of "),
            ("tiers.cloud.quorum=2", "--set tiers.cloud.quorum: "),
            ("nodes.north.quorum=1", "--set nodes.north.quorum: nodes.north: "),
            ("data.partition.kind=iid", "t.yaml:10:"),
            ("federation=null", "t.yaml:1:1: missing key \"federation\""),
        ])
    func positions(setting: String, expected: String) throws {
        let errors = try errors(setting)
        #expect(errors.first?.hasPrefix(expected) == true, "\(errors)")
        #expect(errors.count == 1, "\(errors)")
    }

    @Test("an error of the file stays at its line when a setting is there")
    func errorOfFile() throws {
        let text = Self.text.replacing("quorum: 0.8", with: "quorun: 0.8")
        let setting = try TopologySetting(path: "rounds", value: "0")
        let error = #expect(throws: TopologyFileError.self) {
            try TopologyFile.parse(Array(text.utf8), file: "t.yaml", settings: [setting])
        }
        let lines = error?.diagnostics.map(\.location)
        #expect(lines == ["--set rounds", "t.yaml:14:5"])
    }

    @Test("any text gives settings or an error, and any setting a topology or errors")
    func anyText() {
        let pieces =
            ["rounds", "tiers", "camera", "data", "stop", "at", "0", "9", "99999999999999999999", "x", "null", "~"]
            + [".", ".", "[", "]", "{", "}", "'", "\"", ",", ":", ": ", "=", "=", " ", "-", "- ", "#", "&", "*", "!"]
            + ["|", ">", "%", "@", "\\", "\n", "\u{0}", "\u{F0000}", "é", "<<", "---", "[0]", "name"]
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var counts = (settings: 0, errors: 0)
        for _ in 0..<4_000 {
            let head = next(2) == 0 ? "" : "\(pieces[next(5)])\(next(2) == 0 ? "" : ".\(pieces[next(12)])")="
            let text = head + (0..<next(10)).map { _ in pieces[next(pieces.count)] }.joined()
            do {
                let settings = try TopologySettingAxis(text).settings
                counts.settings += 1
                let document = try? TopologyFile.parse(Array(Self.text.utf8), file: "t.yaml", settings: settings)
                if let document { #expect(document.tree.deviceCount > 0) }
            } catch { counts.errors += 1 }
        }
        #expect(counts.settings > 300)
        #expect(counts.errors > 300)
    }
}
