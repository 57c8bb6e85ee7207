// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// One event line of a node, as far as `up` looks at it.
struct EventLine: Decodable {
    var node: String
    var event: String
    var endpoint: String?
    var round: UInt32?
    var edgeRound: UInt32?
    var kind: String?
    var chosen: UInt64?
    var reported: UInt64?
    var connected: UInt64?
    var needed: UInt64?
    var expected: UInt64?
    var member: String?
    var reason: String?
    var outcome: String?
    var model: String?
    var accuracy: Double?
    var loss: Double?
    var trainAccuracy: Double?
    var trainLoss: Double?
    var receivedFromChildren: UInt64?
    var sentToChildren: UInt64?

    private enum CodingKeys: String, CodingKey {
        case node, event, endpoint, round, kind, chosen, reported, connected, needed, expected, reason, outcome, model
        case accuracy, loss, member
        case trainAccuracy = "train.accuracy"
        case trainLoss = "train.loss"
        case edgeRound = "edge_round"
        case receivedFromChildren = "received_from_children"
        case sentToChildren = "sent_to_children"
    }

    /// Reads one line; `nil` when it is no event.
    init?(_ line: String) {
        guard let value = try? JSONDecoder().decode(EventLine.self, from: Data(line.utf8)) else { return nil }
        self = value
    }
}

/// The error that a node ended with, as its envelope tells it.
struct FailureLine {
    var code: String
    var message: String
    var hint: String?
    var at: String?

    private struct Envelope: Decodable {
        struct Failure: Decodable {
            var code: String
            var message: String
            var hint: String?
            var at: String?
        }
        var error: Failure
    }

    /// Reads one line; `nil` when it is no envelope with an error.
    init?(_ line: String) {
        guard let value = try? JSONDecoder().decode(Envelope.self, from: Data(line.utf8)) else { return nil }
        (code, message, hint, at) = (value.error.code, value.error.message, value.error.hint, value.error.at)
    }
}
