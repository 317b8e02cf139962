import Domain

/// What is wrong with one field of a request.
struct FieldFault: Sendable, Equatable {
    /// `title`, `modalities[0]`.
    let path: String
    /// Completes a sentence that begins with the path: `must be …`.
    let message: String
}

/// Reads the fields of a body, and collects everything that is wrong with them before anything is refused.
///
/// Each reading returns nil where the field is missing or wrong.
struct FieldReader {
    private let body: [String: JSON]
    private(set) var faults: [FieldFault] = []

    init(_ body: [String: JSON]) {
        self.body = body
    }

    subscript(_ name: String) -> JSON? { body[name] }

    mutating func fault(_ path: String, _ message: String) {
        faults.append(FieldFault(path: path, message: message))
    }

    /// - Parameter lengths: in Unicode code points.
    mutating func text(_ name: String, _ lengths: ClosedRange<Int>) -> String? {
        guard let value = body[name] else { return missing(name) }
        guard let text = value.stringValue else { return wrong(name, "must be a string") }
        guard lengths.contains(text.unicodeScalars.count) else {
            return wrong(name, "must have \(lengths.lowerBound) to \(lengths.upperBound) characters")
        }
        return text
    }

    /// Missing and null are nil, and no fault.
    mutating func optionalText(_ name: String, _ lengths: ClosedRange<Int>) -> String? {
        body[name] == nil || body[name] == .null ? nil : text(name, lengths)
    }

    /// A whole number. JSON has one type of number, so `250` and `250.0` are the same; `"250"` and `true` are none.
    mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = body[name] else { return missing(name) }
        guard let number = value.intValue, range.contains(number) else {
            return wrong(name, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private mutating func missing<Value>(_ name: String) -> Value? { wrong(name, "is required") }

    private mutating func wrong<Value>(_ path: String, _ message: String) -> Value? {
        fault(path, message)
        return nil
    }
}
