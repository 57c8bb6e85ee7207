// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology

/// What a file says, checked for form: values that were wrong are absent.
indirect enum FileValue {
    case text(String)
    case integer(UInt64)
    case number(Double)
    case duration(Duration)
    case endpoint(Endpoint)
    case list([FileValue?])
    case mapping([String: FileValue])

    subscript(key: String) -> FileValue? {
        if case .mapping(let values) = self { return values[key] }
        return nil
    }

    var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    var integer: UInt64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    var number: Double? {
        if case .number(let value) = self { return value }
        return nil
    }

    var duration: Duration? {
        if case .duration(let value) = self { return value }
        return nil
    }

    var endpoint: Endpoint? {
        if case .endpoint(let value) = self { return value }
        return nil
    }

    var list: [FileValue?]? {
        if case .list(let values) = self { return values }
        return nil
    }

    var mapping: [String: FileValue]? {
        if case .mapping(let values) = self { return values }
        return nil
    }

    /// The choice of a mapping with variants.
    var kind: String? { self["kind"]?.text }
}
