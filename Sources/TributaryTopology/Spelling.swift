// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Suggestions by the distance of Damerau and Levenshtein in its optimal-string-alignment form: insertions, deletions,
// substitutions and swaps of neighbours count one each (Damerau 1964, https://doi.org/10.1145/363958.363994).

/// Finds what somebody who mistyped a word may have meant.
package enum Spelling {
    /// The candidate nearest to `word`, within a third of its length and at least one slip; the first of equals.
    package static func closest(to word: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(word.utf8)
        guard !letters.isEmpty, letters.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        let distanceMax = max(1, letters.count / 3)
        for candidate in candidates where candidate != word {
            let other = Array(candidate.utf8)
            guard abs(other.count - letters.count) <= distanceMax else { continue }
            let distance = distance(letters, other)
            if distance <= distanceMax, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// The number of slips between two words; O(product of lengths).
    package static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var before: [Int] = []
        var above = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let substitution = above[column] + (first[row] == second[column] ? 0 : 1)
                var cost = min(substitution, above[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            before = above
            above = current
        }
        return above[second.count]
    }
}
