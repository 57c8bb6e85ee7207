// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTestSupport

@testable import TributaryLearning

@Suite struct SamplersTests {
    /// Mean, variance and fourth moment of N(0, 1); margins are about four standard errors of 20,000 draws.
    @Test func normalHasItsMoments() {
        var random = CounterRandom(seed: 1, purpose: .partition)
        var sampler = NormalSampler()
        let draws = (0..<20_000).map { _ in sampler.next(&random) }
        let moments = [1, 2, 4].map { power in
            draws.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / 20_000
        }
        #expect(abs(moments[0]) < 0.03 && abs(moments[1] - 1) < 0.04 && abs(moments[2] - 3) < 0.3)
    }

    struct Oracle: Decodable { let normals: [Double] }

    /// Quantiles by SciPy: Tests/Oracles/learning/make_shard_fixtures.py.
    @Test func normalStepsEqualTheOracle() throws {
        let normals = try OracleFile.decode(Oracle.self, "learning/shards.json").normals
        #expect(normals.count == 35)
        for (place, normal) in normals.enumerated() {
            let share = (Double(place * 1_927) + 0.5) / 65_536
            #expect(abs(NormalTable.quantile(share) - normal) < 1e-14 * max(1, abs(normal)))
            #expect(NormalTable.steps[place * 1_927] == Float(NormalTable.quantile(share)))
        }
        let variance = NormalTable.steps.reduce(0.0) { $0 + Double($1) * Double($1) } / 65_536
        #expect(abs(variance - 1) < 5e-5)
    }

    /// The mean of log gamma(a) is digamma(a), its variance trigamma(a) (values by SciPy); four standard errors.
    @Test(arguments: [
        (0.01, -100.5608854578687, 10001.621213528313), (0.2, -5.289039896592188, 26.26737721),
        (1.0, -0.5772156649015329, 1.6449340668482264), (3.0, 0.9227843350984671, 0.3949340668482264),
        (1e6, 13.815510057964191, 1.0000005000001668e-06),
    ])
    func logGammaHasItsMean(shape: Double, mean: Double, variance: Double) {
        var random = CounterRandom(seed: 2, purpose: .partition)
        var sampler = LogGammaSampler(shape: shape)
        let sum = (0..<20_000).reduce(0.0) { sum, _ in sum + sampler.next(&random) }
        #expect(abs(sum / 20_000 - mean) < 4 * (variance / 20_000).squareRoot())
    }
}
