// swift-tools-version: 6.2
//
// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// The rooms, lowest first. An arrow runs only to a room that stands above it in this list.
// `make check` builds with --explicit-target-dependency-import-check error, so a door that is not
// declared here does not open.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "tributary",
    products: [
        .executable(name: "tributary", targets: ["tributary"])
    ],
    dependencies: [
        // Help, completions and typo suggestions of the command line.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // SQLite for the journal's keys and state: statements, transactions and errors as Swift values.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // YAML with the position of every node (libyaml inside).
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System libraries: a module map and a shim each.
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CProtobufC"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CSodium"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CLinux"),

        // C: our own kernels, and protoc-c's output.
        .target(name: "CTributaryKernels"),
        .target(
            name: "CTributaryWire",
            dependencies: ["CProtobufC"],
            linkerSettings: [.linkedLibrary("protobuf-c")]
        ),

        // Pure rooms: values and arithmetic, no files, sockets, clocks or randomness of their own.
        room("TributaryRing", ["CTributaryKernels"]),
        room("TributaryCore", ["TributaryRing"]),
        room("TributaryTopology", ["TributaryCore", "TributaryRing"]),
        room("TributaryCodec", ["TributaryCore", "TributaryRing"]),
        room("TributaryAggregation", ["TributaryCore", "TributaryRing", "CTributaryKernels"]),
        room("TributaryLearning", ["TributaryCore", "TributaryRing", "CTributaryKernels"]),
        room("TributaryProtocol", ["TributaryCore", "TributaryRing", "TributaryTopology"]),
        room("TributaryTelemetry", ["TributaryCore"]),

        // Rooms that touch the world.
        room("TributaryCrypto", ["TributaryCore", "CCrypto", "CSodium"]),
        room("TributaryFiles", ["TributaryCore", "TributaryRing", "TributaryCrypto", "CZlib", "CLinux"]),
        room("TributaryTopologyFile", ["TributaryCore", "TributaryTopology", .product(name: "Yams", package: "Yams")]),
        room("TributaryWire", ["TributaryCore", "TributaryRing", "CTributaryWire"]),
        // Pure: the wire for its size functions, so that a plan's bytes are its own; the kernels for exp and log.
        room(
            "TributaryPlanning",
            [
                "TributaryCore", "TributaryRing", "TributaryTopology", "TributaryLearning", "TributaryWire",
                "CTributaryKernels",
            ]
        ),
        room("TributaryReport", ["TributaryCore", "TributaryTopology", "TributaryPlanning"]),
        // The wire for its size functions, digests for models' names; no sockets, no files.
        room(
            "TributarySimulation",
            [
                "TributaryCore", "TributaryRing", "TributaryTopology", "TributaryCodec", "TributaryAggregation",
                "TributaryLearning", "TributaryProtocol", "TributaryPlanning", "TributaryCrypto", "TributaryWire",
                "CTributaryKernels",
            ]
        ),
        room("TributaryBus", ["TributaryCore", "TributaryWire", "CZeroMQ"]),
        room(
            "TributaryClient",
            [
                "TributaryCore", "TributaryRing", "TributaryTopology", "TributaryCodec", "TributaryLearning",
                "TributaryProtocol", "TributaryTelemetry", "TributaryCrypto", "TributaryFiles", "TributaryWire",
                "TributaryBus",
            ]
        ),
        room(
            "TributaryRuntime",
            [
                "TributaryCore", "TributaryRing", "TributaryTopology", "TributaryCodec", "TributaryAggregation",
                "TributaryLearning", "TributaryProtocol", "TributaryPlanning", "TributaryReport",
                "TributaryTelemetry", "TributaryCrypto", "TributaryFiles", "TributaryTopologyFile", "TributaryBus",
                "TributaryClient",
                // The journal: messages in it are written as they are on the wire, its index is SQLite.
                "TributaryWire", .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),
        room(
            "TributaryCommands",
            [
                "TributaryCore", "TributaryRing", "TributaryTopology", "TributaryAggregation", "TributaryLearning",
                "TributaryProtocol", "TributaryPlanning", "TributaryReport", "TributaryTelemetry", "TributaryCrypto",
                "TributaryFiles",
                "TributaryTopologyFile", "TributaryBus", "TributaryClient", "TributaryRuntime", "TributarySimulation",
                "CTributaryKernels",
                "CZeroMQ", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "tributary",
            dependencies: ["TributaryCommands", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: settings
        ),

        // Tests, file for file.
        room(
            "TributaryTestSupport", ["TributaryCore", "TributaryRing", "TributaryTopology", "TributaryProtocol"]),
        tests("TributaryRingTests", ["TributaryRing", "TributaryTestSupport", "CTributaryKernels"]),
        tests("TributaryCoreTests", ["TributaryCore", "TributaryRing", "TributaryTestSupport"]),
        tests(
            "TributaryTopologyTests", ["TributaryTopology", "TributaryCore", "TributaryRing", "TributaryTestSupport"]),
        tests("TributaryCodecTests", ["TributaryCodec", "TributaryCore", "TributaryRing", "TributaryTestSupport"]),
        tests(
            "TributaryAggregationTests",
            ["TributaryAggregation", "TributaryCodec", "TributaryCore", "TributaryRing", "TributaryTestSupport"]
        ),
        tests(
            "TributaryLearningTests",
            [
                "TributaryLearning", "TributaryCodec", "TributaryCore", "TributaryRing", "TributaryTestSupport",
                "CTributaryKernels",
            ]
        ),
        tests(
            "TributaryProtocolTests",
            [
                "TributaryProtocol", "TributaryTopology", "TributaryAggregation", "TributaryCodec", "TributaryCore",
                "TributaryRing", "TributaryTestSupport",
            ]
        ),
        tests(
            "TributaryPlanningTests",
            [
                "TributaryPlanning", "TributaryTopology", "TributaryWire", "TributaryCore", "TributaryRing",
                "TributaryLearning",
            ]
        ),
        tests(
            "TributaryReportTests",
            [
                "TributaryReport", "TributaryRuntime", "TributaryTopology", "TributaryFiles", "TributaryCore",
                "TributaryTestSupport",
            ]
        ),
        tests("TributaryCryptoTests", ["TributaryCrypto", "TributaryCore"]),
        tests(
            "TributaryFilesTests",
            ["TributaryFiles", "TributaryCrypto", "TributaryCore", "TributaryRing", "TributaryTestSupport"]),
        tests(
            "TributaryTopologyFileTests",
            ["TributaryTopologyFile", "TributaryTopology", "TributaryCore", .product(name: "Yams", package: "Yams")],
            exclude: ["Broken"]
        ),
        tests(
            "TributaryWireTests",
            ["TributaryWire", "TributaryCore", "TributaryRing", "TributaryTestSupport"]
        ),
        tests(
            "TributaryBusTests",
            [
                "TributaryBus", "TributaryWire", "TributaryCrypto", "TributaryCore", "TributaryRing",
                "TributaryTestSupport", "CZeroMQ",
            ]
        ),
        tests(
            "TributaryClientTests",
            [
                "TributaryClient", "TributaryBus", "TributaryFiles", "TributaryCrypto", "TributaryLearning",
                "TributaryProtocol", "TributaryTopology", "TributaryCore", "TributaryRing",
            ]
        ),
        tests(
            "TributaryRuntimeTests",
            [
                "TributaryRuntime", "TributaryClient", "TributaryBus", "TributaryFiles", "TributaryCrypto",
                "TributaryProtocol",
                "TributaryTopology", "TributaryCore", "TributaryRing", "TributaryTestSupport",
            ]
        ),
        tests(
            "TributarySimulationTests",
            [
                "TributarySimulation", "TributaryTopology", "TributaryProtocol", "TributaryLearning", "TributaryWire",
                "TributaryCore", "TributaryRing", "TributaryTestSupport",
            ]
        ),
        // Runs the program itself, so it must be built first.
        tests("TributaryIntegrationTests", ["tributary"]),
    ]
)
