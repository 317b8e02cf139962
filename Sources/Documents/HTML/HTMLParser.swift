import CLibXML2

/// Who is told what a page holds, in its order. Every element that is opened is closed, unless reading stops early.
protocol HTMLListener: AnyObject {
    func open(_ name: String, _ attributes: HTMLAttributes)
    func close()
    /// A piece of text with its entities decoded, in UTF-8, ending at a character.
    func text(_ bytes: UnsafeBufferPointer<UInt8>)
    /// It needs no more.
    var isDone: Bool { get }
    /// What stands here is code, not markup.
    var isInScript: Bool { get }
}

/// The attributes of the element that is being opened. Valid during that call only.
struct HTMLAttributes {
    fileprivate let list: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?

    /// - Returns: nil where the element has no such attribute; its value, empty where it has none, else.
    subscript(name: StaticString) -> String? {
        guard var at = list else { return nil }
        while let key = at.pointee {
            if strcmp(key, name) { return at[1].map { String(cString: $0) } ?? "" }
            at += 2
        }
        return nil
    }

    private func strcmp(_ key: UnsafePointer<xmlChar>, _ name: StaticString) -> Bool {
        name.withUTF8Buffer { bytes in
            for (index, byte) in bytes.enumerated() where key[index] != byte { return false }
            return key[bytes.count] == 0
        }
    }
}

/// libxml2's HTML parser, which takes any bytes at all for a page: told as events, so that no tree can grow too deep.
///
/// Two of its loops take quadratic time, so it is fed in pieces and stopped: at its deadline, which is looked at in every
/// event and every error, and at a tag that is longer than any real one.
final class HTMLParser {
    private let listener: any HTMLListener
    private let deadline: ContinuousClock.Instant
    private var context: htmlParserCtxtPtr?
    private var count = 0
    private var isStopped = false

    /// A page with a longer tag is cut there: comparing its attributes with each other would take seconds.
    private static let longestTag = 128 << 10
    private static let piece = 16 << 10

    private init(_ listener: any HTMLListener, until deadline: ContinuousClock.Instant) {
        self.listener = listener
        self.deadline = deadline
    }

    /// Reads a page.
    ///
    /// - Parameter page: UTF-8, whatever the page itself says.
    /// - Returns: whether it was read to its end.
    static func parse(_ page: [UInt8], into listener: any HTMLListener, until deadline: ContinuousClock.Instant) -> Bool
    {
        _ = isReady
        return HTMLParser(listener, until: deadline).parse(page)
    }

    /// The library sets itself up once.
    private static let isReady: Bool = {
        xmlInitParser()
        return true
    }()

    private func parse(_ page: [UInt8]) -> Bool {
        var handler = Self.handler
        let me = Unmanaged.passUnretained(self).toOpaque()
        guard let made = htmlCreatePushParserCtxt(&handler, me, nil, 0, nil, XML_CHAR_ENCODING_UTF8) else {
            return false
        }
        defer { htmlFreeParserCtxt(made) }
        context = made
        let options =
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_NONET.rawValue
            | HTML_PARSE_IGNORE_ENC.rawValue
        htmlCtxtUseOptions(made, Int32(options))
        feed(page, to: made)
        if !isStopped { htmlParseChunk(made, nil, 0, 1) }
        context = nil
        return !isStopped
    }

    private func feed(_ page: [UInt8], to parser: htmlParserCtxtPtr) {
        page.withUnsafeBytes { raw in
            let bytes = raw.bindMemory(to: CChar.self)
            var at = 0
            while at < bytes.count, !isStopped, let base = bytes.baseAddress {
                var end = min(at + Self.piece, bytes.count)
                // No character is cut in two.
                while end < bytes.count, end > at + 1, UInt8(bitPattern: bytes[end]) & 0xC0 == 0x80 { end -= 1 }
                htmlParseChunk(parser, base + at, Int32(end - at), 0)
                at = end
                if isStuck(parser) || ContinuousClock.now >= deadline { stop() }
            }
        }
    }

    /// A tag that does not end holds up everything behind it.
    private func isStuck(_ parser: htmlParserCtxtPtr) -> Bool {
        guard !listener.isInScript, let input = parser.pointee.input, let at = input.pointee.cur,
            let end = input.pointee.end, end - at > Self.longestTag
        else { return false }
        return at[0] == 0x3C && (0x61...0x7A).contains(at[1] | 0x20)
    }

    private func stop() {
        isStopped = true
        if let context { xmlStopParser(context) }
    }

    /// Something happened in there: time to look at the clock.
    private func tick() {
        count &+= 1
        if listener.isDone || (count & 63 == 0 && ContinuousClock.now >= deadline) { stop() }
    }

    // MARK: What the library calls

    private static func parser(_ pointer: UnsafeMutableRawPointer?) -> HTMLParser? {
        guard let pointer else { return nil }
        let parser = Unmanaged<HTMLParser>.fromOpaque(pointer).takeUnretainedValue()
        return parser.isStopped ? nil : parser
    }

    private static var handler: htmlSAXHandler {
        var handler = htmlSAXHandler()
        handler.initialized = 0xDEED_BEAF
        handler.startElement = { pointer, name, attributes in
            guard let parser = HTMLParser.parser(pointer), let name else { return }
            parser.listener.open(String(cString: name), HTMLAttributes(list: attributes))
            parser.tick()
        }
        handler.endElement = { pointer, _ in
            guard let parser = HTMLParser.parser(pointer) else { return }
            parser.listener.close()
            parser.tick()
        }
        handler.characters = { HTMLParser.text($0, $1, $2) }
        handler.ignorableWhitespace = { HTMLParser.text($0, $1, $2) }
        handler.cdataBlock = { HTMLParser.text($0, $1, $2) }
        // Errors are normal; a page may be nothing else.
        handler.serror = { pointer, _ in HTMLParser.parser(pointer)?.tick() }
        return handler
    }

    private static func text(_ pointer: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<xmlChar>?, _ count: Int32) {
        guard let parser = HTMLParser.parser(pointer), count > 0 else { return }
        parser.listener.text(UnsafeBufferPointer(start: bytes, count: Int(count)))
        parser.tick()
    }
}
