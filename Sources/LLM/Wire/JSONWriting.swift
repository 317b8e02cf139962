import NIOCore

extension ByteBuffer {
    /// Writes a text as a JSON string, quotes included. Runs that need no escape are copied whole.
    mutating func writeJSONString(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        let bytes = text.utf8Span.span
        var start = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            if start < index { writeBytes(bytes.extracting(start..<index).bytes) }
            writeEscape(byte)
            start = index + 1
        }
        if start < bytes.count { writeBytes(bytes.extracting(start..<bytes.count).bytes) }
        writeInteger(UInt8(ascii: "\""))
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): writeStaticString("\\\"")
        case UInt8(ascii: "\\"): writeStaticString("\\\\")
        case 0x0A: writeStaticString("\\n")
        case 0x0D: writeStaticString("\\r")
        case 0x09: writeStaticString("\\t")
        default:
            writeStaticString(byte < 0x10 ? "\\u000" : "\\u001")
            writeInteger(Array("0123456789abcdef".utf8)[Int(byte & 15)])
        }
    }
}
