// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryTopology

@Suite struct WordsTests {
    @Test(
        "distances by hand",
        arguments: [
            ("", "", 0), ("a", "", 1), ("quorm", "quorum", 1), ("cuont", "count", 1), ("kitten", "sitting", 3),
            ("ca", "abc", 3), ("abcdef", "abdcef", 1), ("flaw", "lawn", 2),
        ])
    func distance(first: String, second: String, expected: Int) {
        #expect(Spelling.distance(Array(first.utf8), Array(second.utf8)) == expected)
        #expect(Spelling.distance(Array(second.utf8), Array(first.utf8)) == expected)
    }

    @Test func suggestions() {
        let words = ["name", "nodes", "count", "per-parent", "quorum"]
        #expect(Spelling.closest(to: "nmae", among: words) == "name")
        #expect(Spelling.closest(to: "node", among: words) == "nodes")
        #expect(Spelling.closest(to: "perparent", among: words) == "per-parent")
        #expect(Spelling.closest(to: "colour", among: words) == nil)
        #expect(Spelling.closest(to: "", among: words) == nil)
        #expect(Spelling.closest(to: String(repeating: "x", count: 10_000), among: words) == nil)
    }

    @Test(
        "endpoints that are read, and written back as they were",
        arguments: [
            "tcp://127.0.0.1:7101", "tcp://*:0", "tcp://[::1]:65535", "tcp://eu.example:1", "tcp://a_b-c:22",
        ])
    func endpoint(text: String) throws {
        #expect(try #require(Endpoint(text)).description == text)
    }

    @Test(
        "endpoints that are none",
        arguments: [
            "", "tcp://", "tcp://:1", "tcp://host", "tcp://host:", "tcp://host:65536", "tcp://host:-1", "tcp://host:+1",
            "udp://host:1", "tcp://::1:80", "tcp://[host]:1", "tcp://ho st:1", "tcp://host:1/", "TCP://host:1",
            "tcp://[]:1", "tcp://**:1", "tcp://h\u{00E9}:1",
        ])
    func noEndpoint(text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test("ports advance, stay 0, and end")
    func advance() {
        #expect(Endpoint(host: "h", port: 10).advanced(by: 5) == Endpoint(host: "h", port: 15))
        #expect(Endpoint(host: "h", port: 0).advanced(by: 5) == Endpoint(host: "h", port: 0))
        #expect(Endpoint(host: "h", port: 65_535).advanced(by: 1) == nil)
    }

    @Test(
        "durations in words",
        arguments: [
            (Duration.seconds(60), "60s"), (.milliseconds(13_500), "13.5s"), (.milliseconds(1_005), "1.005s"),
            (.milliseconds(250), "250ms"), (.microseconds(3), "3us"), (.nanoseconds(1_000_000_001), "1000000001ns"),
            (.zero, "0s"),
        ])
    func duration(value: Duration, text: String) {
        #expect(value.unitText == text)
    }

    @Test(
        "text that YAML would read as something else is quoted",
        arguments: [
            ("plain", "plain"), ("a-b_c.d/e", "a-b_c.d/e"), ("60s", "60s"), ("7", "\"7\""), ("true", "\"true\""),
            ("No", "\"No\""), ("", "\"\""), ("a: b", "\"a: b\""), ("-x", "\"-x\""), ("#x", "\"#x\""),
            ("1e5", "\"1e5\""), ("tab\t", "\"tab\\t\""), ("a:", "\"a:\""), ("\u{1B}", "\"\\u001b\""),
        ])
    func quoting(text: String, expected: String) {
        #expect(PlainValue.mapping([.init("k", .text(text))]).yamlLines().map(\.text) == ["k: \(expected)"])
    }
}
