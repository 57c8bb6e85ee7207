// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// When nodes that were killed are started again: soon, later each time, and only so often a minute.
struct Restarts {
    /// How a node was started, and where it listened.
    private struct Life {
        var words: [String]
        var endpoint: String?
        var deaths: [Moment] = []
        var due: Moment?
    }

    /// Restarts of one node within a minute; one more death says that starting again does not help.
    static let countMax = 5
    private static let window = Duration.seconds(60)
    private static let firstWait = Duration.milliseconds(200)

    private var lives: [String: Life] = [:]

    /// Remembers how a node was started, unless it was before.
    mutating func started(_ name: String, _ words: [String]) {
        if lives[name] == nil { lives[name] = Life(words: words) }
    }

    /// Notes where a node listens; false when it was known, as its children's parent.
    mutating func listens(_ name: String, at endpoint: String) -> Bool {
        guard lives[name]?.endpoint == nil else { return false }
        lives[name]?.endpoint = endpoint
        return true
    }

    /// Notes that a node was killed; false when it was too often.
    mutating func died(_ name: String, at now: Moment) -> Bool {
        guard var life = lives[name] else { return false }
        life.deaths = life.deaths.filter { now - $0 < Self.window } + [now]
        let count = life.deaths.count
        guard count <= Self.countMax else { return false }
        life.due = now + .nanoseconds(Self.firstWait.nanoseconds << Int64(count - 1))
        lives[name] = life
        return true
    }

    /// Whether a node waits to be started again.
    func isWaiting(_ name: String) -> Bool { lives[name]?.due != nil }

    /// The nodes whose time has come, with the words to start them: where they listened before.
    mutating func takeDue(at now: Moment) -> [(name: String, words: [String])] {
        var found: [(String, [String])] = []
        for (name, life) in lives.sorted(by: { $0.key < $1.key }) {
            guard let due = life.due, due <= now else { continue }
            lives[name]?.due = nil
            var words = life.words
            if let place = words.firstIndex(of: "--listen"), let endpoint = life.endpoint {
                words[place + 1] = endpoint
            }
            found.append((name, words))
        }
        return found
    }
}
