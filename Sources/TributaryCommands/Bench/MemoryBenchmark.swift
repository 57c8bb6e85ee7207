// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore
import TributaryFiles
import TributaryProtocol
import TributaryRing
import TributaryRuntime

/// The anonymous memory of an aggregator that folds and steps a large model, against what it may take.
///
/// The bodies, the models and the optimizer's state lie in files; only the sum is anonymous, 8 bytes a parameter.
enum MemoryBenchmark {
    /// The bound beside 8 bytes a parameter.
    static let allowance: UInt64 = 256 << 20

    /// Folds as many updates of `parameterCount` values as asked, seals the sum, and steps FedAvgM.
    ///
    /// - Throws: `FilesError` when `directory` has no room for about 6 models.
    static func run(parameterCount: Int, updateCount: Int, directory: String) throws -> BenchmarkResult {
        let store = try ObjectStore(directory: directory + "/objects")
        let bench = Workbench(
            store: store, stateDirectory: directory, evaluation: nil, checkpoint: nil, signatures: nil)
        let ring = try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12)
        let plan = GroupPlan(
            name: "body", parameterCount: UInt64(parameterCount), ring: ring, encoding: .float32, normaliser: .weight)
        let model = try object(parameterCount, filledWith: 0.25, store)
        let number = RoundNumber(round: 1)
        var failures: [String] = []
        var peak: UInt64 = 0
        func work(_ works: [RoundWork]) {
            bench.perform(works, of: RunID("bench")) { result in
                if let text = Self.failure(in: result) { failures.append(text) }
            }
            peak = max(peak, anonymousByteCount())
        }
        work([.begin(number, [plan])])
        for index in 0..<updateCount {
            let body = try object(parameterCount, filledWith: Float(index + 1) / 64, store)
            let update = Update(
                key: UpdateKey(node: NodeName("client-\(index)"), sequence: 0), number: number, base: model.digest,
                groups: [.init(weight: 10, encoding: .float32, byteCount: body.byteCount)], metrics: [], body: body)
            work([.fold(update)])
            work([.release([body.digest])])
        }
        work([.sealSum(SumKey(node: NodeName("edge"), number: number, revision: 1))])
        work([.step(number, .fedAvgM(learningRate: 1, momentum: 0.9), base: model.digest)])
        guard failures.isEmpty else { throw CommandError("bench.failed", failures.joined(separator: "; ")) }
        return BenchmarkResult(
            name: "memory", value: Double(peak), unit: "B",
            limit: Double(UInt64(parameterCount) * 8 + allowance),
            details: [
                ("parameters", "\(parameterCount)"), ("updates", "\(updateCount)"),
                ("bound", "8 bytes a parameter + \(allowance) bytes"),
            ])
    }

    private static func failure(in result: RoundWorkResult) -> String? {
        switch result {
        case .folded(_, let refusal?), .sumFolded(_, let refusal?): refusal.text
        case .stepFailed(_, let text), .workFailed(_, let text): text
        default: nil
        }
    }

    private static func object(
        _ count: Int, filledWith value: Float, _ store: ObjectStore
    ) throws -> ObjectReference {
        let block = [Float](repeating: value, count: 1 << 16)
        return try store.put(byteCount: UInt64(count) * 4) { sink in
            var left = count
            while left > 0 {
                let width = min(left, block.count)
                try sink.write(block.span.extracting(0..<width).bytes)
                left -= width
            }
        }
    }

    /// What the kernel counts as a process's own memory, files not included; 0 when there is no such process.
    static func anonymousByteCount(of pid: String = "self") -> UInt64 {
        guard let bytes = try? SmallFile.read("/proc/\(pid)/status", byteCountMax: 1 << 16) else { return 0 }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("RssAnon:") {
            return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { UInt64($0) } ?? 0) * 1024
        }
        return 0
    }
}
