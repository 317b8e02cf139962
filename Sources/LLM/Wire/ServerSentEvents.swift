/// Reads an event stream as it arrives, piece by piece (WHATWG HTML, "Server-sent events", 9.2.6).
///
/// Only data is kept: names and ids of events do not matter to the providers read here. Lines end with LF, CR or
/// both; lines that begin with a colon are comments.
struct ServerSentEvents {
    /// Lines of data of the event so far, joined by LF.
    private var data: [UInt8] = []
    private var hasData = false
    /// The beginning of a line whose end has not arrived.
    private var started: [UInt8] = []
    private var hasCarriageReturn = false
    private var isFirstLine = true

    /// Takes the next bytes.
    ///
    /// - Parameters:
    ///   - bytes: any number of bytes, cut anywhere.
    ///   - event: called with the data of each event that is complete.
    mutating func feed(_ bytes: Span<UInt8>, event: ([UInt8]) -> Void) {
        var start = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            guard byte == Self.lf || byte == Self.cr else {
                hasCarriageReturn = false
                continue
            }
            // The LF of a CRLF ends no second line, also where the two came apart.
            let isRest = byte == Self.lf && hasCarriageReturn
            hasCarriageReturn = byte == Self.cr
            if !isRest { end(bytes, start, index, event) }
            start = index + 1
        }
        for index in start..<bytes.count { started.append(bytes[index]) }
    }

    /// The stream is over: an event whose last line breaks are missing still counts.
    mutating func finish(event: ([UInt8]) -> Void) {
        let nothing: [UInt8] = []
        if !started.isEmpty { end(nothing.span, 0, 0, event) }
        dispatch(event)
    }

    private static let lf = UInt8(ascii: "\n")
    private static let cr = UInt8(ascii: "\r")

    private mutating func end(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ event: ([UInt8]) -> Void) {
        if started.isEmpty {
            take(bytes, start, end, event)
        } else {
            for index in start..<end { started.append(bytes[index]) }
            var line: [UInt8] = []
            swap(&line, &started)
            take(line.span, 0, line.count, event)
            line.removeAll(keepingCapacity: true)
            swap(&line, &started)
        }
    }

    private mutating func take(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ event: ([UInt8]) -> Void) {
        var start = start
        if isFirstLine, end - start >= 3, bytes[start] == 0xEF, bytes[start + 1] == 0xBB, bytes[start + 2] == 0xBF {
            start += 3
        }
        isFirstLine = false
        guard start < end else { return dispatch(event) }
        guard let value = Self.valueOfData(bytes, start, end) else { return }
        if hasData { data.append(Self.lf) }
        hasData = true
        data.reserveCapacity(data.count + end - value)
        for index in value..<end { data.append(bytes[index]) }
    }

    /// Where the value of a `data` line begins; nil for comments and other fields.
    private static func valueOfData(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard end - start >= 4, bytes[start] == UInt8(ascii: "d"), bytes[start + 1] == UInt8(ascii: "a"),
            bytes[start + 2] == UInt8(ascii: "t"), bytes[start + 3] == UInt8(ascii: "a")
        else { return nil }
        if end - start == 4 { return end }
        guard bytes[start + 4] == UInt8(ascii: ":") else { return nil }
        let value = start + 5
        return value < end && bytes[value] == UInt8(ascii: " ") ? value + 1 : value
    }

    private mutating func dispatch(_ event: ([UInt8]) -> Void) {
        guard hasData else { return }
        event(data)
        data.removeAll(keepingCapacity: true)
        hasData = false
    }
}
