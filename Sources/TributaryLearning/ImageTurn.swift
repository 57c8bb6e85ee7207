// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Rotation about the image's centre by bilinear interpolation; pixels beyond the edge count as 0 and take part in the
// interpolation (SciPy's mode 'grid-constant'). Sine and cosine by their Taylor polynomials on [-45, 45] degrees, in
// additions and multiplications alone: the same bits on every machine.

/// A rotation of images of one size, worked out once and applied to many.
struct ImageTurn {
    /// Four neighbours of each output pixel: offsets in one channel, `[pixels * 4]`.
    private var offsets: [Int32] = []
    /// The neighbours' weights, 0 beyond the edge: `[pixels * 4]`.
    private var weights: [Float] = []
    private let pixelCount: Int

    /// Works a rotation out: `degrees` counter-clockwise as seen with the first row on top, finite.
    init(height: Int, width: Int, degrees: Double) {
        pixelCount = height * width
        offsets.reserveCapacity(pixelCount * 4)
        weights.reserveCapacity(pixelCount * 4)
        let (sine, cosine) = Self.sineAndCosine(degrees: degrees)
        let (middleRow, middleColumn) = (Double(height - 1) / 2, Double(width - 1) / 2)
        for row in 0..<height {
            for column in 0..<width {
                let (down, right) = (Double(row) - middleRow, Double(column) - middleColumn)
                let y = middleRow + (cosine * down + sine * right)
                let x = middleColumn + (cosine * right - sine * down)
                let (top, left) = (y.rounded(.down), x.rounded(.down))
                for (corner, share) in [
                    ((top, left), (1 - (y - top)) * (1 - (x - left))), ((top, left + 1), (1 - (y - top)) * (x - left)),
                    ((top + 1, left), (y - top) * (1 - (x - left))), ((top + 1, left + 1), (y - top) * (x - left)),
                ] {
                    let isInside =
                        corner.0 >= 0 && corner.0 < Double(height) && corner.1 >= 0 && corner.1 < Double(width)
                    offsets.append(isInside ? Int32(corner.0) * Int32(width) + Int32(corner.1) : 0)
                    weights.append(isInside ? Float(share) : 0)
                }
            }
        }
    }

    /// Turns planes of pixels one after the other: `[planes, height, width]`.
    func turn(_ planes: [Float]) -> [Float] {
        let count = pixelCount
        return [Float](unsafeUninitializedCapacity: planes.count) { output, written in
            planes.withUnsafeBufferPointer { planes in
                offsets.withUnsafeBufferPointer { offsets in
                    weights.withUnsafeBufferPointer { weights in
                        for start in stride(from: 0, to: planes.count, by: count) {
                            for pixel in 0..<count {
                                let first = 4 * pixel
                                var sum = weights[first] * planes[start + Int(offsets[first])]
                                sum += weights[first + 1] * planes[start + Int(offsets[first + 1])]
                                sum += weights[first + 2] * planes[start + Int(offsets[first + 2])]
                                sum += weights[first + 3] * planes[start + Int(offsets[first + 3])]
                                output[start + pixel] = sum
                            }
                        }
                    }
                }
            }
            written = planes.count
        }
    }

    /// Sine and cosine, exact at multiples of 90 degrees, elsewhere within 2^-52.
    static func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
        // The remainder is exact, and so is the difference from the nearest quarter.
        let rest = degrees.truncatingRemainder(dividingBy: 360)
        let quarter = (rest / 90).rounded()
        let x = (rest - 90 * quarter) * (Double.pi / 180)
        let square = x * x
        // sin x = x (1 - x^2/(2 3) (1 - x^2/(4 5) ...)) up to x^19; cos x likewise up to x^18.
        var (sine, cosine) = (1.0, 1.0)
        for power in stride(from: 18.0, through: 2, by: -2) {
            sine = 1 - square / (power * (power + 1)) * sine
            cosine = 1 - square / (power * (power - 1)) * cosine
        }
        sine *= x
        switch Int(quarter) & 3 {
        case 0: return (sine, cosine)
        case 1: return (cosine, -sine)
        case 2: return (-sine, -cosine)
        default: return (-cosine, sine)
        }
    }
}
