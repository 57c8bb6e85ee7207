// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The safetensors format (https://github.com/huggingface/safetensors): the header's length as 8 little-endian bytes,
// a JSON header padded with spaces to a multiple of 8, then the tensors' little-endian bytes without gaps.

package import TributaryRing

/// Writes models as safetensors: the same layout, values and metadata always give the same bytes.
package enum Safetensors {
    /// The format's own cap on the header.
    package static let headerByteCountMax = 100_000_000

    /// Writes a model, whole or not at all.
    ///
    /// `values`: `[layout.parameterCount]`, may lie in a mapped file.
    /// `metadata`: texts kept beside the tensors.
    /// - Throws: `FilesError.system` when the disk is full or fails, `FilesError.request` for a wrong length.
    package static func write(
        _ values: Span<Float>, layout: ParameterLayout, metadata: [String: String] = [:], to path: String
    ) throws(FilesError) {
        try AtomicFile.write(to: path) { sink throws(FilesError) in
            try write(values, layout: layout, metadata: metadata, into: &sink)
        }
    }

    /// Writes a model into a file that is being made.
    ///
    /// - Throws: as above.
    package static func write(
        _ values: Span<Float>, layout: ParameterLayout, metadata: [String: String], into sink: inout FileSink
    ) throws(FilesError) {
        guard values.count == layout.parameterCount else {
            throw .request("the model has \(values.count) values where its layout has \(layout.parameterCount)")
        }
        let header = header(of: layout, metadata: metadata)
        guard header.count <= headerByteCountMax else {
            throw .tooLarge(what: "the header", actual: UInt64(header.count), limit: UInt64(headerByteCountMax))
        }
        try sink.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
        try sink.write(header)
        try sink.write(values)
    }

    private static func header(of layout: ParameterLayout, metadata: [String: String]) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(JSONText.quote($0.key)):\(JSONText.quote($0.value))" }
            members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in layout.tensors {
            let end = offset + 4 * tensor.parameterCount
            let shape = tensor.shape.map { String($0) }.joined(separator: ",")
            members.append(
                "\(JSONText.quote(tensor.name)):"
                    + "{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        let text = Array("{\(members.joined(separator: ","))}".utf8)
        return text + [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    }
}
