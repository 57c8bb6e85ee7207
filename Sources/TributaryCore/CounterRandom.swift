// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Counter-based randomness: Philox4x64-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
// 1, 2, 3", SC 2011, https://doi.org/10.1145/2063384.2063405. A value is a function of its key and counter alone, so
// no generator is shared and neither order nor threads can change a result.

/// What a random number is for; part of the key, so that no two uses share a stream.
package enum RandomPurpose: UInt64, Sendable {
    case cohort = 1
    case shuffle = 2
    case initialModel = 3
    case partition = 4
    case contributionName = 5
    case synthetic = 6
    case reconnect = 7
    case holdout = 8
    case shard = 9
    case skew = 10
    case link = 11
    case compute = 12
    case availability = 13
    case deviceClass = 14
    case pseudoDelta = 15
}

/// A stream of random numbers keyed by (seed, purpose, round, edge round, client index).
package struct CounterRandom: RandomNumberGenerator, Sendable {
    private let key: (UInt64, UInt64)
    private let stream: (UInt64, UInt64)
    private var block: UInt64 = 0
    private var buffer: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var used = 4

    package init(seed: UInt64, purpose: RandomPurpose, round: RoundNumber = RoundNumber(round: 0), client: UInt64 = 0) {
        key = (seed, purpose.rawValue)
        stream = (UInt64(round.round) << 32 | UInt64(round.edgeRound), client)
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        if used == 4 {
            buffer = Philox.block(counter: (block, 0, stream.0, stream.1), key: key)
            block += 1
            used = 0
        }
        used += 1
        switch used {
        case 1: return buffer.0
        case 2: return buffer.1
        case 3: return buffer.2
        default: return buffer.3
        }
    }

    /// The next double in `[0, 1)`, with 53 random bits.
    package mutating func nextUniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// The next integer in `0..<bound` without bias (Lemire 2019, https://arxiv.org/abs/1805.10941).
    package mutating func next(below bound: UInt64) -> UInt64 {
        precondition(bound > 0)
        while true {
            let (high, low) = next().multipliedFullWidth(by: bound)
            // The remainder is below the bound: most draws need no division.
            if low >= bound || low >= (0 &- bound) % bound { return high }
        }
    }
}

/// The Philox4x64-10 bijection.
package enum Philox {
    /// Ten rounds of Philox over a counter of four 64-bit words and a key of two.
    package static func block(
        counter: (UInt64, UInt64, UInt64, UInt64), key: (UInt64, UInt64)
    ) -> (UInt64, UInt64, UInt64, UInt64) {
        var (c0, c1, c2, c3) = counter
        var (k0, k1) = key
        for _ in 0..<10 {
            let (high0, low0) = (0xD2E7_470E_E14C_6C93 as UInt64).multipliedFullWidth(by: c0)
            let (high1, low1) = (0xCA5A_8263_9512_1157 as UInt64).multipliedFullWidth(by: c2)
            (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0)
            k0 &+= 0x9E37_79B9_7F4A_7C15
            k1 &+= 0xBB67_AE85_84CA_A73B
        }
        return (c0, c1, c2, c3)
    }
}
