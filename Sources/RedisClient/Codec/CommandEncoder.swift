import CHiredis
import NIOCore

/// Commands to bytes, by hiredis' formatter.
enum CommandEncoder {
    /// Appends one command as an array of bulk strings (RESP2).
    static func encode(_ arguments: [String], into buffer: inout ByteBuffer) {
        precondition(!arguments.isEmpty, "A Redis command needs at least its name: an empty one is never answered.")
        var text: [UInt8] = []
        var lengths: [Int] = []
        text.reserveCapacity(arguments.reduce(1) { $0 + $1.utf8.count })
        for argument in arguments {
            text.append(contentsOf: argument.utf8)
            lengths.append(argument.utf8.count)
        }
        text.append(0)  // so that the base address exists even when every argument is empty
        text.withUnsafeBytes { format($0, lengths, into: &buffer) }
    }

    // Safe: the pointers given to hiredis live as long as `text`, and what it allocates is copied and freed here.
    private static func format(_ text: UnsafeRawBufferPointer, _ lengths: [Int], into buffer: inout ByteBuffer) {
        var next = text.baseAddress?.assumingMemoryBound(to: CChar.self)
        var arguments: [UnsafePointer<CChar>?] = []
        arguments.reserveCapacity(lengths.count)
        for length in lengths {
            arguments.append(next)
            next = next?.advanced(by: length)
        }
        var formatted: UnsafeMutablePointer<CChar>?
        let size = redisFormatCommandArgv(&formatted, Int32(lengths.count), &arguments, lengths)
        guard size > 0, let formatted else { preconditionFailure("hiredis could not format a command: out of memory.") }
        buffer.writeBytes(UnsafeRawBufferPointer(start: formatted, count: Int(size)))
        redisFreeCommand(formatted)
    }
}
