// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "testkit",
    dependencies: [.package(name: "Tron", path: "../../..")],
    targets: [
        .target(
            name: "Tally",
            dependencies: [.product(name: "Tron", package: "Tron")],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .executableTarget(
            name: "tally-story",
            dependencies: ["Tally", .product(name: "TronTestKit", package: "Tron")],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .testTarget(
            name: "TallyTests",
            dependencies: ["Tally", .product(name: "TronTestKit", package: "Tron")],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
    ],
    swiftLanguageModes: [.v6]
)
