// What the documentation of packets, framings and of reading and writing bytes promises.

extension PromisedPlace {
    static let wire = [
        PromisedPlace(
            "Sources/Tron/Wire/BorrowedBytes.swift",
            [
                Promise(
                    301, "Every span begins with none at all.",
                    by: "BorrowedBytesTests: bytes begin with as many")
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/ByteReader.swift",
            [
                Promise(
                    302, "No input makes it trap",
                    by: "ByteReaderTests: random reads agree",
                    "ByteReaderTests: a count of any type", ".ci/fuzz"),
                Promise(
                    303, "It lies over the bytes as they were received",
                    by: "ByteReaderTests: what is read lies where"),
                Promise(
                    304, "A copy of a reader has a position of its own",
                    by: "ByteReaderTests: a copy reads ahead"),
                Promise(
                    305, "Nil, with nothing read, when the delimiter is not there",
                    by: "ByteReaderTests: a decimal integer without its delimiter"),
                Promise(
                    306, "None is too large.", by: "ByteReaderTests: a count of any type"),
                Promise(
                    307, "are refused, not repaired", by: "ByteReaderTests: a text that is not"),
                Promise(
                    308, "Reads up to the next", "Nil, with nothing read, when there is none",
                    "when they are not there, or not all", "An empty delimiter is found at once",
                    by: "ByteReaderTests: a delimiter is found only whole",
                    "ByteReaderTests: random reads agree"),
                Promise(
                    309, "Reads a line that ends with",
                    "Nil, with nothing read, when there is no LF",
                    by: "ByteReaderTests: lines end with"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/ByteWriter.swift",
            [
                Promise(
                    310, "Writes bytes one after another",
                    by: "ByteWriterTests: random writes agree"
                ),
                Promise(
                    311, "It never traps", "0 once something did not",
                    by: "ByteWriterTests: what does not fit whole",
                    "UnfinishedDraftTests: nothing is sent of a closure that"),
                Promise(
                    312, "A length that its type cannot hold",
                    by: "ByteWriterTests: a length that its type cannot hold"),
                Promise(
                    313, "nothing of it stays written", by: "ByteWriterTests: what a closure that"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/DelimiterFraming.swift",
            [
                Promise(
                    314, "Every byte is looked at once", by: "FramingTests: no byte of a line"),
                Promise(
                    315, "Frames of at most `maximumLength` bytes",
                    by: "FramingLimitTests: a delimited frame's limit",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    316, "The first place where the delimiter is",
                    by: "FramingTests: a frame ends where its delimiter"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/Framing.swift",
            [
                Promise(
                    317, "or whatever a protocol has", "The bytes are no frame.",
                    by: "FramingContractTests: a framing is called"),
                Promise(
                    318, "What a framing says is checked",
                    by: "FramingFaultTests: a frame longer than what there is",
                    "FramingFaultTests: a content that is not within"),
                Promise(
                    319, "The bytes of the longest frame", "A longer frame ends the session",
                    by: "FramingFaultTests: a frame longer than the longest one",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    320, "Looks for the frame that begins", "After a frame, the next call",
                    "After `needs`, it has", "After a fault there is none",
                    by: "FramingContractTests: a framing is called"),
                Promise(
                    321, "are a frame: at least one", by: "FramingFaultTests: a frame of no bytes",
                    "FramingFaultTests: a frame longer than what there is"),
                Promise(
                    322, "No whole frame is there before",
                    by: "FramingFaultTests: a framing that needs no more"),
                Promise(
                    323, "To be said as soon as a header tells it",
                    by: "FramingFaultTests: a session is not asked for",
                    "FramesWorkTests: the rest of a large frame"),
                Promise(
                    324, "and the compiler refuses to let it escape",
                    by: "EscapeTests: what is received cannot be kept"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/LengthFraming.swift",
            [
                Promise(
                    325, "The content begins behind the length",
                    by: "SessionFramesTests: a frame's bytes are whole"),
                Promise(
                    326, "Of one that is too long nothing more is received",
                    by: "FramingFaultTests: a session is not asked for",
                    "FramingTests: a length may count itself"),
                Promise(
                    327, "Frames with at most `maximumLength`",
                    by: "FramingLimitTests: the limit of a length is exact",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    328, "come before the length", by: "FramingTests: a length is read in its width"
                ),
                Promise(
                    329, "The length of every frame.",
                    by: "FramingTests: frames of a fixed length"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/LineFraming.swift",
            [
                Promise(
                    330, "Lines of at most `maximumLength`",
                    by: "FramingLimitTests: a line's limit is exact", "DefaultsTests: lines have",
                    "MisuseTests: misuse ends the process"),
                Promise(
                    331, "Lines that end with LF or CR LF, which",
                    by: "FramingTests: a line ends with LF"),
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/Packet.swift",
            [
                Promise(
                    332, "and the compiler refuses to let it escape",
                    by: "EscapeTests: what is received cannot be kept")
            ]),
        PromisedPlace(
            "Sources/Tron/Wire/PacketFormat.swift",
            [
                Promise(
                    333, "cannot be trusted any more",
                    by: "ProtocolFaultTests: the handler may say so",
                    "PacketDecoderTests: after a fault", simulation: "while session \\(id) closes"),
                Promise(
                    334, "Raised before any data is stored.",
                    by: "PacketDecoderTests: too long a packet"),
                Promise(
                    335, "The two bytes after the data", by: "PacketDecoderTests: after a fault",
                    "SessionLifeTests: a wrong trailer"),
                Promise(
                    336, "The stream ended within a packet",
                    by: "SessionLifeTests: an end of stream within a packet",
                    "SessionFramesTests: a stream that ends within a frame"),
                Promise(
                    337, "A frame is longer than",
                    by: "FramingLimitTests: a delimited frame's limit",
                    "FramingFaultTests: a framing that needs more"),
            ]),
    ]
}
