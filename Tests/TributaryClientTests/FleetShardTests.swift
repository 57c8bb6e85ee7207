// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TributaryClient

/// Every device is in exactly one share, and every process knows its own.
@Suite struct FleetShardTests {
    private func shards(_ count: UInt64) throws -> [FleetShard] {
        try (0..<count).map { try FleetShard(index: $0, count: count) }
    }

    @Test(arguments: [0, 1, 2, 7, 24, 100, 1_000_003, 1 << 40] as [UInt64])
    func sharesPartitionTheDevicesEvenly(deviceCount: UInt64) throws {
        for count in Array(1...40) + [100, 4096] as [UInt64] {
            var next: UInt64 = 0
            var sizes: Set<Int> = []
            for shard in try shards(count) {
                let clients = shard.clients(of: deviceCount)
                #expect(clients.lowerBound == next, "share \(shard) of \(deviceCount)")
                next = clients.upperBound
                sizes.insert(clients.count)
            }
            #expect(next == deviceCount, "\(count) shares")
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(count) shares of \(deviceCount)")
        }
    }

    @Test func sharesTakeTurnsToConnect() throws {
        let turns = try shards(3).flatMap { shard in (0..<5).map { shard.turn(of: $0) } }
        #expect(turns.sorted() == Array(0..<15))
        #expect(try FleetShard(index: 0, count: 1).turn(of: 9) == 9)
    }

    @Test func textIsReadAndWritten() throws {
        for text in ["0/1", "0/3", "2/3", "1048575/1048576"] { #expect(try FleetShard(text).description == text) }
        #expect(try FleetShard("2/3") == FleetShard(index: 2, count: 3))
    }

    @Test(arguments: [
        "", "/", "1", "1/", "/2", "a/b", "1/b", "1/2/3", "-1/2", "+1/2", "1/ 2", " 1/2", "0x1/2", "1.0/2", "\u{FF11}/2",
        "99999999999999999999/2", "1/99999999999999999999",
    ])
    func nonsenseIsRefusedWithTheForm(text: String) {
        #expect(throws: FleetShardError.malformed(text: text)) { try FleetShard(text) }
        #expect("\(FleetShardError.malformed(text: text))".contains("from 0 to COUNT - 1"))
    }

    @Test(arguments: ["3/2", "2/2", "0/0", "1/0", "0/1048577"])
    func numbersOutOfRangeAreRefusedWithTheRange(text: String) throws {
        let error = try #require(throws: FleetShardError.self) { try FleetShard(text) }
        let words = text.hasSuffix("/0") ? "at least 1" : text.hasPrefix("0") ? "at most 1048576" : "0 to 1"
        #expect("\(error)".contains(words), "\(error)")
    }

    // MARK: Schedulers

    private func scheduled(_ variables: [String: String]) throws -> String? {
        try FleetShard.scheduled { variables[$0] }?.shard.description
    }

    private func array(_ task: Int, _ first: Int, _ count: Int, last: Int? = nil, step: Int = 1) -> [String: String] {
        [
            "SLURM_ARRAY_TASK_ID": "\(task)", "SLURM_ARRAY_TASK_MIN": "\(first)", "SLURM_ARRAY_TASK_COUNT": "\(count)",
            "SLURM_ARRAY_TASK_MAX": "\(last ?? first + (count - 1) * step)", "SLURM_ARRAY_TASK_STEP": "\(step)",
        ]
    }

    @Test func withoutASchedulerThereIsNoShare() throws {
        #expect(try scheduled([:]) == nil)
        #expect(try scheduled(["TRIBUTARY_SHARD_COUNT": "3", "SLURM_JOB_ID": "7", "SLURM_PROCID": "0"]) == nil)
    }

    @Test func anArraysTaskHasItsPlaceInTheArray() throws {
        #expect(try scheduled(array(0, 0, 3)) == "0/3")
        #expect(try scheduled(array(2, 0, 3)) == "2/3")
        #expect(try scheduled(array(1, 1, 3)) == "0/3")
        #expect(try scheduled(array(5, 5, 1)) == "0/1")
        // 4-11:2 is 4, 6, 8, 10; Slurm says that the last is 10.
        #expect(try scheduled(array(8, 4, 4, last: 10, step: 2)) == "2/4")
        var bare = array(2, 0, 3)
        bare["SLURM_ARRAY_TASK_MAX"] = nil
        bare["SLURM_ARRAY_TASK_STEP"] = nil
        #expect(try scheduled(bare) == "2/3")
    }

    @Test func anArrayWithGapsIsRefused() {
        #expect(throws: FleetShardError.unevenArray(first: 1, last: 6, step: 1, count: 3)) {
            try scheduled(array(5, 1, 3, last: 6))
        }
        #expect(throws: FleetShardError.self) { try scheduled(array(5, 4, 4, last: 10, step: 2)) }
        #expect(throws: FleetShardError.self) { try scheduled(array(0, 1, 3)) }
        #expect(throws: FleetShardError.self) { try scheduled(array(0, 0, 0, last: 0)) }
    }

    @Test func tasksOfAJobHaveTheirNumbers() throws {
        #expect(try scheduled(["SLURM_PROCID": "3", "SLURM_NTASKS": "8"]) == "3/8")
        #expect(throws: FleetShardError.self) { try scheduled(["SLURM_PROCID": "8", "SLURM_NTASKS": "8"]) }
    }

    @Test func tasksOfAStepDivideTheShareOfTheirArrayTask() throws {
        let tasks = ["SLURM_PROCID": "1", "SLURM_NTASKS": "4"]
        let step = tasks.merging(["SLURM_STEP_ID": "0"]) { $1 }
        #expect(try scheduled(array(2, 0, 3).merging(step) { $1 }) == "9/12")
        // The batch script itself is one process, however many tasks it may start.
        #expect(try scheduled(array(2, 0, 3).merging(tasks) { $1 }) == "2/3")
    }

    @Test func anIndexedJobNeedsItsCount() throws {
        #expect(try scheduled(["JOB_COMPLETION_INDEX": "4", "TRIBUTARY_SHARD_COUNT": "5"]) == "4/5")
        let error = try #require(throws: FleetShardError.self) { try scheduled(["JOB_COMPLETION_INDEX": "4"]) }
        #expect("\(error)".contains("TRIBUTARY_SHARD_COUNT is not"), "\(error)")
    }

    @Test func whatIsNoNumberIsNamed() throws {
        for name in ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"] {
            let variables = array(1, 0, 3)
            let wrong = try #require(throws: FleetShardError.self) {
                try scheduled(variables.merging([name: "x1"]) { $1 })
            }
            #expect("\(wrong)".contains("\(name) is 'x1'"), "\(wrong)")
        }
        let missing = try #require(throws: FleetShardError.self) {
            try scheduled(array(1, 0, 3).filter { $0.key != "SLURM_ARRAY_TASK_COUNT" })
        }
        #expect("\(missing)".contains("SLURM_ARRAY_TASK_COUNT is not"), "\(missing)")
    }
}
