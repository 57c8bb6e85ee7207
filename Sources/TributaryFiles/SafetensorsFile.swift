// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryRing

/// A safetensors file of float32 tensors, checked when it is opened; the values are read when they are asked for.
package struct SafetensorsFile: Sendable {
    /// One tensor: its name, extents and place.
    package struct Tensor: Hashable, Sendable {
        package let name: String
        /// Row-major extents; empty for a scalar.
        package let shape: [Int]
        /// The tensor's bytes, counted from the end of the header.
        package let range: Range<UInt64>
    }

    package let path: String
    /// The tensors in the order in which their values lie in the file.
    package let tensors: [Tensor]
    package let metadata: [String: String]
    private let dataOffset: UInt64

    /// Reads and checks the header.
    ///
    /// - Throws: `FilesError.malformed` for a file that is not strictly what the format says, or not float32.
    package init(path: String) throws(FilesError) {
        self.path = path
        let reader = try ByteReader(path: path)
        guard !reader.isCompressed else { throw reader.malformed("is compressed; unpack it first") }
        let length = try reader.bytes(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Safetensors.headerByteCountMax), length <= reader.storedByteCount else {
            throw reader.malformed("states a header of \(length) bytes; it is not a whole safetensors file")
        }
        let header = try reader.bytes(Int(length))
        guard header.first == 0x7b else { throw reader.malformed("has no JSON header; it is not a safetensors file") }
        let value: JSONText.Value
        do throws(JSONText.Failure) {
            value = try JSONText.parse(header)
        } catch {
            throw .malformed(path: path, at: "header, byte \(error.position)", problem: error.problem)
        }
        guard case .object(var members) = value else { throw reader.malformed("has a header that is no object") }
        metadata = try Self.metadata(members.removeValue(forKey: "__metadata__"), path: path)
        var tensors: [Tensor] = []
        for (name, value) in members { tensors.append(try Self.tensor(name, value, path: path)) }
        tensors.sort { left, right in
            (left.range.lowerBound, left.range.upperBound, left.name)
                < (right.range.lowerBound, right.range.upperBound, right.name)
        }
        try Self.checkTiling(tensors, byteCount: reader.storedByteCount - 8 - length, path: path)
        self.tensors = tensors
        dataOffset = 8 + length
    }

    /// The tensors as a layout of one group, in file order.
    ///
    /// - Throws: `FilesError.malformed` when a tensor is empty, which a layout cannot hold.
    package func layout(group: String) throws(FilesError) -> ParameterLayout {
        do throws(RingError) {
            return try ParameterLayout(
                tensors: tensors.map { ParameterTensor(name: $0.name, group: group, shape: $0.shape) })
        } catch {
            throw .malformed(path: path, at: "header", problem: error.description)
        }
    }

    /// Reads the tensors of a layout, whatever their order in the file, into `values`: `[layout.parameterCount]`.
    ///
    /// - Throws: `FilesError.malformed` when a tensor is missing, surplus or has another shape, or is not finite.
    package func read(_ layout: ParameterLayout, into values: inout MutableSpan<Float>) throws(FilesError) {
        guard values.count == layout.parameterCount else {
            throw .request("\(values.count) values are given for a layout of \(layout.parameterCount)")
        }
        let known = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
        let surplus = Set(known.keys).subtracting(layout.tensors.map(\.name)).min()
        guard surplus == nil else {
            throw refuse(surplus ?? "", "is not a tensor of this model; choose the file of the same model")
        }
        let file = try FileHandle.reading(path)
        var start = 0
        for wanted in layout.tensors {
            guard let tensor = known[wanted.name] else {
                throw refuse(wanted.name, "is missing; choose the file of the same model")
            }
            guard tensor.shape == wanted.shape else {
                throw refuse(wanted.name, "has the shape \(tensor.shape) where this model has \(wanted.shape)")
            }
            let range = start..<(start + wanted.parameterCount)
            try values.withUnsafeMutableBufferPointer { buffer throws(FilesError) in
                let target = UnsafeMutableBufferPointer(rebasing: buffer[range])
                try read(tensor, from: file, into: target)
            }
            start = range.upperBound
        }
    }

    /// Reads the tensors of a layout into memory: `[layout.parameterCount]`.
    ///
    /// - Throws: as above.
    package func values(_ layout: ParameterLayout) throws(FilesError) -> [Float] {
        var values = [Float](repeating: 0, count: layout.parameterCount)
        var span = values.mutableSpan
        try read(layout, into: &span)
        return values
    }

    private func read(
        _ tensor: Tensor, from file: borrowing FileHandle, into values: UnsafeMutableBufferPointer<Float>
    ) throws(FilesError) {
        try read(tensor, from: file, at: 0, into: UnsafeMutableRawBufferPointer(values))
        guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return }
        throw refuse(tensor.name, "has a value that is not finite at position \(bad); choose a sound model")
    }

    /// Fills a buffer with a tensor's bytes from `offset` on.
    func read(_ tensor: Tensor, at offset: UInt64, into target: UnsafeMutableRawBufferPointer) throws(FilesError) {
        try read(tensor, from: try FileHandle.reading(path), at: offset, into: target)
    }

    private func read(
        _ tensor: Tensor, from file: borrowing FileHandle, at offset: UInt64, into target: UnsafeMutableRawBufferPointer
    ) throws(FilesError) {
        var done = 0
        while done < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            let count = try file.read(into: rest, at: dataOffset + tensor.range.lowerBound + offset + UInt64(done))
            guard count > 0 else { throw refuse(tensor.name, "is cut off; the file changed: get it again") }
            done += count
        }
    }

    private func refuse(_ name: String, _ problem: String) -> FilesError {
        .malformed(path: path, at: "tensor '\(name.prefix(64))'", problem: problem)
    }
}

