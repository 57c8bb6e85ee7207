// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryAggregation
import TributaryCore
import TributaryRing
import TributaryTestSupport

@Suite struct ServerOptimizerTests {
    /// Written by Tests/Oracles/aggregation/server_optimizers.py from Flower's strategies.
    private struct Oracle: Decodable {
        let base: [Float]
        let deltas: [[[Float]]]
        let weights: [[UInt64]]
        let models: [String: [[Double]]]
    }

    private static let optimizers: [(name: String, optimizer: ServerOptimizer)] = [
        ("fedAvg", .fedAvg(learningRate: 1)),
        ("fedAvgM", .fedAvgM(learningRate: 0.7, momentum: 0.9)),
        ("fedAdam", .fedAdam(learningRate: 0.03, beta1: 0.9, beta2: 0.99, tau: 0.01)),
        ("fedYogi", .fedYogi(learningRate: 0.03, beta1: 0.9, beta2: 0.99, tau: 0.01)),
        ("fedAdagrad", .fedAdagrad(learningRate: 0.05, beta1: 0.5, tau: 0.01)),
    ]

    private static func plans(_ counts: [Int], bound: Float = 8) throws -> [GroupPlan] {
        try counts.enumerated().map { position, count in
            GroupPlan(
                name: "g\(position)", parameterCount: UInt64(count),
                ring: try RingParameters(deltaBound: bound, weightMax: 1000, cohortMax: 100), encoding: .float32,
                normaliser: .weight)
        }
    }

    /// A model and its optimizer's state, stepped together.
    private struct Model {
        var parameters: [Float]
        var state: [Float]

        init(_ parameters: [Float], _ optimizer: ServerOptimizer) {
            self.parameters = parameters
            state = .init(repeating: 0, count: parameters.count * optimizer.stateVectorCount)
        }

        mutating func step(_ sum: borrowing Accumulator, _ optimizer: ServerOptimizer) throws {
            let base = parameters
            let count = parameters.count
            try state.withUnsafeMutableBufferPointer { state in
                let vectors = (0..<optimizer.stateVectorCount).map {
                    UnsafeMutableBufferPointer(rebasing: state[$0 * count..<($0 + 1) * count])
                }
                try parameters.withUnsafeMutableBufferPointer { next in
                    try base.withUnsafeBufferPointer { try sum.step(optimizer, base: $0, state: vectors, next: next) }
                }
            }
        }
    }

    @Test(arguments: optimizers.indices) func modelsAreThoseOfFlower(index: Int) throws {
        let (name, optimizer) = Self.optimizers[index]
        let oracle = try OracleFile.decode(Oracle.self, "aggregation/server_optimizers.json")
        let expected = try #require(oracle.models[name])
        // Two groups: their border must not show.
        let plans = try Self.plans([4, oracle.base.count - 4])
        var model = Model(oracle.base, optimizer)
        for (round, models) in expected.enumerated() {
            var sum = try Accumulator(groups: plans)
            let updates = zip(oracle.deltas[round], oracle.weights[round]).map { delta, weight in
                TestUpdate(values: [Array(delta[..<4]), Array(delta[4...])], weights: [weight, weight])
            }
            #expect(sum.fold(updates).allSatisfy { $0 == nil })
            try model.step(sum, optimizer)
            for (ours, theirs) in zip(model.parameters, models) {
                // Flower keeps float64; our model and state are float32 and round once a round.
                #expect(abs(Double(ours) - theirs) < 1e-6, "\(name) round \(round + 1)")
            }
        }
    }

    @Test(arguments: optimizers.indices) func groupsWithoutContributorsStay(index: Int) throws {
        let optimizer = Self.optimizers[index].optimizer
        let sum = try Accumulator(groups: try Self.plans([3]))
        var model = Model([1, -2, 3], optimizer)
        model.state = model.state.map { _ in 0.5 }
        let before = model.state
        try model.step(sum, optimizer)
        #expect(model.parameters == [1, -2, 3] && model.state == before)
    }

    @Test func fedAvgOfOneUpdateIsItsModel() throws {
        let base = (0..<5000).map { Float($0) * 0.001 }
        var sum = try Accumulator(groups: try Self.plans([5000], bound: 1))
        _ = sum.fold([TestUpdate(values: [.init(repeating: 0.25, count: 5000)], weights: [10])])
        var model = Model(base, .fedAvg(learningRate: 1))
        try model.step(sum, .fedAvg(learningRate: 1))
        #expect(model.parameters == base.map { $0 + 0.25 })
    }

    @Test(arguments: [
        ServerOptimizer.fedAvg(learningRate: .greatestFiniteMagnitude),
        .fedAvgM(learningRate: .infinity, momentum: 0.9),
        .fedAdam(learningRate: .greatestFiniteMagnitude, beta1: 0, beta2: 0.99, tau: 1e-9),
        .fedYogi(learningRate: .nan, beta1: 0.9, beta2: 0.99, tau: 0.01),
        .fedAdagrad(learningRate: 1, beta1: 0.5, tau: 0),
    ])
    func aStepThatIsNotFiniteChangesNothing(optimizer: ServerOptimizer) throws {
        // The second group's last value spoils the step: 8 times the largest float, or 0 / 0.
        let last: Float = optimizer == .fedAdagrad(learningRate: 1, beta1: 0.5, tau: 0) ? 0 : 8
        var sum = try Accumulator(groups: try Self.plans([2, 3000]))
        let values = [[Float](repeating: 0.001, count: 2), .init(repeating: 0.001, count: 2999) + [last]]
        _ = sum.fold([TestUpdate(values: values, weights: [1, 1])])
        var model = Model(.init(repeating: 1, count: 3002), optimizer)
        let before = model
        let error = #expect(throws: AggregationError.self) { try model.step(sum, optimizer) }
        #expect(error?.reason == .roundFailed)
        #expect(model.parameters == before.parameters && model.state == before.state)
    }

    @Test func wrongLengthsAreErrors() throws {
        let sum = try Accumulator(groups: try Self.plans([3]))
        var short = Model([1, 2], .fedAvg(learningRate: 1))
        #expect(throws: AggregationError.length(what: "the base model", expected: 3, actual: 2)) {
            try short.step(sum, .fedAvg(learningRate: 1))
        }
        var stateless = Model([1, 2, 3], .fedAvg(learningRate: 1))
        #expect(throws: AggregationError.length(what: "the optimizer's state", expected: 1, actual: 0)) {
            try stateless.parameters.withUnsafeMutableBufferPointer { next in
                try [1, 2, 3].withUnsafeBufferPointer {
                    try sum.step(.fedAvgM(learningRate: 1, momentum: 0), base: $0, state: [], next: next)
                }
            }
        }
    }
}
