// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryClient
import TributaryCore
import TributaryLearning
import TributaryReport
import TributaryTopology

extension RunRecord.LabelMap {
    /// What a tree's nodes see of its data; see `init(_:classNames:labelCounts:)`.
    ///
    /// - Throws: when the examples cannot be spread as asked.
    init(_ tree: Tree, _ data: FederatedData) throws {
        try self.init(tree, classNames: data.classNames) { try data.shards.labelCounts(of: $0, round: 1) }
    }
}