// MARK: - The header

extension SafetensorsFile {
    private static func metadata(_ value: JSONText.Value?, path: String) throws(FilesError) -> [String: String] {
        guard let value else { return [:] }
        guard case .object(let members) = value else {
            throw .malformed(path: path, at: "header", problem: "has metadata that is no object of texts")
        }
        var metadata: [String: String] = [:]
        for (key, value) in members {
            guard case .text(let text) = value else {
                throw .malformed(path: path, at: "header", problem: "has metadata '\(key.prefix(64))' that is no text")
            }
            metadata[key] = text
        }
        return metadata
    }

    private static func tensor(_ name: String, _ value: JSONText.Value, path: String) throws(FilesError) -> Tensor {
        func refuse(_ problem: String) -> FilesError {
            .malformed(path: path, at: "tensor '\(name.prefix(64))'", problem: problem)
        }
        guard case .object(let members) = value, members.count == 3, case .text(let type)? = members["dtype"],
            let shape = numbers(members["shape"]), let offsets = numbers(members["data_offsets"]),
            offsets.count == 2, offsets[0] <= offsets[1]
        else { throw refuse("is not described by dtype, shape and two data_offsets") }
        guard type == "F32" else {
            throw refuse("has the type \(type.prefix(16)); only F32 is read: convert the model to float32")
        }
        var extents: [Int] = []
        var byteCount: UInt64 = 4
        for extent in shape {
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
            guard !overflow, let extent = Int(exactly: extent) else { throw refuse("has an impossible shape") }
            byteCount = product
            extents.append(extent)
        }
        guard offsets[1] - offsets[0] == byteCount else {
            throw refuse("has \(offsets[1] - offsets[0]) bytes where its shape needs \(byteCount)")
        }
        return Tensor(name: name, shape: extents, range: offsets[0]..<offsets[1])
    }

    private static func numbers(_ value: JSONText.Value?) -> [UInt64]? {
        guard case .array(let values)? = value else { return nil }
        let numbers = values.compactMap { value -> UInt64? in
            if case .number(let number) = value { number } else { nil }
        }
        return numbers.count == values.count ? numbers : nil
    }

    /// The tensors must cover the data exactly, without gaps or overlaps.
    private static func checkTiling(_ tensors: [Tensor], byteCount: UInt64, path: String) throws(FilesError) {
        var end: UInt64 = 0
        for tensor in tensors {
            guard tensor.range.lowerBound == end else {
                throw .malformed(
                    path: path, at: "tensor '\(tensor.name.prefix(64))'",
                    problem: "begins at \(tensor.range.lowerBound) where \(end) is the next free byte")
            }
            end = tensor.range.upperBound
        }
        guard end == byteCount else {
            throw .malformed(
                path: path, at: "",
                problem: "has \(byteCount) bytes of values where its header states \(end); it is damaged or incomplete")
        }
    }
}
