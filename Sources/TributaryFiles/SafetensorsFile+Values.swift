// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryCrypto

extension SafetensorsFile {
    /// The number of values in all tensors.
    package var parameterCount: UInt64 { tensors.reduce(0) { $0 + $1.valueCount } }

    /// The SHA-256 of all values in file order: the digest by which a tree knows a model that it saved.
    ///
    /// - Throws: `FilesError` when the file changed or cannot be read.
    package func digest() throws(FilesError) -> Digest {
        var digest = SHA256()
        for tensor in tensors {
            try forEachBlock(of: tensor) { digest.update($0.bytes) }
        }
        return digest.finish()
    }

    /// Hands out a tensor's values in order, block by block; equal positions of equally long tensors share a block.
    ///
    /// - Throws: `FilesError` when the file changed or cannot be read, or what `body` throws.
    package func forEachBlock(
        of tensor: Tensor, _ body: (Span<Float>) throws(FilesError) -> Void
    ) throws(FilesError) {
        var start: UInt64 = 0
        while start < tensor.valueCount {
            let block = try values(of: tensor, from: start)
            try body(block.span)
            start += UInt64(block.count)
        }
    }

    /// The block of a tensor's values that begins at `start`; fewer than a block's worth only at the end.
    ///
    /// - Throws: `FilesError` when the file changed or cannot be read.
    package func values(of tensor: Tensor, from start: UInt64) throws(FilesError) -> [Float] {
        let count = Int(min(UInt64(Self.blockValueCount), tensor.valueCount - min(start, tensor.valueCount)))
        var block = [Float](repeating: 0, count: count)
        try block.withUnsafeMutableBufferPointer { buffer throws(FilesError) in
            try read(tensor, at: 4 * start, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return block
    }

    private static let blockValueCount = 1 << 18
}

extension SafetensorsFile.Tensor {
    /// The number of values.
    package var valueCount: UInt64 { (range.upperBound - range.lowerBound) / 4 }
}
