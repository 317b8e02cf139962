import Domain

/// An answer as it comes together, in the words of one provider: from the pieces of a stream, or from one body where the
/// server does not stream.
protocol StreamedAnswer: Sendable {
    init()

    /// All text so far.
    var text: String { get }
    /// The server has said its last word; only the connection's end is missing.
    var isDone: Bool { get }
    /// The server brought the answer to its end, whatever came of the connection afterwards.
    var isComplete: Bool { get }

    /// Takes the data of one event, or the whole body.
    ///
    /// - Returns: the text it adds; empty for events that carry none.
    mutating func take(_ data: [UInt8]) -> String

    /// The reply, once the stream or the body is over.
    func reply(to request: ModelRequest, requestID: String?, words: ProviderWords) throws(ModelFault) -> ModelReply
}
