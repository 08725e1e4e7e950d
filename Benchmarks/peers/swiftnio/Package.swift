// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "swiftnio-peers",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2")
    ],
    targets: [
        .target(
            name: "Listening",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .executableTarget(
            name: "swiftnio",
            dependencies: ["Listening", .product(name: "NIOCore", package: "swift-nio")]
        ),
        .executableTarget(
            name: "swiftnio-fast",
            dependencies: ["Listening", .product(name: "NIOCore", package: "swift-nio")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
